//! The reader of dhcpd.leases against the real server's recordings.

mod corpus;
mod differential;
mod exchange;
mod fuzz;
mod journals;
mod recordings;
mod robust;
mod writer;
