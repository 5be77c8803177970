//! Opening a lease file of any form.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, FileTypeExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clap::ValueEnum;
use lease_formats::dhcpd::{
    Config, Consequence, Family, History, Options, Reading, Verdict, View, read_bytes, read_opened,
};
use lease_formats::exchange::{Database, Format, Losses, detect_format, dnsmasq, kea};

use super::{clock, json};
use crate::error::CommandError;

/// Which records of a dhcpd.leases count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ViewChoice {
    /// What dhcpd 4.4 keeps after a restart at the clock of --now
    Dhcpd,
    /// Every complete record: what can be salvaged
    #[value(name = "careful")]
    Salvage,
    /// The last declaration of each address that dhcpd's parser accepts
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Protocol {
    /// DHCPv4
    V4,
    /// DHCPv6
    V6,
}

/// Formats, by their names on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatChoice {
    /// ISC dhcpd's dhcpd.leases
    Dhcpd,
    /// dnsmasq's lease file
    Dnsmasq,
    /// Kea's memfile
    KeaCsv,
    /// The JSON object that `convert --to json` and `show --json` write
    Json,
}

impl From<FormatChoice> for Format {
    fn from(form: FormatChoice) -> Self {
        match form {
            FormatChoice::Dhcpd => Self::Dhcpd,
            FormatChoice::Dnsmasq => Self::Dnsmasq,
            FormatChoice::KeaCsv => Self::KeaCsv,
            FormatChoice::Json => Self::Json,
        }
    }
}

/// How to read a lease file, for all commands.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct InputOptions {
    /// How to read a dhcpd.leases
    #[arg(long = "as", value_enum, default_value = "careful", value_name = "HOW")]
    pub(super) view: ViewChoice,
    /// The server's clock in seconds since 1970 [default: now]
    #[arg(long, value_name = "EPOCH", allow_negative_numbers = true)]
    pub(super) now: Option<i64>,
    /// The server's dhcpd.conf, for its ranges, prefixes, classes and failover peers. Without it every
    /// address is assumed to be configured
    #[arg(long, value_name = "DHCPD.CONF")]
    pub(super) conf: Option<PathBuf>,
    /// The protocol [default: detected from the content]
    #[arg(long, value_enum)]
    pub(super) family: Option<Protocol>,
    /// The format of the file [default: detected from the content]
    #[arg(long, value_enum, value_name = "FORM")]
    pub(super) from: Option<FormatChoice>,
    /// Read the times in a dnsmasq lease file as lengths that begin at --now, as its build with HAVE_BROKEN_RTC writes them
    #[arg(long)]
    pub(super) lengths: bool,
}

/// A lease file that was read.
pub(super) struct Loaded {
    pub(super) path: PathBuf,
    pub(super) format: Format,
    pub(super) content: Content,
    /// The first problems, each with its place.
    pub(super) problems: Vec<String>,
    /// The number of all problems.
    pub(super) total: u64,
    /// Whether a problem causes the loss of a lease.
    pub(super) loses: bool,
    pub(super) losses: Losses,
}

pub(super) enum Content {
    Journal(Box<Reading>),
    Other(Database),
}

/// Maximum number of problems that are listed; the rest are counted.
const MAX_LISTED: usize = 100;

impl InputOptions {
    pub(super) fn now(&self) -> i64 {
        self.now.unwrap_or_else(clock::now)
    }

    pub(super) fn options(&self) -> Result<Options, CommandError> {
        let view = match self.view {
            ViewChoice::Dhcpd => View::Dhcpd,
            ViewChoice::Salvage => View::Salvage,
            ViewChoice::Text => View::Text,
        };
        let mut options = Options::new(view, self.now());
        options.threads = std::thread::available_parallelism().map_or(1, usize::from);
        options.family = self.family.map(|family| match family {
            Protocol::V4 => Family::V4,
            Protocol::V6 => Family::V6,
        });
        if let Some(path) = &self.conf {
            let config = Config::read(path).map_err(|error| unreadable(path, &error))?;
            options.config = Some(Arc::new(config));
        }
        Ok(options)
    }

