//! The journal on real files: `lease-update` with `LEASE_STORE=journal:PATH`, as processes.

mod bad_input;
mod full;
mod index;
mod io_errors;
mod leases;
mod mangled;
mod recovery;
mod support;
mod writers;
