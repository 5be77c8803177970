//! Integration tests of leaselab.

mod architecture;
mod bad_input;
mod check;
mod crash;
mod documentation;
mod exit_codes;
mod from_journal;
mod fuzz;
mod fuzz_readers;
mod import;
mod journal;
mod judge;
mod lab;
mod leases;
mod live;
mod qemu;
mod races;
mod recover;
mod report;
mod reproduction;
mod runner;
mod traces;
mod wear;
mod wear_images;
mod wear_reports;
mod wear_workloads;
