//! The journal on real files: `lease-update` with `LEASE_STORE=journal:PATH`, as processes.

mod bad_input;
mod full;
mod index;
mod io_errors;
mod leases;
mod mangled;
mod recovery;
#[path = "../it/support/strace.rs"]
mod strace;
mod support;
mod writers;
