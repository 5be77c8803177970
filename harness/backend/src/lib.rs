//! Routers on which a lease script runs: function calls over a simulated device, or real processes.
//!
//! [`Backend`] is the interface; [`InProcess`] and [`process::Process`] implement it here, and the crates `live` and `qemu`
//! have one implementation each. [`FaultInjector`] decides for all of them which `nvram` command a fault affects.
//!
//! Only the module `process`, [`read_bounded`], [`write_atomically`], [`create_folder`], [`create_own_folder`] and
//! [`new_temporary_file`] access files of the machine that runs leaselab. Everything else works in memory.

#![forbid(unsafe_code)]

mod atomic_write;
mod backend;
mod bounded_read;
mod call;
mod call_trace;
mod daemon;
mod error;
mod external_script;
mod fault_injector;
mod faulty_nvram;
mod file_fault;
mod file_history;
mod file_name;
mod function;
mod in_process;
mod naive;
pub mod process;
mod read_counter;
mod router_files;
mod router_path;
mod trusted_folder;

pub use atomic_write::{new_temporary_file, write_atomically};
pub use backend::Backend;
pub use bounded_read::read_bounded;
pub use call::{
    CallEnd, CallOptions, CallResult, CommandResult, DnsmasqSignal, NvramCommand, Origin,
};
pub use call_trace::{CallTrace, CommandSnapshot};
pub use daemon::{AddressRecord, Daemon, DaemonExit, DaemonStart};
pub use error::BackendError;
pub use external_script::ExternalScript;
pub use fault_injector::FaultInjector;
pub use file_history::{FileHistory, FilesAfterCut};
pub use file_name::file_name_of;
pub use function::Function;
pub use in_process::InProcess;
pub use read_counter::is_reading;
pub use router_files::RouterFiles;
pub use router_path::RouterPath;
pub use scenario::Disturbance;
pub use trusted_folder::{OutputFolder, create_folder, create_own_folder};
