//! Groups of options that several commands have in common.

mod cases;
mod gate;
mod guest;
mod init;
mod jobs;
mod live;
mod names;
mod replay;
mod reports;
mod router;
mod run;
mod sandbox;
mod script;
mod store;
mod target;

pub(super) use cases::{CaseFilter, paths_or, print_unsuited};
pub(super) use gate::GateOptions;
pub(super) use guest::{Cache, GuestOptions, arch_parser};
pub(super) use init::InitOptions;
pub(super) use jobs::Jobs;
pub(super) use live::LiveOptions;
pub(super) use names::{
    chip_names, chip_names_or_all, dialect_names, dialect_names_or_all, dialect_parser,
    router_names,
};
pub(super) use replay::ReplayOptions;
pub(super) use reports::ReportOptions;
pub(super) use router::{RouterOptions, RtcChoice};
pub(super) use run::{RunOptions, runner_options};
pub(super) use sandbox::SandboxOptions;
pub(super) use script::{
    DEFAULT_TIMEOUT_SECONDS, ScriptOptions, check_script, shell_command, shell_words,
};
pub(super) use store::StoreChoice;
pub(super) use target::{SingleTarget, TargetChoice};
