//! Opening a lease file of any form.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use lease_formats::dhcpd::{History, Options, read_bytes, read_opened};
use lease_formats::exchange::kea::{Memfile, Role, siblings, stem};
use lease_formats::exchange::{
    Database, Detected, Format, Read, bootpd, detect_format, dnsmasq, libvirt, odhcpd,
};
use lease_formats::read_json;

use super::input_options::{FormatChoice, InputOptions};
use super::json_reader::{self, JsonError};
use super::loaded::{Content, Loaded};
use super::open_file::{HEAD, OpenFile, unreadable};
use crate::error::CommandError;
use crate::shown::Shown as _;

/// Maximum number of bytes that are read from a pipe.
const LARGEST_PIPE: u64 = 256 << 20;

impl InputOptions {
    /// Opens a file, which can then be read more than once.
    pub(super) fn open(&self, path: &Path) -> Result<Opened, CommandError> {
        // Only a dhcpd.leases can be read in several ways, or with a configuration.
        let is_dhcpd = self.view.is_some() || self.conf.is_some();
        let implied = is_dhcpd.then_some(Format::Dhcpd);
        Opened::new(path, &WantedFormat { named: self.from.map(Format::from), implied })
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
        self.open(path)?.load(&options, self)
    }
}

/// An open lease database: every read sees the same files, even if their names have been replaced meanwhile.
pub(super) struct Opened {
    path: PathBuf,
    format: Format,
    source: Source,
}

enum Source {
    File(OpenFile),
    Pipe(Vec<u8>),
    /// The files of each memfile database, in Kea's order.
    Memfiles(Vec<Vec<OpenFile>>),
}

/// The format that the command line names, and the one for files that are not recognized.
struct WantedFormat {
    named: Option<Format>,
    implied: Option<Format>,
}

/// Magic numbers of compressed files, which would otherwise be read as databases without leases.
const PACKED: [(&[u8], &str); 4] = [
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
];

/// The names that stand for standard input.
const STDIN: &str = "-";

impl WantedFormat {
    /// The format of a file that begins with `head`.
    fn format(&self, path: &Path, head: &[u8]) -> Result<Format, CommandError> {
        if let Some(named) = self.named {
            return Ok(named);
        }
        let path = path.shown();
        if let Some((_, by)) = PACKED.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Err(CommandError::Usage(format!(
                "cannot read {path}: it is compressed with {by}: decompress it, or set its format with --from"
            )));
        }
        match (detect_format(head), self.implied) {
            (Detected::Known(format), _) | (Detected::Unknown(_), Some(format)) => Ok(format),
            (Detected::Unknown(what), None) => {
                let what = what.unwrap_or("not a known lease database");
                let formats: Vec<String> = FormatChoice::value_variants()
                    .iter()
                    .map(|choice| {
                        let name = choice.to_possible_value();
                        let name = name.as_ref().map_or("", |name| name.get_name());
                        format!("{name} ({})", Format::from(*choice))
                    })
                    .collect();
                Err(CommandError::Usage(format!(
                    "cannot read {path}: {what}; formats: {}; set one with --from",
                    formats.join(", ")
                )))
            }
        }
    }
}

/// The files of the memfile database to which the current file `current` belongs.
fn memfile(current: &Path) -> Result<Vec<OpenFile>, CommandError> {
    let folder = current.parent().unwrap_or(Path::new(""));
    let name = current.file_name().unwrap_or_default();
    let names = siblings(name, |name: &OsStr| folder.join(name).is_file());
    names.iter().map(|name| OpenFile::new(&folder.join(name))).collect()
}

/// The memfile databases in a folder.
fn memfiles_in(folder: &Path) -> Result<Vec<Vec<OpenFile>>, CommandError> {
    let fail = |error: &io::Error| unreadable(folder, error);
    let mut currents = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(|error| fail(&error))? {
        let path = entry.map_err(|error| fail(&error))?.path();
        let (current, role) = stem(path.file_name().unwrap_or_default());
        if role == Role::Output || !path.is_file() {
            continue;
        }
        let head = OpenFile::new(&path)?.head()?;
        if detect_format(&head) == Detected::Known(Format::KeaCsv) {
            currents.insert(folder.join(current));
        }
    }
    currents.iter().map(|current| memfile(current)).collect()
}

impl Opened {
    fn new(path: &Path, wanted: &WantedFormat) -> Result<Self, CommandError> {
        if path == Path::new(STDIN) {
            return Self::pipe(Path::new("standard input"), io::stdin().lock(), wanted);
        }
        let is_memfile = |format| format == Format::KeaCsv;
        if !path.exists() && wanted.named.is_none_or(is_memfile) {
            let files = memfile(path)?;
            if !files.is_empty() {
                let source = Source::Memfiles(vec![files]);
                return Ok(Self { path: path.to_owned(), format: Format::KeaCsv, source });
            }
        }
        if path.is_dir() && wanted.named.is_none_or(is_memfile) {
            let databases = memfiles_in(path)?;
            if !databases.is_empty() {
                let source = Source::Memfiles(databases);
                return Ok(Self { path: path.to_owned(), format: Format::KeaCsv, source });
            }
        }
        let fail = |error: &io::Error| unreadable(path, error);
        let file = OpenFile::new(path)?;
        let kind = file.file.metadata().map_err(|error| fail(&error))?.file_type();
        if kind.is_dir() || kind.is_block_device() {
            let what = if kind.is_dir() { "a folder without a memfile of Kea" } else { "a device" };
            return Err(CommandError::Usage(format!("cannot read {}: it is {what}", path.shown())));
        }
        if !kind.is_file() {
            return Self::pipe(path, file.file, wanted);
        }
        let format = wanted.format(path, &file.head()?)?;
        let source = match format {
            Format::KeaCsv => {
                let (_, role) = stem(path.file_name().unwrap_or_default());
                let files = if role == Role::Current { memfile(path)? } else { vec![file] };
                Source::Memfiles(vec![files])
            }
            _ => Source::File(file),
        };
        Ok(Self { path: path.to_owned(), format, source })
    }

