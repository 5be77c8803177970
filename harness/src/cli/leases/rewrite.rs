//! Writes the leases of a file again, in the same form or another.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use lease_formats::dhcpd::Family;
use lease_formats::exchange::{Database, Format, Losses, dnsmasq, kea};

use super::json;
use super::load::{How, Protocol};
use super::print::print;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report;

#[derive(Debug, clap::Args)]
pub(super) struct Out {
    /// File to write, whole or not at all; the input itself is replaced by a rename [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Subnet id of the addresses in Kea's configuration
    #[arg(long, value_name = "N", default_value_t = 1)]
    subnet_id: u32,
}

/// Writes the leases of `file` in `form`; without a form, in its own with one record for each address.
///
/// # Errors
/// A file that cannot be read or written, or leases that the form cannot hold together.
pub(super) fn write(
    file: &Path,
    how: &How,
    out: &Out,
    form: Option<Format>,
) -> Result<Exit, CommandError> {
    report::check_writable(out.output.iter())?;
    let loaded = how.load(file)?;
    loaded.explain();
    let Some(database) = loaded.database() else {
        let path = file.display();
        return Err(CommandError::Usage(format!(
            "{path}: dhcpd would keep nothing; try --as careful"
        )));
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
                .map_err(|error| CommandError::Environment(error.to_string()))?;
            on_blocks(&database, &mut losses);
            bytes
        }
        Format::Dhcpd => database.to_dhcpd(family(&database, how)?, &mut losses),
        Format::KeaCsv => {
            kea::write(&database, family(&database, how)?, out.subnet_id, now, &mut losses)
        }
    };
    err!("{losses}");
    if compacts && losses.unwritten() > 0 {
        errln!("{}: not compacted: leases would be missing", file.display());
        return Ok(Exit::Failed);
    }
    if let Some(path) = out.output.as_ref().filter(|path| is_same(path, file))
        && loaded.leaves_out()
    {
        keep_damaged(path)?;
    }
    match &out.output {
        Some(path) => report::write_atomically(path, &bytes)?,
        None => print(|out| out.write_all(&bytes))?,
    }
    Ok(Exit::Passed)
}

/// True for one file under both names.
fn is_same(a: &Path, b: &Path) -> bool {
    let key = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    key(a).is_some_and(|a| Some(a) == key(b))
}

/// Gives a file that was not understood whole a second name before it is replaced.
fn keep_damaged(path: &Path) -> Result<(), CommandError> {
    let mut kept = path.as_os_str().to_owned();
    kept.push(".damaged");
    let kept = PathBuf::from(kept);
    fs::hard_link(path, &kept).map_err(|error| {
        CommandError::Usage(format!(
            "{}: not replaced, since not all of it was understood and it cannot be kept as {}: {error}",
            path.display(),
            kept.display()
        ))
    })?;
    errln!("{}: as it was: kept as {}", path.display(), kept.display());
    Ok(())
}

/// The protocol of a form that has a file for each.
fn family(database: &Database, how: &How) -> Result<Family, CommandError> {
    match how.family {
        Some(Protocol::V4) => return Ok(Family::V4),
        Some(Protocol::V6) => return Ok(Family::V6),
        None => {}
    }
    match (database.leases.is_empty(), database.bindings.is_empty()) {
        (false, false) => Err(CommandError::usage(
            "both DHCPv4 and DHCPv6 leases, and this form has a file for each: add --family v4 or v6",
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
