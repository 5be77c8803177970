//! `leaselab trace import`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::error::CommandError;
use crate::exit::Exit;
use crate::shown::Shown as _;
use scenario::quantity;
use trace::import::{AddressPolicy, Anonymiser, Imported, Log, LogGaps, write};

/// Length of a random key, in bytes.
const KEY_BYTES: usize = 32;

/// Maximum size of a key file in bytes.
const MAX_KEY_BYTES: u64 = 1 << 20;

/// The arguments of `leaselab trace import`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Logs that lease-script/record.sh wrote on a router: /tmp/dnsmasq-record/log.0 and log.1
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Folder to create [default: the name of the first file with `.trace`, in this folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace hardware addresses, client-ids, DUIDs and names by pseudonyms of the same length
    #[arg(long)]
    anonymise: bool,
    /// Replace IP addresses too
    #[arg(long, requires = "anonymise")]
    addresses: bool,
    /// File with the secret from which pseudonyms are derived: the same secret gives the same pseudonyms
    /// [default: a random secret that is not kept]
    #[arg(long, value_name = "FILE", requires = "anonymise")]
    key_file: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let key = args.anonymise.then(|| key(args.key_file.as_deref())).transpose()?;
    let mut log = Log::read(&args.files).map_err(CommandError::usage)?;
    let out = args.out.clone().unwrap_or_else(|| default_out(&args.files[0]));
    if let Some(key) = key {
        let addresses = if args.addresses { AddressPolicy::Replace } else { AddressPolicy::Keep };
        Anonymiser::new(&key, addresses).anonymise(&mut log);
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    backend::new_temporary_file(folder).map_err(|error| CommandError::file(&out, error))?;
    let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let imported = write(&log, &name, &out).map_err(CommandError::usage)?;
    print_summary(&log, &imported, &out);
    Ok(Exit::Passed)
}

fn default_out(file: &Path) -> PathBuf {
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push(".trace");
    name.into()
}

fn key(file: Option<&Path>) -> Result<Vec<u8>, CommandError> {
    let Some(file) = file else {
        let mut key = vec![0; KEY_BYTES];
        std::fs::File::open("/dev/urandom")
            .and_then(|mut random| random.read_exact(&mut key))
            .map_err(|error| CommandError::Environment(format!("/dev/urandom: {error}")))?;
        return Ok(key);
    };
    let refuse = |why: String| CommandError::Usage(format!("--key-file {}: {why}", file.shown()));
    let key =
        backend::read_bounded(file, MAX_KEY_BYTES).map_err(|error| refuse(error.to_string()))?;
    if key.trim_ascii().is_empty() {
        return Err(refuse("the file is empty, so the pseudonyms could be reversed".to_owned()));
    }
    Ok(key)
}

fn print_summary(log: &Log, imported: &Imported, out: &Path) {
    let Imported { build, by_action, seconds, reboots } = imported;
    let actions: Vec<String> =
        by_action.iter().map(|(action, count)| format!("{count} {action}")).collect();
    outln!(
        "{}: {} in {:.1} hours ({}), dnsmasq's build: {build}",
        out.shown(),
        quantity(log.calls.len(), "call"),
        seconds / 3600.0,
        actions.join(", ")
    );
    let LogGaps { torn, large, missing } = log.gaps;
    if torn > 0 {
        outln!("  {} left out: incomplete in the log", quantity(torn, "call"));
    }
    if large > 0 {
        outln!("  {} left out: too large for the log", quantity(large, "call"));
    }
    if missing > 0 {
        let missing = quantity(missing, "call");
        outln!("  {missing} missing in between: RECORD_MAX limits the size of the log");
    }
    if *reboots > 0 {
        outln!("  the router was rebooted {}", quantity(*reboots, "time"));
    }
    if log.calls.first().is_none_or(|call| call.argv.get(1).is_none_or(|word| word != b"init")) {
        outln!(
            "  the recording does not begin with `init`, so the leases stored before it are unknown"
        );
    }
    outln!("  next: leaselab trace replay {0}; leaselab wear --trace {0}", out.shown());
}