    fn pipe(
        path: &Path,
        source: impl io::Read,
        wanted: &WantedFormat,
    ) -> Result<Self, CommandError> {
        let mut bytes = Vec::new();
        let read = source.take(LARGEST_PIPE + 1).read_to_end(&mut bytes);
        read.map_err(|error| unreadable(path, &error))?;
        if bytes.len() as u64 > LARGEST_PIPE {
            let path = path.shown();
            return Err(CommandError::Usage(format!(
                "cannot read {path}: more than 256 MiB from a pipe: write them to a file first"
            )));
        }
        let format = wanted.format(path, &bytes[..bytes.len().min(HEAD)])?;
        Ok(Self { path: path.to_owned(), format, source: Source::Pipe(bytes) })
    }

    /// Whether the file is a dhcpd.leases in the dialect of OpenBSD's dhcpd, which ends dates with a time zone and has no
    /// binding states (`write_lease` of its confpars.c).
    pub(super) fn is_of_openbsd(&self) -> Result<bool, CommandError> {
        let head = match &self.source {
            Source::File(file) => file.head()?,
            Source::Pipe(bytes) => bytes[..bytes.len().min(HEAD)].to_vec(),
            Source::Memfiles(_) => return Ok(false),
        };
        let has = |words: &[u8]| head.windows(words.len()).any(|window| window == words);
        Ok(self.format == Format::Dhcpd && has(b" UTC;") && !has(b"binding state "))
    }

    /// Reads the files from their beginning.
    pub(super) fn load(
        &self,
        options: &Options,
        input: &InputOptions,
    ) -> Result<Loaded, CommandError> {
        let fail = |error: &io::Error| unreadable(&self.path, error);
        match &self.source {
            Source::File(file) if self.format == Format::Dhcpd => {
                let reading = read_opened(&file.file, file.length, options);
                let reading = reading.map_err(|error| fail(&error))?;
                file.check_unchanged(true)?;
                Ok(Loaded::of_journal(&self.path, reading))
            }
            Source::File(file) => {
                let read = self.other(file.reader()?, input)?;
                file.check_unchanged(false)?;
                Ok(Loaded::new(self.format, &self.path, read))
            }
            Source::Pipe(bytes) if self.format == Format::Dhcpd => {
                Ok(Loaded::of_journal(&self.path, read_bytes(bytes, options)))
            }
            Source::Pipe(bytes) if self.format == Format::KeaCsv => {
                let mut loaded = Loaded::new(self.format, &self.path, Read::default());
                let mut memfile = Memfile::new(input.release(), options.history);
                let report = memfile.load(&bytes[..]).map_err(|error| fail(&error))?;
                loaded.add(&self.path, &report.read);
                loaded.add_rows(&self.path, report.history);
                loaded.content = Content::Other(memfile.database());
                Ok(loaded)
            }
            Source::Pipe(bytes) => {
                let read = self.other(&bytes[..], input)?;
                Ok(Loaded::new(self.format, &self.path, read))
            }
            Source::Memfiles(databases) => self.memfiles(databases, options, input),
        }
    }

    /// Reads the files of each memfile database.
    fn memfiles(
        &self,
        databases: &[Vec<OpenFile>],
        options: &Options,
        input: &InputOptions,
    ) -> Result<Loaded, CommandError> {
        let mut loaded = Loaded::new(self.format, &self.path, Read::default());
        let mut whole = Database::default();
        loaded.files = 0;
        for files in databases {
            let mut memfile = Memfile::new(input.release(), options.history);
            for file in files {
                let report =
                    memfile.load(file.reader()?).map_err(|error| unreadable(&file.path, &error))?;
                file.check_unchanged(true)?;
                loaded.add(&file.path, &report.read);
                loaded.add_rows(&file.path, report.history);
            }
            loaded.files += files.len();
            if files.len() > 1 {
                let names: Vec<String> = files.iter().map(|file| file.path.shown()).collect();
                loaded.add_note(format!(
                    "one database of {} files: {}",
                    names.len(),
                    names.join(", ")
                ));
            }
            whole.append(memfile.database());
        }
        loaded.content = Content::Other(whole);
        Ok(loaded)
    }

    /// Reads a file that is neither a dhcpd.leases nor a memfile.
    fn other(&self, source: impl BufRead, input: &InputOptions) -> Result<Read, CommandError> {
        let read = match self.format {
            Format::Dnsmasq => dnsmasq::read(source, input.times()),
            Format::Odhcpd => odhcpd::read(source),
            Format::Bootpd => bootpd::read(source),
            Format::Libvirt => libvirt::read(source),
            Format::Json | Format::Dhcpd | Format::KeaCsv => {
                let text = read_json(source).map_err(|error| unreadable(&self.path, &error))?;
                let path = self.path.shown();
                let database = json_reader::parse(&text).map_err(|error| {
                    CommandError::Usage(match error {
                        JsonError::Syntax(error) => {
                            format!("{path}:{}:{}: {error}", error.line(), error.column())
                        }
                        error => format!("{path}: {error}"),
                    })
                })?;
                Ok(Read { database, ..Read::default() })
            }
        };
        read.map_err(|error| unreadable(&self.path, &error))
    }
}
