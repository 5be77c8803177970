//! The lease database kept by a dnsmasq `dhcp-script` under `leasefile-ro`.
//!
//! [`run`] is the whole script as a function over two small traits: [`Nvram`], one command of an `nvram`
//! tool, and [`IntentLog`], the note in RAM of what is on its way to flash. [`main`] is the same with real
//! processes and a real file: the executable `lease-update`. `lease_update.sh` beside this crate is the same
//! program in POSIX sh: same output, exit code and NVRAM for every call.
//!
//! A call compares first, and sets and commits once where something stored changes. `README.md` of this
//! crate tells the rules, the variables and how each tool says how much room is left.

mod address;
mod call;
mod config;
mod free_space;
mod init;
mod intent_log;
pub mod journal;
mod nvram;
mod process;
mod program;
mod record;
mod run;
mod scan;
mod script;
mod update;

pub use address::Address;
pub use call::{Call, Environment, Outcome};
pub use config::{Config, DEFAULT_MAX, DEFAULT_PREFIX, DEFAULT_REWRITE_SIZE};
pub use intent_log::{FileIntentLog, IntentLog, MemoryIntentLog};
pub use lease_journal::OperationError;
pub use nvram::{Nvram, NvramOutput};
pub use process::SpawnedNvram;
pub use program::{main, run_in_process, run_process};
pub use record::{Client, Record, RecordError, Stored, is_duid_line};
pub use run::run;
