//! `leaselab leases history`.

use std::net::IpAddr;
use std::path::PathBuf;

use lease_formats::dhcpd::{Date, Declared, History};

use super::clock;
use super::filter::written;
use super::load::{Content, InputOptions};
use super::print::print;
use super::show::safe;
use crate::error::CommandError;
use crate::exit::Exit;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The address
    address: IpAddr,
    /// Journals of dhcpd, the oldest first
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    input: InputOptions,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let mut lines = Vec::new();
    for file in &args.files {
        let loaded = args.input.load_with(file, Some(History::Of(args.address)))?;
        loaded.explain();
        let Content::Journal(reading) = &loaded.content else {
            return Err(CommandError::Usage(format!(
                "{}: only dhcpd.leases is a journal; use `show` for this file",
                file.display()
            )));
        };
        for declaration in &reading.history {
            let place = format!("{}:{}", file.display(), declaration.location.line);
            match &declaration.what {
                Declared::Lease(lease) => {
                    let hardware =
                        lease.hardware.as_ref().map_or("-".to_owned(), ToString::to_string);
                    lines.push(format!(
                        "{} {:<9} until {:<20} {hardware} {} {place}",
                        clock::shown(Date(written(lease))),
                        lease.state.name(),
                        clock::shown(lease.ends),
                        safe(lease.hostname.as_ref()),
                    ));
                }
                Declared::Ia(ia) => {
                    let held = ia.addresses.iter();
                    for held in held.filter(|held| IpAddr::V6(held.address) == args.address) {
                        lines.push(format!(
                            "{} {:<9} until {:<20} {} {place}",
                            clock::shown(ia.cltt),
                            held.state.name(),
                            clock::shown(held.ends),
                            safe(Some(&ia.duid().to_vec())),
                        ));
                    }
                }
                Declared::ServerDuid => {}
            }
        }
    }
    if lines.is_empty() {
        errln!("{}: no declaration", args.address);
        return Ok(Exit::Failed);
    }
    print(|out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))?;
    Ok(Exit::Passed)
}
