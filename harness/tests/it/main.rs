//! Integration tests of leaselab.

mod bad_input;
mod engine;
mod judge;
mod lab;
mod runner;
mod traces;
mod wear;
