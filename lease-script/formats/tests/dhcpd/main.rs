//! Tests of the readers and writers of lease databases, partly with recordings of dhcpd.

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
