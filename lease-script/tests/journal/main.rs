//! The journal on real files: `lease-update` with `LEASE_STORE=journal:PATH`, as processes.

mod bad_input;
mod full;
mod leases;
mod recovery;
mod support;
mod writers;
