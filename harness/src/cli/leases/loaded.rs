//! Lease databases that were read.

use std::path::{Path, PathBuf};

use lease_formats::dhcpd::{Consequence, Declaration, Declared, Reading, Verdict, View};
use lease_formats::exchange::kea;
use lease_formats::exchange::{Binding, Database, Field, Format, Read};

use crate::shown::Shown as _;

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

/// The leases of a database.
pub(super) enum Content {
    /// A dhcpd.leases.
    Journal(Box<Reading>),
    /// Any other format.
    Other(Database),
}

/// Maximum number of problems that are listed; the rest are counted.
const MAX_LISTED: usize = 100;

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
    /// What was read from a file.
    pub(super) fn new(format: Format, path: &Path, read: Read) -> Self {
        let mut loaded = Self {
            format,
            content: Content::Other(Database::default()),
            problems: Vec::new(),
            total: 0,
            left_out: 0,
            notes: Vec::new(),
            path: path.to_owned(),
            rows: Vec::new(),
            files: 1,
        };
        loaded.add(path, &read);
        (loaded.notes, loaded.content) = (read.notes, Content::Other(read.database));
        loaded
    }

    /// What was read from a dhcpd.leases.
    pub(super) fn of_journal(path: &Path, reading: Reading) -> Self {
        let problems = reading.diagnostics.iter().take(MAX_LISTED);
        Self {
            problems: problems.map(|problem| format!("{}:{problem}", path.shown())).collect(),
            total: reading.diagnostics.total(),
            left_out: reading.left_out(),
            content: Content::Journal(Box::new(reading)),
            ..Self::new(Format::Dhcpd, path, Read::default())
        }
    }

    /// Adds the problems of a file.
    pub(super) fn add(&mut self, path: &Path, read: &Read) {
        let room = MAX_LISTED.saturating_sub(self.problems.len());
        let listed = read.problems.iter().take(room);
        self.problems.extend(listed.map(|problem| format!("{}:{problem}", path.shown())));
        self.total += read.total;
        self.left_out += read.left_out;
    }

    /// Adds rows of a memfile.
    pub(super) fn add_rows(&mut self, path: &Path, rows: Vec<kea::Record>) {
        self.rows.extend(rows.into_iter().map(|row| (path.to_owned(), row)));
    }

    /// Adds a remark about the database as a whole.
    pub(super) fn add_note(&mut self, note: String) {
        self.notes.push(note);
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
