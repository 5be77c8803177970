//! Reads the files of a memfile database.

use std::io::{self, BufRead};

use super::columns::{Header, Release};
use super::row::{Entry, Row};
use super::row_table::RowTable;
use crate::dhcpd::{BindingState, Declaration, Declared, Family, History, Ia, Location};
use crate::exchange::database::{Binding, Database};
use crate::exchange::further::Field;
use crate::exchange::lines::{BYTE_ORDER_MARK, Effect, Line, Lines, Problem, Read};
use crate::limits;

/// A memfile database, which may consist of several files.
#[derive(Debug, Default)]
pub struct Memfile {
    release: Release,
    history: Option<History>,
    /// The protocol according to the header, or DHCPv4 without a header.
    family: Family,
    headers: Vec<Header>,
    rows: RowTable,
    /// Whether Kea would refuse to start with these files.
    is_refused: bool,
}

/// The result of reading one of the files.
#[derive(Debug, Default)]
pub struct FileReport {
    /// The problems. The database is empty.
    pub read: Read,
    /// The rows that the server loads, as far as the history selects them.
    pub history: Vec<Record>,
    /// The number of rows that the server loads.
    pub rows: u64,
}

/// A row that the server loads.
#[derive(Debug)]
pub struct Record {
    /// The row as a declaration of a journal.
    pub declaration: Declaration,
    /// The binding of a DHCPv6 row, which has more fields than its declaration.
    pub binding: Option<Box<Binding>>,
    /// The columns that the lease cannot store.
    pub fields: Vec<Field>,
}

/// Reads a database of one file.
///
/// # Errors
/// If the source cannot be read, or exceeds the limits of this crate.
pub fn read(source: impl BufRead) -> io::Result<Read> {
    let mut memfile = Memfile::new(Release::default(), None);
    let mut read = memfile.load(source)?.read;
    read.database = memfile.database();
    Ok(read)
}

impl Memfile {
    /// Creates an empty database. `history` selects the rows to keep in addition to the last one of each address.
    pub fn new(release: Release, history: Option<History>) -> Self {
        Self { release, history, ..Self::default() }
    }

    /// Adds the rows of a file, which replace those of earlier files (`LeaseFileLoader::load`).
    ///
    /// # Errors
    /// If the source cannot be read, or exceeds the limits of this crate.
    pub fn load(&mut self, source: impl BufRead) -> io::Result<FileReport> {
        let mut report = FileReport::default();
        let mut lines = Lines::new(source);
        let mut line = Vec::new();
        let Some((header, is_crlf)) = self.header(&mut lines, &mut line, &mut report)? else {
            return Ok(report);
        };
        self.family = header.family;
        let number = self.headers.len() as u32;
        let mut offset = line.len() as u64 + 1;
        loop {
            let (at, message, ended) = match lines.next(&mut line)? {
                Line::End => break,
                Line::TooLong(at) => (at, "an overlong line".to_owned(), true),
                Line::Text(at, ended) => {
                    let length = line.len() as u64 + 1;
                    let mut text = &line[..];
                    if is_crlf {
                        text = text.strip_suffix(b"\r").unwrap_or(text);
                    }
                    // Kea skips empty lines (`CSVFile::next`).
                    let done = if text.is_empty() {
                        Ok(())
                    } else {
                        let location = Location { offset, line: at, column: 1 };
                        self.row(text, &header, number, location, &mut report)
                    };
                    limits::check_leases(self.rows.len(), at)?;
                    limits::check_rows(report.history.len(), at)?;
                    offset += length;
                    match done {
                        Ok(()) => continue,
                        Err(message) => (at, message, ended),
                    }
                }
            };
            let torn = if ended { "" } else { " (the last line is torn)" };
            let message = format!("{message}: Kea discards the row{torn}");
            report.read.add(Problem { line: at, column: 1, message, effect: Effect::LeftOut });
        }
        self.headers.push(header);
        Ok(report)
    }

    /// Reads the header. Returns `None` if nothing after it can be read.
    fn header(
        &mut self,
        lines: &mut Lines<impl BufRead>,
        line: &mut Vec<u8>,
        report: &mut FileReport,
    ) -> io::Result<Option<(Header, bool)>> {
        let Line::Text(number, _) = lines.next(line)? else { return Ok(None) };
        let mut refuse = |why: &str| {
            self.is_refused = true;
            let message = format!("{why}: Kea does not start");
            report.read.add(Problem {
                line: number,
                column: 1,
                message,
                effect: Effect::LostByServer,
            });
        };
        let mut text = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        if text.len() < line.len() {
            refuse("a byte order mark before the header");
        }
        let is_crlf = text.ends_with(b"\r");
        if is_crlf {
            refuse("the header ends in a carriage return");
            text = &text[..text.len() - 1];
        }
        match Header::parse(text) {
            Ok(header) => Ok(Some((header, is_crlf))),
            Err(why) => {
                refuse(&why);
                Ok(None)
            }
        }
    }

    fn row(
        &mut self,
        text: &[u8],
        header: &Header,
        number: u32,
        location: Location,
        report: &mut FileReport,
    ) -> Result<(), String> {
        let row = Row::split(text, header)?;
        let accepted = row.check(self.release)?;
        report.rows += 1;
        if let Some(history) = self.history {
            let end = location.offset + text.len() as u64;
            let record = row.decode().map(|entry| record(entry, accepted.removes, location, end));
            report.history.extend(record.filter(|one| history.wants(&one.declaration.what)));
        }
        if accepted.removes {
            self.rows.remove(accepted.address);
        } else {
            self.rows.put(accepted.address, number, text);
        }
        Ok(())
    }

    /// Returns the protocol according to the header, or DHCPv4 without a header.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Returns whether Kea would refuse to start with these files.
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// Returns the number of leases.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether there are no leases.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns a database with the last row of each address.
    pub fn database(&self) -> Database {
        let mut database = Database::default();
        for (header, text) in self.rows.iter() {
            let row = Row::split(text, &self.headers[header as usize]);
            match row.ok().and_then(|row| row.decode()) {
                Some(Entry::Four(lease, fields)) => {
                    database.further.put(lease.address.into(), fields);
                    database.leases.push(*lease);
                }
                Some(Entry::Six(binding, fields)) => {
                    database.further.put(binding.held.address.into(), fields);
                    database.bindings.push(*binding);
                }
                None => {}
            }
        }
        database.sort();
        database
    }
}

/// Creates the record of a row. A row with a lifetime of 0 means that the lease has ended.
fn record(entry: Entry, removes: bool, location: Location, end: u64) -> Record {
    match entry {
        Entry::Four(mut lease, fields) => {
            if removes {
                lease.state = BindingState::Released;
            }
            let declaration = Declaration { location, end, what: Declared::Lease(lease) };
            Record { declaration, binding: None, fields }
        }
        Entry::Six(mut binding, fields) => {
            if removes {
                binding.held.state = BindingState::Released;
            }
            let id = [&binding.iaid.to_le_bytes()[..], &binding.duid].concat();
            let (kind, cltt) = (binding.kind, binding.cltt);
            let ia = Ia { kind, id, cltt, addresses: vec![binding.held.clone()] };
            let declaration = Declaration { location, end, what: Declared::Ia(Box::new(ia)) };
            Record { declaration, binding: Some(binding), fields }
        }
    }
}
