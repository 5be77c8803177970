//! `leaselab leases`: lease databases other than dnsmasq's.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Subcommand, ValueEnum};
use lease_script::dhcpd::{
    BindingState, Config, Date, Family, Options, Reading, Verdict, View, read_file,
};

use super::{Exit, Failure};

/// What to do with a lease database.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the leases of a dhcpd.leases file: as the real server keeps them, or with records atomic
    #[command(
        after_help = "Problems in the file are told on stderr: line, column, what dhcpd does about \
                      them.\nExit codes: 0 shown; 2 the file cannot be read"
    )]
    Show(Show),
    /// Put a journal back in its place after a rewrite that was broken off
    #[command(
        after_help = "Exit codes: 0 done, or nothing to do; 1 a person has to look; 2 the path cannot be read"
    )]
    Recover(super::recover::Args),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum As {
    /// What dhcpd 4.4 keeps after a restart at the clock of --now
    Dhcpd,
    /// What a person would want kept: records are atomic
    Careful,
    /// The last declaration of each address that dhcpd's parser accepts
    Text,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Protocol {
    /// DHCPv4
    V4,
    /// DHCPv6
    V6,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The lease file
    file: PathBuf,
    /// How to read it
    #[arg(long = "as", value_enum, default_value = "careful", value_name = "HOW")]
    view: As,
    /// The server's clock in seconds since 1970 (default: now)
    #[arg(long, value_name = "EPOCH", allow_negative_numbers = true)]
    now: Option<i64>,
    /// The server's dhcpd.conf: its ranges, prefixes, classes and failover peers. Without it every
    /// address counts as known
    #[arg(long, value_name = "DHCPD.CONF")]
    conf: Option<PathBuf>,
    /// The protocol (default: from the content)
    #[arg(long, value_enum)]
    family: Option<Protocol>,
    /// Print one JSON object: verdict, leases, ias
    #[arg(long)]
    json: bool,
}

/// Diagnostics shown at most; the rest are counted.
const SHOWN: usize = 100;

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        Command::Show(args) => show(args),
        Command::Recover(args) => super::recover::run(args),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::Input(format!("cannot read {}: {error}", path.display()))
}

fn show(args: &Show) -> Result<Exit, Failure> {
    let view = match args.view {
        As::Dhcpd => View::Dhcpd,
        As::Careful => View::Careful,
        As::Text => View::Text,
    };
    let clock = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    };
    let mut options = Options::new(view, args.now.unwrap_or_else(clock));
    options.threads = std::thread::available_parallelism().map_or(1, usize::from);
    options.family = args.family.map(|family| match family {
        Protocol::V4 => Family::V4,
        Protocol::V6 => Family::V6,
    });
    if let Some(path) = &args.conf {
        let text = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
        options.config = Some(Arc::new(Config::parse(&text)));
    }
    let reading =
        read_file(&args.file, &options).map_err(|error| unreadable(&args.file, &error))?;
    explain(&args.file, &reading);
    let mut out = BufWriter::new(io::stdout().lock());
    let written = if args.json { reading.write_json(&mut out) } else { table(&reading, &mut out) };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Environment(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(Exit::Held),
    }
}

fn explain(path: &Path, reading: &Reading) {
    let path = path.display();
    for diagnostic in reading.diagnostics.iter().take(SHOWN) {
        anstream::eprintln!("{path}:{diagnostic}");
    }
    let total = reading.diagnostics.total();
    if total > SHOWN as u64 {
        anstream::eprintln!("{path}: {} more problems", total - SHOWN as u64);
    }
}

fn time(date: Date) -> String {
    if date.is_absent() {
        return "-".to_owned();
    }
    if date.is_never() {
        return "never".to_owned();
    }
    jiff::Timestamp::from_second(date.0)
        .map_or_else(|_| date.0.to_string(), |time| time.to_string())
}

fn table(reading: &Reading, out: &mut impl Write) -> io::Result<()> {
    if matches!(reading.verdict, Verdict::Refuses | Verdict::RewriteFails) {
        return writeln!(out, "dhcpd {}", reading.verdict);
    }
    for lease in reading.leases() {
        let hardware =
            lease.hardware.map_or_else(|| "-".to_owned(), |hardware| hardware.to_string());
        let name = lease.hostname.unwrap_or_default().escape_ascii().to_string();
        let state: BindingState = lease.state;
        let (address, ends) = (lease.address.to_string(), time(lease.ends));
        writeln!(out, "{address:<15} {:<9} {ends:<20} {hardware} {name}", state.name())?;
    }
    for ia in reading.ias() {
        for held in &ia.addresses {
            let (address, ends) = (held.address.to_string(), time(held.ends));
            let state = held.state.name();
            writeln!(out, "{address:<39} /{:<3} {state:<9} {ends}", held.prefix_length)?;
        }
    }
    Ok(())
}
