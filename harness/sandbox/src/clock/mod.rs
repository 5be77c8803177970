//! The router's clock for every program of a sandbox, statically linked ones included.
//!
//! The kernel hands the system calls that read a clock to a thread of the agent, which answers them
//! ([`supervisor`](Supervisor)). Programs usually read clocks without a system call, from code that the kernel maps into each
//! process (vDSO). So the thread also stops each program just after it was started, and removes the entry of the auxiliary
//! vector that leads to that code. The program then uses system calls.
//!
//! During a call of the script the clock stands still, except that no two readings are equal: each is one microsecond
//! later. Once a program has slept, the clock advances with the time that has passed since. A program that still sleeps at
//! the end of the call wakes when the clock of the scenario gets there.

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
