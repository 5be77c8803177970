//! Opening a lease file of any form.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, FileTypeExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clap::ValueEnum;
use lease_formats::dhcpd::{
    Config, Consequence, Declaration, Declared, Family, History, Options, Reading, Verdict, View,
    read_bytes, read_opened,
};
use lease_formats::exchange::dnsmasq::Times;
use lease_formats::exchange::kea::{self, Memfile, Release, Role, siblings, stem};
use lease_formats::exchange::{
    Binding, Database, Detected, Field, Format, Read, bootpd, detect_format, dnsmasq, libvirt,
    odhcpd,
};
use lease_formats::read_json;

use super::{clock, json};
use crate::error::CommandError;
use crate::shown::Shown as _;

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
    /// The state file of OpenWrt's odhcpd
    Odhcpd,
    /// The leases of bootpd of macOS, /var/db/dhcpd_leases
    Bootpd,
    /// The status file of a virtual network of libvirt
    Libvirt,
}

/// Releases of Kea, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KeaRelease {
    /// Kea 2.2, as in Debian 12
    #[value(name = "2.2")]
    V2_2,
    /// Kea 3.0
    #[value(name = "3.0")]
    V3_0,
}

impl From<FormatChoice> for Format {
    fn from(form: FormatChoice) -> Self {
        match form {
            FormatChoice::Dhcpd => Self::Dhcpd,
            FormatChoice::Dnsmasq => Self::Dnsmasq,
            FormatChoice::KeaCsv => Self::KeaCsv,
            FormatChoice::Json => Self::Json,
            FormatChoice::Odhcpd => Self::Odhcpd,
            FormatChoice::Bootpd => Self::Bootpd,
            FormatChoice::Libvirt => Self::Libvirt,
        }
    }
}

/// How to read a lease file, for all commands.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct InputOptions {
    /// How to read a dhcpd.leases [default: careful]
    #[arg(long = "as", value_enum, value_name = "HOW")]
    pub(super) view: Option<ViewChoice>,
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
    /// The release of Kea that decides which rows are valid
    #[arg(long, value_enum, value_name = "RELEASE", default_value = "3.0")]
    pub(super) kea_release: KeaRelease,
    /// Times in a dnsmasq lease file stay as they are, even if they are lengths.
    #[arg(skip)]
    pub(super) as_written: bool,
}

/// A lease database that was read.
pub(super) struct Loaded {
    pub(super) format: Format,
    pub(super) content: Content,
    /// The first problems, each with its file and place.
    pub(super) problems: Vec<String>,
    /// The number of all problems.
    pub(super) total: u64,
    /// The number of records and parts of records that could not be read.
    pub(super) left_out: u64,
    /// Remarks about a file as a whole.
    notes: Vec<String>,
    /// The file of a dhcpd.leases, or of the declarations of a memfile.
    path: PathBuf,
    /// The rows of a memfile, with their files, if history was asked for.
    rows: Vec<(PathBuf, kea::Record)>,
    /// The number of files that belong to the database.
    pub(super) files: usize,
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
            Some(ViewChoice::Dhcpd) => View::Dhcpd,
            Some(ViewChoice::Salvage) | None => View::Salvage,
            Some(ViewChoice::Text) => View::Text,
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
        // Only a dhcpd.leases can be read in several ways, or with a configuration.
        let is_dhcpd = self.view.is_some() || self.conf.is_some();
        let implied = is_dhcpd.then_some(Format::Dhcpd);
        Opened::new(path, &Wanted { named: self.from.map(Format::from), implied })
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

    /// The meaning of the times in a dnsmasq lease file.
    fn times(&self) -> Times {
        match (self.lengths, self.as_written) {
            (true, _) => Times::Lengths(self.now()),
            (false, true) => Times::Absolute,
            (false, false) => Times::Detect(self.now()),
        }
    }