    /// Opens a file, which can then be read more than once.
    pub(super) fn open(&self, path: &Path) -> Result<Opened, CommandError> {
        Opened::new(path, self.from.map(Format::from))
    }

    pub(super) fn load(&self, path: &Path) -> Result<Loaded, CommandError> {
        self.load_with(path, None)
    }

    /// Loads a file with the declarations of a journal that `history` selects.
    pub(super) fn load_with(
        &self,
        path: &Path,
        history: Option<History>,
    ) -> Result<Loaded, CommandError> {
        let mut options = self.options()?;
        options.history = history;
        self.open(path)?.load(&options, self.lengths)
    }
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> CommandError {
    CommandError::Usage(format!("cannot read {}: {error}", path.display()))
}

/// Maximum number of bytes that are read from a pipe.
const LARGEST_PIPE: u64 = 1 << 30;
/// Bytes from which the format is detected.
const HEAD: usize = 4096;

/// An open lease file: every read sees the same file, even if its name has been replaced meanwhile.
pub(super) struct Opened {
    path: PathBuf,
    format: Format,
    source: Source,
}

enum Source {
    /// A file, with its length and modification time when it was opened.
    File(File, u64, Option<SystemTime>),
    Pipe(Vec<u8>),
}

/// Magic numbers of compressed files, which would otherwise be read as databases without leases.
const PACKED: [(&[u8], &str); 4] = [
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
];

/// The format that was named, or the one detected from the content.
fn form_of(path: &Path, head: &[u8], named: Option<Format>) -> Result<Format, CommandError> {
    let packed = PACKED.iter().find(|(magic, _)| named.is_none() && head.starts_with(magic));
    match packed {
        Some((_, by)) => Err(CommandError::Usage(format!(
            "cannot read {}: it is compressed with {by}: decompress it, or set its format with --from",
            path.display()
        ))),
        None => Ok(named.unwrap_or_else(|| detect_format(head))),
    }
}

impl Opened {
    fn new(path: &Path, form: Option<Format>) -> Result<Self, CommandError> {
        let fail = |error: &io::Error| unreadable(path, error);
        let file = File::open(path).map_err(|error| fail(&error))?;
        let metadata = file.metadata().map_err(|error| fail(&error))?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            return Err(CommandError::Usage(format!(
                "cannot read {}: it is a folder",
                path.display()
            )));
        }
        if kind.is_block_device() {
            return Err(CommandError::Usage(format!(
                "cannot read {}: it is a device",
                path.display()
            )));
        }
        let path = path.to_owned();
        if kind.is_file() {
            let mut head = vec![0; HEAD];
            let length = file.read_at(&mut head, 0).map_err(|error| unreadable(&path, &error))?;
            let format = form_of(&path, &head[..length], form)?;
            let source = Source::File(file, metadata.len(), metadata.modified().ok());
            return Ok(Self { path, format, source });
        }
        let mut bytes = Vec::new();
        let read = file.take(LARGEST_PIPE + 1).read_to_end(&mut bytes);
        read.map_err(|error| unreadable(&path, &error))?;
        if bytes.len() as u64 > LARGEST_PIPE {
            let path = path.display();
            return Err(CommandError::Usage(format!(
                "cannot read {path}: more than 1 GiB from a pipe"
            )));
        }
        let format = form_of(&path, &bytes[..bytes.len().min(HEAD)], form)?;
        Ok(Self { path, format, source: Source::Pipe(bytes) })
    }

    /// Reads the file from its beginning.
    pub(super) fn load(&self, options: &Options, lengths: bool) -> Result<Loaded, CommandError> {
        let fail = |error: &io::Error| unreadable(&self.path, error);
        let (path, format) = (&self.path, self.format);
        match &self.source {
            Source::File(file, length, _) => {
                let loaded = if format == Format::Dhcpd {
                    let reading = read_opened(file, *length, options);
                    journal(path, reading.map_err(|error| fail(&error))?)
                } else {
                    let mut file = file;
                    file.seek(SeekFrom::Start(0)).map_err(|error| fail(&error))?;
                    other(path, format, BufReader::new(file.take(*length)), options, lengths)?
                };
                self.unchanged()?;
                Ok(loaded)
            }
            Source::Pipe(bytes) if format == Format::Dhcpd => {
                Ok(journal(path, read_bytes(bytes, options)))
            }
            Source::Pipe(bytes) => other(path, format, &bytes[..], options, lengths),
        }
    }

