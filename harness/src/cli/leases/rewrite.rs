//! Writes the leases of a file again, in the same form or another.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use lease_formats::dhcpd::Family;
use lease_formats::exchange::{Database, Format, Losses, dnsmasq, kea};

use super::json;
use super::load::{InputOptions, Protocol};
use super::print::print;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report;

#[derive(Debug, clap::Args)]
pub(super) struct OutputOptions {
    /// File to write atomically; it can be the input file [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Subnet id of the addresses in Kea's configuration
    #[arg(long, value_name = "N", default_value_t = 1)]
    subnet_id: u32,
}

/// Writes the leases of `file` in `form`; without a form, in the format of the file with one record for each address.
///
/// # Errors
/// A file that cannot be read or written, or leases that do not fit into one file of the format.
pub(super) fn write(
    file: &Path,
    input: &InputOptions,
    out: &OutputOptions,
    form: Option<Format>,
) -> Result<Exit, CommandError> {
    report::check_writable(out.output.iter())?;
    let loaded = input.load(file)?;
    loaded.explain();
    let Some(database) = loaded.database() else {
        let path = file.display();
        return Err(CommandError::Usage(format!(
            "{path}: dhcpd would keep no lease; try --as careful"
        )));
    };
    let mut losses = Losses::default();
    let compacts = form.is_none();
    let form = form.unwrap_or(loaded.format);
    if form != Format::Dhcpd {
        database.only_dhcpd(&mut losses);
    }
    // Unlike the start of a server, compacting keeps leases that have ended, unless a clock is given.
    let now = if compacts { input.now.unwrap_or(0) } else { input.now() };
    let bytes = match form {
        Format::Dnsmasq => dnsmasq::write(&database, now, &mut losses),
        Format::Json => {
            let mut bytes = Vec::new();
            json::write(Some(&database), None, &mut bytes)
                .map_err(|error| CommandError::Environment(error.to_string()))?;
            on_blocks(&database, &mut losses);
            bytes
        }
        Format::Dhcpd => database.to_dhcpd(family(&database, input)?, &mut losses),
        Format::KeaCsv => {
            kea::write(&database, family(&database, input)?, out.subnet_id, now, &mut losses)
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

/// Whether both names refer to the same file.
fn is_same(a: &Path, b: &Path) -> bool {
    let key = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    key(a).is_some_and(|a| Some(a) == key(b))
}

/// Gives a file with unreadable parts a second name before it is replaced.
fn keep_damaged(path: &Path) -> Result<(), CommandError> {
    let mut kept = path.as_os_str().to_owned();
    kept.push(".damaged");
    let kept = PathBuf::from(kept);
    fs::hard_link(path, &kept).map_err(|error| {
        CommandError::Usage(format!(
            "{}: not replaced, because parts of it are unreadable and it cannot be kept as {}: {error}",
            path.display(),
            kept.display()
        ))
    })?;
    errln!("{}: the original was kept as {}", path.display(), kept.display());
    Ok(())
}

/// The protocol of a format that has a separate file for each.
fn family(database: &Database, input: &InputOptions) -> Result<Family, CommandError> {
    match input.family {
        Some(Protocol::V4) => return Ok(Family::V4),
        Some(Protocol::V6) => return Ok(Family::V6),
        None => {}
    }
    match (database.leases.is_empty(), database.bindings.is_empty()) {
        (false, false) => Err(CommandError::usage(
            "both DHCPv4 and DHCPv6 leases, but this format has a separate file for each: add --family v4 or v6",
        )),
        (_, true) => Ok(Family::V4),
        (true, false) => Ok(Family::V6),
    }
}

fn on_blocks(database: &Database, losses: &mut Losses) {
    for lease in &database.leases {
        if lease.on_expiry.is_some() || lease.on_release.is_some() {
            losses.add(
                "the statements of its `on` blocks, which JSON cannot represent",
                lease.address,
            );
        }
    }
    for binding in database.bindings.iter().filter(|binding| !binding.held.on.is_empty()) {
        let address = binding.held.address;
        losses.add(
            "the statements of its `on` blocks, of which JSON contains only the events",
            address,
        );
    }
}