    fn release(&self) -> Release {
        match self.kea_release {
            KeaRelease::V2_2 => Release::V2_2,
            KeaRelease::V3_0 => Release::V3_0,
        }
    }
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> CommandError {
    CommandError::Usage(format!("cannot read {}: {error}", path.shown()))
}

/// Maximum number of bytes that are read from a pipe.
const LARGEST_PIPE: u64 = 256 << 20;
/// Bytes from which the format is detected.
const HEAD: usize = 64 * 1024;

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

/// A file, with its length and modification time when it was opened.
struct OpenFile {
    path: PathBuf,
    file: File,
    length: u64,
    modified: Option<SystemTime>,
}

/// The format that the command line names, and the one for files that are not recognized.
struct Wanted {
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

impl Wanted {
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

impl OpenFile {
    fn new(path: &Path) -> Result<Self, CommandError> {
        let fail = |error: &io::Error| unreadable(path, error);
        let file = File::open(path).map_err(|error| fail(&error))?;
        let metadata = file.metadata().map_err(|error| fail(&error))?;
        let (length, modified) = (metadata.len(), metadata.modified().ok());
        Ok(Self { path: path.to_owned(), file, length, modified })
    }

    fn head(&self) -> Result<Vec<u8>, CommandError> {
        let mut head = vec![0; HEAD];
        let length =
            self.file.read_at(&mut head, 0).map_err(|error| unreadable(&self.path, &error))?;
        head.truncate(length);
        Ok(head)
    }

    /// The bytes that the file had when it was opened.
    fn reader(&self) -> Result<impl BufRead + '_, CommandError> {
        const BUFFER: usize = 256 * 1024;
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0)).map_err(|error| unreadable(&self.path, &error))?;
        Ok(BufReader::with_capacity(BUFFER, file.take(self.length)))
    }

    /// Checks that the file was not overwritten while it was read. A journal may have grown.
    fn unchanged(&self, is_journal: bool) -> Result<(), CommandError> {
        let now = self.file.metadata().map_err(|error| unreadable(&self.path, &error))?;
        let grown = is_journal && now.len() > self.length;
        if now.len() < self.length || (now.modified().ok() != self.modified && !grown) {
            let path = self.path.shown();
            return Err(CommandError::Usage(format!(
                "{path} was overwritten while it was read: try again, or read a copy"
            )));
        }
        Ok(())
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
    fn new(path: &Path, wanted: &Wanted) -> Result<Self, CommandError> {
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

    fn pipe(path: &Path, source: impl io::Read, wanted: &Wanted) -> Result<Self, CommandError> {
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
                file.unchanged(true)?;
                Ok(self.journal(reading))
            }
            Source::File(file) => {
                let read = self.other(file.reader()?, input)?;
                file.unchanged(false)?;
                Ok(self.loaded(read))
            }
            Source::Pipe(bytes) if self.format == Format::Dhcpd => {
                Ok(self.journal(read_bytes(bytes, options)))
            }
            Source::Pipe(bytes) if self.format == Format::KeaCsv => {
                let mut loaded = self.loaded(Read::default());
                let mut memfile = Memfile::new(input.release(), options.history);
                let report = memfile.load(&bytes[..]).map_err(|error| fail(&error))?;
                loaded.add(&self.path, &report.read);
                loaded.rows = with_path(&self.path, report.history);
                loaded.content = Content::Other(memfile.database());
                Ok(loaded)
            }
            Source::Pipe(bytes) => {
                let read = self.other(&bytes[..], input)?;
                Ok(self.loaded(read))
            }
            Source::Memfiles(databases) => self.memfiles(databases, options, input),
        }
    }

