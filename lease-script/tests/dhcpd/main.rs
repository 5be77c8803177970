//! The reader of dhcpd.leases against the real server's recordings.

mod corpus;
mod fuzz;
mod journals;
mod recordings;
mod robust;
mod writer;
