//! `leaselab leases convert` and `compact`.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use lease_formats::dhcpd::Family;
use lease_formats::exchange::{Database, Format, Losses, dnsmasq, kea};

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

fn write(file: &Path, how: &How, out: &Out, form: Option<Format>) -> Result<Exit, Failure> {
    report::check_writable(out.output.iter())?;
    let loaded = how.load(file)?;
    loaded.explain();
    let Some(database) = loaded.database() else {
        let path = file.display();
        return Err(Failure::Input(format!("{path}: dhcpd would keep nothing; try --as careful")));
    };
    let mut losses = Losses::default();
    let compacts = form.is_none();
    let form = form.unwrap_or(loaded.format);
    if form != Format::Dhcpd {
        database.only_dhcpd(&mut losses);
    }
    // Compacting is no server's start: what has ended stays, unless a clock is given.
    let now = if compacts { how.now.unwrap_or(0) } else { how.now() };
    let bytes = match form {
        Format::Dnsmasq => dnsmasq::write(&database, now, &mut losses),
        Format::Json => {
            let mut bytes = Vec::new();
            json::write(Some(&database), None, &mut bytes)
                .map_err(|error| Failure::Environment(error.to_string()))?;
            on_blocks(&database, &mut losses);
            bytes
        }
        Format::Dhcpd => database.to_dhcpd(family(&database, how)?, &mut losses),
        Format::KeaCsv => {
            kea::write(&database, family(&database, how)?, out.subnet_id, now, &mut losses)
        }
    };
    anstream::eprint!("{losses}");
    if compacts && losses.unwritten() > 0 {
        anstream::eprintln!("{}: not compacted: leases would be missing", file.display());
        return Ok(Exit::Failed);
    }
    if let Some(path) = out.output.as_ref().filter(|path| is_same(path, file))
        && loaded.leaves_out()
    {
        keep_damaged(path)?;
    }
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

/// True for one file under both names.
fn is_same(a: &Path, b: &Path) -> bool {
    let key = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    key(a).is_some_and(|a| Some(a) == key(b))
}

/// Gives a file that was not understood whole a second name before it is replaced.
fn keep_damaged(path: &Path) -> Result<(), Failure> {
    let mut kept = path.as_os_str().to_owned();
    kept.push(".damaged");
    let kept = PathBuf::from(kept);
    fs::hard_link(path, &kept).map_err(|error| {
        Failure::Input(format!(
            "{}: not replaced, since not all of it was understood and it cannot be kept as {}: {error}",
            path.display(),
            kept.display()
        ))
    })?;
    anstream::eprintln!("{}: as it was: kept as {}", path.display(), kept.display());
    Ok(())
}

/// The protocol of a form that has a file for each.
fn family(database: &Database, how: &How) -> Result<Family, Failure> {
    if let Some(protocol) = how.family {
        return Ok(match protocol {
            Protocol::V4 => Family::V4,
            Protocol::V6 => Family::V6,
        });
    }
    match (database.leases.is_empty(), database.bindings.is_empty()) {
        (false, false) => Err(Failure::Input(
            "both DHCPv4 and DHCPv6 leases, and this form has a file for each: say --family v4 or v6"
                .to_owned(),
        )),
        (_, true) => Ok(Family::V4),
        (true, false) => Ok(Family::V6),
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