    fn memfiles(
        &self,
        databases: &[Vec<OpenFile>],
        options: &Options,
        input: &InputOptions,
    ) -> Result<Loaded, CommandError> {
        let mut loaded = self.loaded(Read::default());
        let mut whole = Database::default();
        loaded.files = 0;
        for files in databases {
            let mut memfile = Memfile::new(input.release(), options.history);
            for file in files {
                let report =
                    memfile.load(file.reader()?).map_err(|error| unreadable(&file.path, &error))?;
                file.unchanged(true)?;
                loaded.add(&file.path, &report.read);
                loaded.rows.extend(with_path(&file.path, report.history));
            }
            loaded.files += files.len();
            if files.len() > 1 {
                let names: Vec<String> = files.iter().map(|file| file.path.shown()).collect();
                loaded.notes.push(format!(
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

    fn journal(&self, reading: Reading) -> Loaded {
        let mut loaded = self.loaded(Read::default());
        let problems = reading.diagnostics.iter().take(MAX_LISTED);
        loaded.problems =
            problems.map(|problem| format!("{}:{problem}", self.path.shown())).collect();
        loaded.total = reading.diagnostics.total();
        loaded.left_out = reading.left_out();
        loaded.content = Content::Journal(Box::new(reading));
        loaded
    }

    fn loaded(&self, read: Read) -> Loaded {
        let mut loaded = Loaded {
            format: self.format,
            content: Content::Other(Database::default()),
            problems: Vec::new(),
            total: 0,
            left_out: 0,
            notes: Vec::new(),
            path: self.path.clone(),
            rows: Vec::new(),
            files: 1,
        };
        loaded.add(&self.path, &read);
        (loaded.notes, loaded.content) = (read.notes, Content::Other(read.database));
        loaded
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
                let database = json::parse(&text)
                    .map_err(|why| CommandError::Usage(format!("{}:{why}", self.path.shown())))?;
                Ok(Read { database, ..Read::default() })
            }
        };
        read.map_err(|error| unreadable(&self.path, &error))
    }
}

fn with_path(path: &Path, history: Vec<kea::Record>) -> Vec<(PathBuf, kea::Record)> {
    history.into_iter().map(|record| (path.to_owned(), record)).collect()
}

/// A declaration of a journal.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) path: &'a Path,
    pub(super) declaration: &'a Declaration,
    /// The row of a memfile.
    row: Option<&'a kea::Record>,
}

impl<'a> Entry<'a> {
    /// The bindings of an identity association, with all fields that the format has.
    pub(super) fn bindings(self) -> Vec<Binding> {
        match (self.row.and_then(|row| row.binding.as_deref()), &self.declaration.what) {
            (Some(binding), _) => vec![binding.clone()],
            (None, Declared::Ia(ia)) => Binding::of(ia),
            (None, _) => Vec::new(),
        }
    }

    /// The fields that only its format has.
    pub(super) fn fields(self) -> &'a [Field] {
        self.row.map_or(&[], |row| &row.fields)
    }
}

impl Loaded {
    /// Adds the problems of a file.
    fn add(&mut self, path: &Path, read: &Read) {
        let room = MAX_LISTED.saturating_sub(self.problems.len());
        let listed = read.problems.iter().take(room);
        self.problems.extend(listed.map(|problem| format!("{}:{problem}", path.shown())));
        self.total += read.total;
        self.left_out += read.left_out;
    }

    /// Prints the problems on stderr.
    pub(super) fn explain(&self) {
        let path = self.path.shown();
        for problem in &self.problems {
            errln!("{problem}");
        }
        if self.total > self.problems.len() as u64 {
            errln!("{path}: {} more problems", self.total - self.problems.len() as u64);
        }
        for note in &self.notes {
            errln!("{path}: {note}");
        }
    }

    /// The remarks about the files.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> + '_ {
        self.notes.iter().map(|note| format!("{}: {note}", self.path.shown()))
    }

    /// The declarations of a journal, in the order in which they were made; `None` for formats that are not journals.
    pub(super) fn declarations(&self) -> Option<Vec<Entry<'_>>> {
        match &self.content {
            Content::Journal(reading) => {
                let entry = |declaration| Entry { path: &self.path, declaration, row: None };
                Some(reading.history.iter().map(entry).collect())
            }
            Content::Other(_) if self.format == Format::KeaCsv => {
                let rows = self.rows.iter();
                let entries = rows.map(|(path, row)| Entry {
                    path,
                    declaration: &row.declaration,
                    row: Some(row),
                });
                Some(entries.collect())
            }
            Content::Other(_) => None,
        }
    }

    /// Whether the content lacks anything of the file, if only a torn record.
    pub(super) fn lacks_text(&self) -> bool {
        match &self.content {
            Content::Other(_) => self.left_out > 0,
            Content::Journal(reading) => reading.diagnostics.iter().any(|problem| {
                !matches!(problem.consequence, Consequence::Nothing | Consequence::ValueChanged)
            }),
        }
    }

    /// Moves the leases of any format out; `None` where the real dhcpd would keep no lease at all.
    pub(super) fn take_database(&mut self) -> Option<Database> {
        match &mut self.content {
            Content::Other(database) => Some(std::mem::take(database)),
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
