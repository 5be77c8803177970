//! A `dhcp-script` for dnsmasq with `leasefile-ro` that keeps the leases in NVRAM, or in a journal.
//!
//! [`run`] is the script as a function over two traits: [`Nvram`] runs a command of an `nvram` tool, and [`IntentLog`]
//! records in RAM which changes may not be committed yet. [`main`], the executable `lease-update`, runs it with
//! processes and a file. `lease_update.sh` in the folder of this crate is the same program in POSIX sh, with the same
//! output, exit code and NVRAM contents for every call.
//!
//! A call compares first. It sets variables and commits, once, only if a stored value changes. `README.md` of this crate
//! documents the rules, the variables and how each tool reports its free space.

#![forbid(unsafe_code)]

mod address;
mod call;
mod config;
mod init;
mod intent_log;
pub mod journal;
mod nvram;
mod process;
mod program;
mod record;
mod run;
mod script;
mod show;
mod update;

pub use address::Address;
pub use call::{Call, Environment, Outcome};
pub use config::{Config, DEFAULT_MAX, DEFAULT_PREFIX, DEFAULT_REWRITE_SIZE};
pub use intent_log::{FileIntentLog, IntentLog, Lock, MemoryIntentLog};
pub use lease_journal::OperationError;
pub use nvram::{Nvram, NvramOutput};
pub use process::SpawnedNvram;
pub use program::{main, run_in_process, run_process};
pub use record::{Client, Record, RecordError, Stored, is_duid_line};
pub use run::run;
