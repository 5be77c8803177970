//! The command line. Each command has a file of its own with its arguments and a `run` function.

mod common;
mod crash;
mod crash_report;
mod device;
mod from_journal;
mod fuzz;
mod import_trace;
mod journal;
mod leases;
mod live;
mod qemu;
mod races;
mod recover;
mod replay;
mod replay_trace;
mod run;
mod schema;
mod trace;
mod wear;

use clap::{Parser, Subcommand};

/// How `leaselab` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All held.
    Held = 0,
    /// Something failed.
    Failed = 1,
    /// Wrong usage, or an input that cannot be read.
    Usage = 2,
    /// The environment lacks something.
    Environment = 3,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended before it could judge anything.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// An input that cannot be read, or arguments that make no sense together: exit code 2.
    #[error("{0}")]
    Input(String),
    /// The environment lacks something: exit code 3.
    #[error("{0}")]
    Environment(String),
    /// What was to be judged fell apart before it could be: exit code 1.
    #[error("{0}")]
    Failed(String),
}

impl From<scenario::diagnostics::SourceError> for Failure {
    fn from(error: scenario::diagnostics::SourceError) -> Self {
        Self::Input(error.to_string())
    }
}

#[derive(Debug, Parser)]
#[command(name = "leaselab", version, about, long_about = None, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 all held; 1 something failed; 2 usage, or an input that \
                        cannot be read; 3 the environment lacks something")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Cut power at every point of scenarios
    Crash(crash::Args),
    /// Make and look after device folders for the fake nvram
    Device(device::Args),
    /// Play random households, and make small what fails
    Fuzz(fuzz::Args),
    /// Read lease databases of other servers: ISC dhcpd
    Leases(leases::Args),
    /// Run scenarios with a real dnsmasq
    Live(Box<live::Args>),
    /// Make router images, and run scenarios in them
    Qemu(qemu::Args),
    /// Run one printed reproduction id again
    Replay(replay::Args),
    /// Run scenarios
    Run(run::Args),
    /// Print the JSON schema of the scenario format
    Schema(schema::Args),
    /// Check recordings of real dnsmasq runs against the engine
    Trace(trace::Args),
    /// Count what leases cost the flash, in erases and years
    Wear(Box<wear::Args>),
}

/// Runs `leaselab` with the process's arguments.
pub fn main() -> Exit {
    let result: Result<Exit, Failure> = match Cli::parse().command {
        Command::Crash(args) => crash::run(&args),
        Command::Device(args) => device::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Leases(args) => leases::run(&args),
        Command::Live(args) => live::run(&args),
        Command::Qemu(args) => qemu::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Schema(args) => Ok(schema::run(&args)),
        Command::Trace(args) => trace::run(&args),
        Command::Wear(args) => wear::run(&args),
    };
    result.unwrap_or_else(|failure| {
        let text = failure.to_string();
        // A diagnostic with a snippet brings its own `error:`.
        let prefix = if text.starts_with("error") { "" } else { "error: " };
        anstream::eprintln!("{prefix}{text}");
        match failure {
            Failure::Input(_) => Exit::Usage,
            Failure::Environment(_) => Exit::Environment,
            Failure::Failed(_) => Exit::Failed,
        }
    })
}
