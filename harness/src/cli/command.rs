//! The commands of `leaselab`.

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::project::{self, Project};
use super::reproduction::Reproduction;
use super::{
    check, claims, color, completions, crash, device, dnsmasq, examples, fuzz, init, leases, live,
    man, qemu, races, replay, report, run, scenario as scenarios, schema, trace, wear,
};
use crate::console;
use crate::error::CommandError;
use crate::exit::{self, Exit};
use crate::shown::Shown as _;
use crate::style::{self, FAILED};
#[cfg(test)]
use crate::words::Words;

#[derive(Debug, Parser)]
#[command(name = "leaselab", version, about, long_about = None, max_term_width = 100)]
#[command(styles = style::HELP)]
#[command(after_help = exit::help())]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    color: color::ColorOption,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Test any lease script: one page with a verdict for each group of properties
    Check(Box<check::Args>),
    /// Compare the claims of the notes of 2006 with what scenarios measure
    Claims(Box<claims::Args>),
    /// Print a script that completes command lines of leaselab in a shell
    Completions(completions::Args),
    /// Cut power at every point of scenarios
    Crash(Box<crash::Args>),
    /// Create and inspect device folders for the emulated nvram tool
    Device(device::Args),
    /// Show what the releases of dnsmasq do differently
    Dnsmasq(dnsmasq::Args),
    /// Play random households and minimise those that fail
    Fuzz(fuzz::Args),
    /// Write a project file for a lease script, and a job that checks the script at each push
    Init(init::Args),
    /// Read and convert the lease databases of dhcpd, dnsmasq and Kea
    Leases(leases::Args),
    /// Run scenarios with a real dnsmasq
    Live(Box<live::Args>),
    /// Print or write the manual pages
    Man(man::Args),
    /// Build router images and run scenarios in them
    Qemu(qemu::Args),
    /// Interleave two processes that use one NVRAM, step by step
    Races(races::Args),
    /// Replay a printed reproduction id
    Replay(Box<Reproduction>),
    /// Make an HTML page from a JSON report
    Report(report::Args),
    /// Run scenarios
    Run(Box<run::Args>),
    /// Write a first scenario, and print the reference of scenario files
    Scenario(scenarios::Args),
    /// Print the JSON schema of the scenario format
    Schema,
    /// Check, import and replay recordings of dnsmasq
    Trace(trace::Args),
    /// Count the erases that leases cause, and the life of the flash in years
    Wear(Box<wear::Args>),
}

/// The definition of the command line.
pub(super) fn command() -> clap::Command {
    examples::add_to(Cli::command())
}

/// The command of the arguments of this process, with the defaults of the project file.
///
/// # Errors
/// A project file that is invalid, unless the command does not depend on it.
fn parse() -> Result<Parsed, CommandError> {
    color::apply(std::env::args_os());
    let matches = match Project::find() {
        Ok(None) => command().try_get_matches(),
        Ok(Some(project)) => project::with_defaults(&project, command()).try_get_matches(),
        Err(invalid) => match command().try_get_matches() {
            Ok(matches) if !project::concerns(&matches) => Ok(matches),
            Err(error) if !error.use_stderr() => Err(error),
            Ok(_) | Err(_) => return Err(invalid),
        },
    };
    let matches = match matches {
        Ok(matches) => matches,
        Err(error) => return Ok(Parsed::Answered(print_usage(&error))),
    };
    remove_abandoned(&matches);
    Ok(match Cli::from_arg_matches(&matches) {
        Ok(cli) => Parsed::Command(Box::new(cli.command)),
        Err(error) => Parsed::Answered(print_usage(&error.format(&mut command()))),
    })
}

/// What the arguments ask for.
enum Parsed {
    Command(Box<Command>),
    /// Help, the version, or an error in the arguments was printed.
    Answered(Exit),
}

/// Prints help, the version, or an error in the arguments.
fn print_usage(answer: &clap::Error) -> Exit {
    let text = answer.render();
    if answer.use_stderr() {
        err!("{}", text.ansi());
        Exit::Usage
    } else {
        out!("{}", text.ansi());
        Exit::Passed
    }
}

/// Removes the scratch folders of earlier runs that were killed. `--verbose` names them.
fn remove_abandoned(matches: &clap::ArgMatches) {
    let mut innermost = matches;
    while let Some((_, inner)) = innermost.subcommand() {
        innermost = inner;
    }
    let verbose = matches!(innermost.try_get_one::<bool>("verbose"), Ok(Some(true)));
    for folder in scratch::remove_abandoned() {
        if verbose {
            errln!("removed {}, left behind by a run that was killed", folder.shown());
        }
    }
}

/// Runs `leaselab` with the arguments of this process.
pub fn main() -> Exit {
    let exit = parse().and_then(|parsed| match parsed {
        Parsed::Command(command) => run_command(*command),
        Parsed::Answered(exit) => Ok(exit),
    });
    let exit = exit.unwrap_or_else(|error| print_error(&error));
    scratch::interrupt::stop_if_interrupted();
    match console::finish() {
        Ok(()) => exit,
        Err(error) => print_error(&error),
    }
}

