//! The readers and writers of lease databases, and recordings of dhcpd.

mod corpus;
mod differential;
mod exchange;
mod fuzz;
mod journals;
mod kea;
mod other_formats;
mod recordings;
mod robust;
mod writer;
