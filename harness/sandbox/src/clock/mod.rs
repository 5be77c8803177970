//! The router's clock for all programs of a sandbox, including statically linked ones.
//!
//! The kernel passes the system calls that read a clock to a thread of the agent, which answers them ([`Supervisor`]).
//! Programs usually read clocks without a system call, through code that the kernel maps into each process (the vDSO). The
//! thread therefore also stops each program right after it was started, and removes the entry with the address of that code
//! from the auxiliary vector. The program then uses system calls.
//!
//! During a call of the script the clock stands still, except that each reading is one microsecond later than the previous
//! one, so that no two readings are equal. Once a program has slept, the clock advances with the time that has passed since.
//! A program that still sleeps at the end of the call wakes when the clock of the scenario reaches its wake-up time.

mod auxiliary_vector;
mod file_status;
mod file_times;
mod filter;
mod listener;
mod memory;
mod router_clock;
mod sleepers;
mod supervisor;
mod traced;
mod watcher;

pub use file_times::{date_files, earliest_file_time};
pub use router_clock::{RouterClock, Time};
pub use supervisor::{Supervision, Supervisor, start};