    /// Checks that the file was not overwritten while it was read. A journal may have grown.
    fn unchanged(&self) -> Result<(), CommandError> {
        let Source::File(file, length, modified) = &self.source else { return Ok(()) };
        let now = file.metadata().map_err(|error| unreadable(&self.path, &error))?;
        let grown = self.format == Format::Dhcpd && now.len() > *length;
        if now.len() < *length || (now.modified().ok() != *modified && !grown) {
            let path = self.path.display();
            return Err(CommandError::Usage(format!(
                "{path} was overwritten while it was read: try again, or read a copy"
            )));
        }
        Ok(())
    }
}

fn journal(path: &Path, reading: Reading) -> Loaded {
    Loaded {
        path: path.to_owned(),
        format: Format::Dhcpd,
        problems: reading.diagnostics.iter().take(MAX_LISTED).map(ToString::to_string).collect(),
        total: reading.diagnostics.total(),
        loses: false,
        losses: Losses::default(),
        content: Content::Journal(Box::new(reading)),
    }
}

fn other(
    path: &Path,
    format: Format,
    mut source: impl BufRead,
    options: &Options,
    lengths: bool,
) -> Result<Loaded, CommandError> {
    let fail = |error: &io::Error| unreadable(path, error);
    let (database, problems, losses) = match format {
        Format::Dnsmasq => {
            let read = dnsmasq::read(source, lengths.then_some(options.now));
            let read = read.map_err(|error| fail(&error))?;
            (read.database, read.problems, read.losses)
        }
        Format::KeaCsv => {
            let read = kea::read(source).map_err(|error| fail(&error))?;
            (read.database, read.problems, read.losses)
        }
        Format::Json | Format::Dhcpd => {
            let mut text = Vec::new();
            source.read_to_end(&mut text).map_err(|error| fail(&error))?;
            let database = json::parse(&text)
                .map_err(|why| CommandError::Usage(format!("{}:{why}", path.display())))?;
            (database, Vec::new(), Losses::default())
        }
    };
    Ok(Loaded {
        path: path.to_owned(),
        format,
        content: Content::Other(database),
        total: problems.len() as u64,
        loses: problems.iter().any(|problem| problem.loses),
        problems: problems.iter().take(MAX_LISTED).map(ToString::to_string).collect(),
        losses,
    })
}

impl Loaded {
    /// Prints the problems on stderr.
    pub(super) fn explain(&self) {
        let path = self.path.display();
        for problem in &self.problems {
            errln!("{path}:{problem}");
        }
        if self.total > self.problems.len() as u64 {
            errln!("{path}: {} more problems", self.total - self.problems.len() as u64);
        }
        err!("{}", self.losses);
    }

    /// Whether the content lacks a record of the file.
    pub(super) fn leaves_out(&self) -> bool {
        match &self.content {
            Content::Other(_) => self.loses,
            Content::Journal(reading) => reading.diagnostics.iter().any(|problem| {
                !matches!(problem.consequence, Consequence::Nothing | Consequence::ValueChanged)
            }),
        }
    }

    /// The leases of any format; `None` where the real dhcpd would keep no lease at all.
    pub(super) fn database(&self) -> Option<Database> {
        match &self.content {
            Content::Other(database) => Some(database.clone()),
            Content::Journal(reading)
                if matches!(reading.verdict, Verdict::Refuses | Verdict::RewriteFails)
                    && reading.view == View::Dhcpd =>
            {
                None
            }
            Content::Journal(reading) => Some(Database::from_dhcpd(reading)),
        }
    }
}