fn run_command(command: Command) -> Result<Exit, CommandError> {
    match command {
        Command::Check(args) => check::run(&args),
        Command::Claims(args) => claims::run(&args),
        Command::Completions(args) => Ok(completions::run(&args, self::command())),
        Command::Crash(args) => crash::run(&args),
        Command::Device(args) => device::run(&args),
        Command::Dnsmasq(args) => dnsmasq::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Leases(args) => leases::run(&args),
        Command::Live(args) => live::run(&args),
        Command::Man(args) => man::run(&args, self::command()),
        Command::Qemu(args) => qemu::run(&args),
        Command::Races(args) => races::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Scenario(args) => scenarios::run(&args),
        Command::Schema => Ok(schema::run()),
        Command::Trace(args) => trace::run(&args),
        Command::Wear(args) => wear::run(&args),
    }
}

/// Prints an error; returns the exit code.
fn print_error(error: &CommandError) -> Exit {
    match error {
        // It begins with `error:` already.
        CommandError::Source(error) => errln!("{}", error.to_styled_string()),
        other => {
            let text = other.to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            errln!("{FAILED}error:{FAILED:#} {text}");
        }
    }
    error.exit()
}

/// Whether a command line is valid.
#[cfg(test)]
pub(super) fn parses(words: &Words) -> Result<(), String> {
    Cli::try_parse_from(words.as_slice()).map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rstest::rstest;
    use scenario::{Case, Id, Overrides};

    use super::super::options::{ReplayOptions, RunOptions};
    use super::super::play::run_again;
    use super::super::reproduction::{PlayedOn, ReproductionId};
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        command().debug_assert();
    }

    fn parse(words: &Words) -> Command {
        match Cli::try_parse_from(words.as_slice()) {
            Ok(cli) => cli.command,
            Err(error) => panic!("{words}: {error}"),
        }
    }

    /// The parts of the commands that a run of cases prints: options that have an effect, options that select cases, back end,
    /// command.
    fn parts(command: &Command) -> (ReplayOptions, &RunOptions, PlayedOn, &'static [&'static str]) {
        match command {
            Command::Run(args) => {
                (args.modelled.replay(), &args.modelled.run, PlayedOn::Model, &["run"])
            }
            Command::Live(args) => (args.replay(), &args.run, PlayedOn::Live, &["live"]),
            Command::Qemu(qemu::Args { command: qemu::Command::Run(args) }) => {
                (args.replay(), &args.run, PlayedOn::Qemu, &["qemu", "run"])
            }
            other => panic!("{other:?}"),
        }
    }

    fn case() -> Case {
        let text = "title = \"x\"\n[[step]]\nboot = {}\n".to_owned();
        let path = Path::new("it's a/scenario.toml");
        scenario::cases(path, text, &Overrides::default()).expect("a scenario").remove(0)
    }

    #[rstest]
    #[case("run x.toml")]
    #[case("run x.toml --target both --store journal --seed 5 --no-sandbox")]
    #[case(
        "run --rtc both --dialect openwrt,tomato --script './it'\\''s' --shell 'busybox ash' --timeout 3"
    )]
    #[case("run x.toml --dnsmasq-release 2.45,2.80")]
    #[case("live x.toml")]
    #[case(
        "live x.toml --dnsmasq '/opt/a b/dnsmasq' --dnsmasq-no-rtc '/opt/it'\\''s' --seed 9 --rtc broken"
    )]
    #[case("live x.toml --script mine.sh --shell sh --timeout 40")]
    #[case("qemu run x.toml")]
    #[case("qemu run x.toml --arch mipsel --cache '/my cache' --flash 'f l' --kvm --boot-limit 90")]
    #[case("qemu run x.toml --built 'an image' --seed 4 --script mine.sh")]
    #[case(
        "qemu run x.toml --image 'k ernel,initrd,disk' --machine 'it'\\''s.toml' --dialect openwrt"
    )]
    fn printed_commands_parse_into_the_same_options(#[case] line: &str) {
        let words = Words::split(&format!("leaselab {line}")).expect("a command line");
        let command = parse(&words);
        let (options, run, on, name) = parts(&command);
        let case = case();

        let printed = run_again(&case, name, &run.cases.router, &options).to_string();
        let again = parse(&Words::split(&printed).expect("a command line"));
        let (options_again, run_again, on_again, _) = parts(&again);
        assert_eq!(options_again, options, "{printed}");
        assert_eq!(run_again.cases.router, run.cases.router, "{printed}");
        assert_eq!(run_again.cases.filter, Some(case.name()), "{printed}");
        assert_eq!(on_again, on, "{printed}");

        let id = ReproductionId::Case(on, Id::new(&case, &[]));
        let reproduction = Reproduction { id, verbose: true, options };
        let printed = reproduction.to_string();
        match parse(&Words::split(&printed).expect("a command line")) {
            Command::Replay(again) => {
                assert_eq!(*again, reproduction, "{printed}");
                again.check().expect("options with an effect");
            }
            other => panic!("{printed}: {other:?}"),
        }
    }

    #[rstest]
    #[case("c1:00c0ffee:a/b.toml:dialect=openwrt,rtc=good:12f5.1.512+3kb1")]
    #[case("c1:00000001:b.toml:rtc=good:run")]
    #[case("live:c1:00000001:b.toml:rtc=good:run")]
    #[case("qemu:c1:00000001:b.toml::run")]
    #[case("r1:set+set+lock:A5B12A3")]
    fn parsing_a_printed_id_of_any_kind_returns_the_id(#[case] text: &str) {
        let words = Words::split(&format!("leaselab replay '{text}'")).expect("a command line");
        match parse(&words) {
            Command::Replay(reproduction) => assert_eq!(reproduction.id.to_string(), text),
            other => panic!("{other:?}"),
        }
    }
}
