//! `leaselab dnsmasq`: what the releases of dnsmasq do differently.

use clap::Subcommand;

use crate::error::CommandError;
use crate::exit::Exit;
use dnsmasq_model::{Change, Release, changes_between};

/// The arguments of `leaselab dnsmasq`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print what changes for a lease script between two releases of dnsmasq
    List(ListArgs),
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Print only what changed after this release [default: everything, with what the oldest release does]
    #[arg(long, value_name = "RELEASE")]
    from: Option<Release>,
    /// Print only what changed up to this release
    #[arg(long, value_name = "RELEASE", default_value_t)]
    to: Release,
    /// Print a page of Markdown
    #[arg(long)]
    markdown: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let Command::List(args) = &args.command;
    if let Some(from) = args.from.filter(|from| *from > args.to) {
        let message = format!("--from {from} --to {}: expected the older release first", args.to);
        return Err(CommandError::Usage(message));
    }
    let changes = changes_between(args.from, args.to);
    if args.markdown {
        outln!("# Releases of dnsmasq");
        outln!("");
        outln!("What changed for a lease script from dnsmasq {} to {}.", Release::OLDEST, args.to);
        outln!("The rows of {} describe what the oldest release does.", Release::OLDEST);
        outln!("This page is made by `leaselab dnsmasq list --markdown`.");
        outln!("");
        outln!("| since | what dnsmasq does | function | what a lease script notices |");
        outln!("|---|---|---|---|");
        for Change { since, rule, function, effect, .. } in changes {
            outln!("| {since} | {rule} | {function} | {effect} |");
        }
        return Ok(Exit::Passed);
    }
    let mut nothing = true;
    for Change { since, rule, function, effect, .. } in changes {
        outln!("{since}  {rule}");
        outln!("      script: {effect}");
        outln!("      dnsmasq: {function}");
        nothing = false;
    }
    if nothing {
        outln!("nothing changed for a lease script");
    }
    Ok(Exit::Passed)
}
