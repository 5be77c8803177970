//! Writes the leases of a file again, in the same form or another.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use lease_formats::dhcpd::Family;
use lease_formats::exchange::{Database, Format, Losses, dnsmasq, kea};
use scenario::quantity;

use super::input_options::{InputOptions, Protocol};
use super::json_writer;
use super::loaded::Loaded;
use super::print::print;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report;
use crate::shown::Shown as _;

#[derive(Debug, clap::Args)]
pub(super) struct OutputOptions {
    /// File to write atomically; it can be the input file [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Accept that the new file lacks what its format cannot represent, and what could not be read
    #[arg(long)]
    lossy: bool,
    /// Subnet id from Kea's configuration, for addresses that do not have one yet
    #[arg(long, value_name = "N", default_value_t = 1)]
    subnet_id: u32,
}

/// Formats that can be written, by their names on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Target {
    /// ISC dhcpd's dhcpd.leases
    Dhcpd,
    /// dnsmasq's lease file
    Dnsmasq,
    /// Kea's memfile
    KeaCsv,
    /// A JSON object, which can represent everything
    Json,
}

impl Target {
    /// The format of a file, if it can be written.
    fn of(format: Format) -> Option<Self> {
        match format {
            Format::Dhcpd => Some(Self::Dhcpd),
            Format::Dnsmasq => Some(Self::Dnsmasq),
            Format::KeaCsv => Some(Self::KeaCsv),
            Format::Json => Some(Self::Json),
            Format::Odhcpd | Format::Bootpd | Format::Libvirt => None,
        }
    }
}

/// What a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The same format, with one record for each address.
    Compact,
    /// Another format, or the same one.
    Convert(Target),
}

/// Writes the leases of `file`.
///
/// # Errors
/// A file that cannot be read or written, or leases that do not fit into one file of the format.
pub(super) fn write(
    file: &Path,
    input: &InputOptions,
    out: &OutputOptions,
    purpose: Purpose,
) -> Result<Exit, CommandError> {
    report::check_writable(out.output.iter())?;
    let as_written = purpose == Purpose::Compact;
    let input = &InputOptions { as_written, ..input.clone() };
    let mut loaded = input.load(file)?;
    loaded.explain();
    let path = file.shown();
    let Some(mut database) = loaded.take_database() else {
        return Err(CommandError::Usage(format!(
            "{path}: dhcpd would keep no lease; try --as careful"
        )));
    };
    let target = match purpose {
        Purpose::Convert(target) => target,
        Purpose::Compact => Target::of(loaded.format).ok_or_else(|| {
            CommandError::Usage(format!(
                "{path}: {} can only be read: use `leaselab leases convert --to …`",
                loaded.format
            ))
        })?,
    };
    let replaced = out.output.as_ref().filter(|output| is_same(output, file));
    if replaced.is_some() && loaded.files > 1 {
        return Err(CommandError::Usage(format!(
            "{path}: not replaced: Kea reads it together with the files of a cleanup; write to another file"
        )));
    }
    // If a protocol was named, only its leases are wanted.
    match input.family {
        Some(Protocol::V4) => database.bindings.clear(),
        Some(Protocol::V6) => database.leases.clear(),
        None => {}
    }
    database.forget_other_fields();
    let mut losses = Losses::default();
    let bytes = render(&loaded, &database, target, purpose, input, out, &mut losses)?;
    err!("{losses}");
    if purpose == Purpose::Compact && losses.unwritten() > 0 {
        errln!("{path}: not compacted: leases would be missing");
        return Ok(Exit::Failed);
    }
    let mut lost = Vec::new();
    if loaded.left_out > 0 {
        lost.push(format!("{} left out", quantity(loaded.left_out, "part")));
    }
    if !losses.is_empty() {
        lost.push(format!("{} lost", quantity(losses.total(), "value")));
    }
    let lost = lost.join(" and ");
    let is_refused = !lost.is_empty() && !out.lossy;
    if is_refused && replaced.is_some() {
        errln!(
            "{path}: not replaced: {lost}; --lossy accepts that, and keeps the file as {path}.damaged"
        );
        return Ok(Exit::Failed);
    }
    if is_refused {
        errln!("{path}: {lost}; --lossy accepts that");
    }
    if let Some(path) = replaced
        && (loaded.lacks_text() || !losses.is_empty())
    {
        keep_damaged(path)?;
    }
    match &out.output {
        Some(path) => report::write_atomically(path, &bytes)?,
        None => print(|out| out.write_all(&bytes))?,
    }
    Ok(if is_refused { Exit::Failed } else { Exit::Passed })
}

/// The text of the new file.
fn render(
    loaded: &Loaded,
    database: &Database,
    target: Target,
    purpose: Purpose,
    input: &InputOptions,
    out: &OutputOptions,
    losses: &mut Losses,
) -> Result<Vec<u8>, CommandError> {
    // Unlike the start of a server, compacting keeps leases that have ended, unless a clock is given.
    let now = if purpose == Purpose::Compact { input.now.unwrap_or(0) } else { input.now() };
    Ok(match target {
        Target::Dnsmasq => dnsmasq::write(database, now, losses),
        Target::Json => {
            let mut bytes = Vec::new();
            json_writer::write(Some(database), None, None, &mut bytes)
                .map_err(|error| CommandError::Environment(error.to_string()))?;
            bytes
        }
        Target::Dhcpd => {
            if loaded.format != Format::Dhcpd {
                database.lost_far_dates(losses);
            }
            database.to_dhcpd(family(database, input)?, losses)
        }
        Target::KeaCsv => {
            kea::write(database, family(database, input)?, out.subnet_id, now, losses)
        }
    })
}

/// Whether both names refer to the same file.
fn is_same(a: &Path, b: &Path) -> bool {
    let key = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    key(a).is_some_and(|a| Some(a) == key(b))
}

/// Gives a file that holds more than the new one a second name before it is replaced.
fn keep_damaged(path: &Path) -> Result<(), CommandError> {
    let mut kept = path.as_os_str().to_owned();
    kept.push(".damaged");
    let kept = PathBuf::from(kept);
    fs::hard_link(path, &kept).map_err(|error| {
        CommandError::Usage(format!(
            "{}: not replaced, because parts of it are not in the new file and it cannot be kept as {}: {error}",
            path.shown(),
            kept.shown()
        ))
    })?;
    errln!("{}: the original was kept as {}", path.shown(), kept.shown());
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
