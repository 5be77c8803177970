//! The commands of `leaselab`.

use clap::{Parser, Subcommand};

use super::reproduction::Reproduction;
use super::{
    claims, crash, device, fuzz, leases, live, qemu, races, replay, run, schema, trace, wear,
};
use crate::error::CommandError;
use crate::exit::{self, Exit};

#[derive(Debug, Parser)]
#[command(name = "leaselab", version, about, long_about = None, max_term_width = 100)]
#[command(after_help = exit::help())]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare the claims of the notes of 2006 with what scenarios measure
    Claims(Box<claims::Args>),
    /// Cut power at every point of scenarios
    Crash(Box<crash::Args>),
    /// Create and inspect device folders for the emulated nvram tool
    Device(device::Args),
    /// Play random households and minimise those that fail
    Fuzz(fuzz::Args),
    /// Read and convert the lease databases of dhcpd, dnsmasq and Kea
    Leases(leases::Args),
    /// Run scenarios with a real dnsmasq
    Live(Box<live::Args>),
    /// Build router images and run scenarios in them
    Qemu(qemu::Args),
    /// Interleave two processes that use one NVRAM, step by step
    Races(races::Args),
    /// Repeat what a printed reproduction id stands for
    Replay(Box<Reproduction>),
    /// Run scenarios
    Run(Box<run::Args>),
    /// Print the JSON schema of the scenario format
    Schema,
    /// Check, import and replay recordings of dnsmasq
    Trace(trace::Args),
    /// Count what leases cost the flash, in erases and years
    Wear(Box<wear::Args>),
}

/// Runs `leaselab` with the arguments of this process.
pub fn main() -> Exit {
    let result: Result<Exit, CommandError> = match Cli::parse().command {
        Command::Claims(args) => claims::run(&args),
        Command::Crash(args) => crash::run(&args),
        Command::Device(args) => device::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Leases(args) => leases::run(&args),
        Command::Live(args) => live::run(&args),
        Command::Qemu(args) => qemu::run(&args),
        Command::Races(args) => races::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Schema => Ok(schema::run()),
        Command::Trace(args) => trace::run(&args),
        Command::Wear(args) => wear::run(&args),
    };
    result.unwrap_or_else(|error| {
        let text = error.to_string();
        // A diagnostic with a snippet already begins with `error:`.
        let prefix = if text.starts_with("error") { "" } else { "error: " };
        anstream::eprintln!("{prefix}{text}");
        error.exit()
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
