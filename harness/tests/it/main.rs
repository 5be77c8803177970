//! Integration tests of leaselab.

mod engine;
mod traces;
