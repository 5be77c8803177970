//! Leases in a journal: `LEASE_STORE=journal:PATH`.

mod calls;
mod lines;

pub use calls::{run, run_at_path};
