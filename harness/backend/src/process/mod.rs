//! Script calls as real processes: one scratch folder and one agent process for each router.

pub mod agent;
mod agent_client;
mod daemon_program;
mod dnsmasq_stand_in;
mod environment;
mod files;
mod interpreter;
mod interpreter_check;
mod process_id;
pub mod protocol;
mod ram_files;
mod router;
mod script;
mod script_check;
mod settings;
pub mod shim;
mod storage;
mod stragglers;

pub use protocol::{AGENT_NAME, Octets, Program, ProgramEnd, ProgramResult};
pub use router::Process;
pub use sandbox::{FileTree, Isolation, RecordedChange, check_persistent_folder};
pub use script::{ScriptCommand, ScriptFile};
pub use script_check::{ScriptFileError, check_script_file};
pub use settings::Settings;
pub use storage::Storage;
