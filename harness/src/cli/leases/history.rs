//! `leaselab leases history`.

use std::path::PathBuf;

use dnsmasq_model::hex_text;
use lease_formats::dhcpd::{Date, Declared, History};

use super::clock;
use super::filter::{Selector, written};
use super::input_options::InputOptions;
use super::print::print;
use super::text::{prefixed, safe};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::shown::Shown as _;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An address, hardware address, DUID, client identifier or host name
    what: Selector,
    /// Journals of dhcpd or memfiles of Kea, the oldest first
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    input: InputOptions,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let mut lines = Vec::new();
    let history = match &args.what {
        Selector::Address(address) => History::Of(*address),
        Selector::Bytes(..) | Selector::Name(_) => History::All,
    };
    for file in &args.files {
        let loaded = args.input.load_with(file, Some(history))?;
        loaded.explain();
        let Some(declarations) = loaded.declarations() else {
            return Err(CommandError::Usage(format!(
                "{}: {} is not a journal; use `show` for this file",
                file.shown(),
                loaded.format
            )));
        };
        for entry in declarations {
            let place = format!("{}:{}", entry.path.shown(), entry.declaration.location.line);
            if let Declared::Lease(lease) = &entry.declaration.what
                && args.what.is_met_by_lease(lease)
            {
                let hardware = lease.hardware.as_ref().map_or("-".to_owned(), ToString::to_string);
                lines.push(format!(
                    "{} {:<15} {:<9} until {:<20} {hardware} {} {place}",
                    clock::shown(Date(written(lease))),
                    lease.address.to_string(),
                    lease.state.name(),
                    clock::shown(lease.ends),
                    safe(lease.hostname.as_ref()),
                ));
            }
            for binding in entry.bindings() {
                if args.what.is_met_by_binding(&binding) {
                    let name = binding.hostname.as_ref();
                    let name = name.map(|name| format!(" {}", safe(Some(name))));
                    lines.push(format!(
                        "{} {} {:<9} until {:<20} {}{} {place}",
                        clock::shown(binding.cltt),
                        prefixed(&binding),
                        binding.held.state.name(),
                        clock::shown(binding.held.ends),
                        hex_text(&binding.duid),
                        name.unwrap_or_default(),
                    ));
                }
            }
        }
    }
    if lines.is_empty() {
        errln!("no declaration of {}", safe(Some(&args.shown().into_bytes())));
        return Ok(Exit::Failed);
    }
    print(|out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))?;
    Ok(Exit::Passed)
}

impl Args {
    /// What was looked up, as it was written.
    fn shown(&self) -> String {
        match &self.what {
            Selector::Address(address) => address.to_string(),
            Selector::Bytes(_, text) | Selector::Name(text) => text.clone(),
        }
    }
}
