//! `leaselab leases convert` and `compact`.

use std::io::{self, Write as _};
use std::path::PathBuf;

use lease_script::exchange::{Database, Format, Losses, dnsmasq, kea};

use super::super::{Exit, Failure};
use super::json;
use super::load::{Form, How, Protocol};
use crate::report;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The lease file
    file: PathBuf,
    /// The form to write
    #[arg(long, value_enum, value_name = "FORM")]
    to: Form,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Args)]
pub(super) struct Compact {
    /// The lease file
    file: PathBuf,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Args)]
struct Out {
    /// Where to write: the whole file or nothing (default: stdout). The input itself is replaced by a
    /// rename
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What Kea's configuration calls the subnet of the addresses
    #[arg(long, value_name = "N", default_value_t = 1)]
    subnet_id: u32,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    write(&args.file, &args.how, &args.out, Some(args.to.into()))
}

pub(super) fn compact(args: &Compact) -> Result<Exit, Failure> {
    write(&args.file, &args.how, &args.out, None)
}

fn write(
    file: &std::path::Path,
    how: &How,
    out: &Out,
    form: Option<Format>,
) -> Result<Exit, Failure> {
    report::check_writable(out.output.iter())?;
    let loaded = how.load(file)?;
    loaded.explain();
    let Some(database) = loaded.database() else {
        let path = file.display();
        return Err(Failure::Input(format!("{path}: dhcpd would keep nothing; try --as careful")));
    };
    let mut losses = Losses::default();
    let form = form.unwrap_or(loaded.format);
    let bytes = match form {
        Format::Dnsmasq => dnsmasq::write(&database, how.now(), &mut losses),
        Format::Json => {
            let mut bytes = Vec::new();
            json::write(Some(&database), None, &mut bytes)
                .map_err(|error| Failure::Environment(error.to_string()))?;
            on_blocks(&database, &mut losses);
            bytes
        }
        Format::Dhcpd => database.to_dhcpd(six(&database, how)?, &mut losses),
        Format::KeaCsv => {
            kea::write(&database, six(&database, how)?, out.subnet_id, how.now(), &mut losses)
        }
    };
    anstream::eprint!("{losses}");
    match &out.output {
        Some(path) => report::write_whole(path, &bytes)?,
        None => {
            let mut stdout = io::stdout().lock();
            match stdout.write_all(&bytes).and_then(|()| stdout.flush()) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    let message = format!("cannot write to stdout: {error}");
                    return Err(Failure::Environment(message));
                }
                _ => {}
            }
        }
    }
    Ok(Exit::Held)
}

/// The protocol of a form that has a file for each.
fn six(database: &Database, how: &How) -> Result<bool, Failure> {
    match (how.family, database.leases.is_empty(), database.bindings.is_empty()) {
        (Some(family), ..) => Ok(family == Protocol::V6),
        (None, false, false) => Err(Failure::Input(
            "both DHCPv4 and DHCPv6 leases, and this form has a file for each: say --family v4 or v6"
                .to_owned(),
        )),
        (None, _, no_six) => Ok(!no_six),
    }
}

fn on_blocks(database: &Database, losses: &mut Losses) {
    for lease in &database.leases {
        if lease.on_expiry.is_some() || lease.on_release.is_some() {
            losses.add(
                "the statements of its `on` blocks: JSON has no place for them",
                lease.address,
            );
        }
    }
    for binding in database.bindings.iter().filter(|binding| !binding.held.on.is_empty()) {
        let address = binding.held.address;
        losses.add("the statements of its `on` blocks: JSON has only their events", address);
    }
}
