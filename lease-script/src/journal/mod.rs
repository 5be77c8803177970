//! The calls of dnsmasq over a journal: `LEASE_STORE=journal:PATH`.

mod lines;
mod script;

pub use script::{in_folder, on_disk};
