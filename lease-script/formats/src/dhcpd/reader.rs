//! Reads a lease file in one of the three views.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::Arc;

use super::config::Config;
use super::date_range::DateRange;
use super::declaration::{
    ByteOrder, Contents, Counts, Declarations, Family, ParseRules, ReadEnd, Subject,
};
use super::diagnostic::{Consequence, Diagnostic, Diagnostics};
use super::fast_path;
use super::history::{Declaration, History};
use super::ia::{Ia, IaTable};
use super::input::{Input, Location};
use super::lease::Lease;
use super::lexer::Lexer;
use super::non_lease::NonLease;
use super::restart::{Failover, Restart};
use super::salvage;
use super::source::{FileSource, Source};
use super::table::LeaseTable;
use crate::limits;

/// Which leases of a file to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The leases that dhcpd keeps after a restart.
    Dhcpd,
    /// Everything that can be recovered from a damaged file.
    Salvage,
    /// The last accepted declaration of each address.
    Text,
}

/// How dhcpd reacts to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It reads the file without a warning.
    Clean,
    /// It reads the file with warnings. The exit status is 0.
    Warns,
    /// It does not start.
    Refuses,
    /// It reads the file but cannot rewrite it.
    RewriteFails,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clean => "clean",
            Self::Warns => "warns",
            Self::Refuses => "refuses to start",
            Self::RewriteFails => "rewrite fails",
        })
    }
}

/// How to read a lease file.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which leases to return.
    pub view: View,
    /// The time of the restart in seconds since 1970.
    pub now: i64,
    /// The protocol. `None` derives it from the contents of the file.
    pub family: Option<Family>,
    /// The server's configuration. Without one, every address, class and peer counts as known.
    pub config: Option<Arc<Config>>,
    /// The maximum number of threads.
    pub threads: usize,
    /// Which declarations to keep in addition to the last one of each address. Any selection turns the fast path off.
    pub history: Option<History>,
    /// Files of at least this many bytes are read with the fast path. The fast path differs from the parser in one case: the
    /// bytes that a malformed escape sequence leaves in a string.
    pub fast_path_from: u64,
}

/// The default of [`Options::fast_path_from`]. Shorter files are read quickly without the fast path.
const FAST_PATH_FROM: u64 = 1024 * 1024;

impl Options {
    /// Creates options for a view at a time, with one thread, no configuration and any protocol.
    pub fn new(view: View, now: i64) -> Self {
        Self {
            view,
            now,
            family: None,
            config: None,
            threads: 1,
            history: None,
            fast_path_from: FAST_PATH_FROM,
        }
    }
}

/// The contents of a lease file.
#[derive(Debug)]
pub struct Reading {
    /// The view in which the file was read.
    pub view: View,
    /// The protocol.
    pub family: Family,
    /// How dhcpd reacts to the file.
    pub verdict: Verdict,
    /// The problems found, in the order of the file.
    pub diagnostics: Diagnostics,
    /// The numbers of declarations.
    pub counts: Counts,
    /// The last `server-duid`.
    pub server_duid: Option<Vec<u8>>,
    /// The `authoring-byte-order` of the file.
    pub byte_order: Option<ByteOrder>,
    /// The last declaration of each address, before the changes of a restart.
    pub table: LeaseTable,
    /// The last declaration of each identity association.
    pub ia_table: IaTable,
    /// Hosts, groups, classes and failover states, which a rewrite must keep.
    pub non_leases: Vec<NonLease>,
    /// The number of values and statements that dhcpd cannot read in the last declarations.
    pub lost_statements: u64,
    /// The number of bytes that were read more than once. It is at most proportional to the length of the file, for any
    /// contents.
    pub reread: u64,
    /// The declarations that [`Options::history`] selects.
    pub history: Vec<Declaration>,
    now: i64,
    config: Option<Arc<Config>>,
    failover: Vec<Failover>,
}

impl Reading {
    /// Returns the number of statements, records and other parts of the file that are missing in the view. A torn record was
    /// never acknowledged and does not count.
    pub fn left_out(&self) -> u64 {
        use Consequence::{Damaged, LeftOut, Nothing, Rescued, Torn, ValueChanged};
        let count = |is_left_out: fn(Consequence) -> bool| {
            let consequences = self.diagnostics.iter().map(|found| found.consequence);
            consequences.filter(|consequence| is_left_out(*consequence)).count() as u64
        };
        match self.view {
            // The other consequences describe what dhcpd would do.
            View::Salvage => self.lost_statements + count(|it| matches!(it, Damaged | LeftOut)),
            View::Dhcpd | View::Text => {
                count(|it| !matches!(it, Nothing | ValueChanged | Rescued | Torn))
            }
        }
    }

    /// Returns the leases of the view, by address.
    pub fn leases(&self) -> Box<dyn Iterator<Item = Lease> + '_> {
        if self.family == Family::V6 && self.view == View::Dhcpd {
            return Box::new(std::iter::empty());
        }
        if self.view != View::Dhcpd {
            return Box::new(self.table.iter_sorted());
        }
        let restart = self.restart();
        Box::new(self.table.iter_sorted().filter_map(move |lease| restart.lease(lease)))
    }

    /// Returns the identity associations in the order in which dhcpd writes them.
    pub fn ias(&self) -> Box<dyn Iterator<Item = &Ia> + '_> {
        Box::new(self.ia_table.iter_as_written())
    }

    fn restart(&self) -> Restart<'_> {
        Restart { now: self.now, config: self.config.as_deref(), failover: self.failover.clone() }
    }

    /// Reports the leases that dhcpd reads and then drops because they have no state.
    fn report_bogus(&mut self) {
        let restart = self.restart();
        let bogus: Vec<_> = self
            .table
            .iter_bogus()
            .filter(|lease| restart.is_bogus(lease))
            .map(|lease| lease.address)
            .collect();
        for address in bogus {
            self.diagnostics.push(Diagnostic {
                location: Location { offset: 0, line: 1, column: 1 },
                message: "Lease with bogus binding state: 0".to_owned(),
                consequence: Consequence::RecordLost,
                subject: Some(format!("lease {address}")),
                logged: true,
            });
        }
    }

    fn set_verdict(&mut self, fatal: bool) {
        if self.view == View::Dhcpd && !fatal {
            self.report_bogus();
        }
        self.verdict = if fatal {
            Verdict::Refuses
        } else if self.view == View::Dhcpd && self.breaks_rewrite() {
            Verdict::RewriteFails
        } else if self.diagnostics.logged() > 0 {
            Verdict::Warns
        } else {
            Verdict::Clean
        };
    }

    fn breaks_rewrite(&self) -> bool {
        self.leases().any(|lease| Restart::breaks_rewrite(&lease))
            || self.ias().any(Restart::breaks_rewrite_of)
    }
}

/// Reads a lease file that is in memory.
pub fn read_bytes(bytes: &[u8], options: &Options) -> Reading {
    match read(bytes, options, Limits::None) {
        Ok(reading) => reading,
        // Reading bytes in memory cannot fail.
        Err(_) => unreachable!("slices are read without errors"),
    }
}

/// Reads the lease file at `path`, up to the length that it has when it is opened. A pipe is read to its end first, up to
/// 256 MiB.
///
/// # Errors
///
/// If the file cannot be opened or read, is a directory or a device, is a pipe with more than 256 MiB, or has more leases
/// than can be kept in memory.
pub fn read_file(path: &Path, options: &Options) -> io::Result<Reading> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        return read_opened(&file, metadata.len(), options);
    }
    if metadata.is_dir() || metadata.file_type().is_block_device() {
        return Err(io::Error::other("neither a file nor a pipe"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_PIPE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_PIPE_BYTES {
        return Err(io::Error::other("more than 256 MiB from a pipe"));
    }
    read(&bytes[..], options, Limits::OfLeases)
}

/// Reads the first `length` bytes of an open regular file.
///
/// # Errors
///
/// If the file cannot be read, or has more leases than can be kept in memory.
pub fn read_opened(file: &File, length: u64, options: &Options) -> io::Result<Reading> {
    read(&FileSource { file, length }, options, Limits::OfLeases)
}

/// Maximum number of bytes that are read from a pipe.
const MAX_PIPE_BYTES: u64 = 256 << 20;

/// The largest count that `read` returns on Linux. dhcpd reads the whole file with one call.
const MAX_READ_BYTES: u64 = 0x7fff_f000;

/// How much of a file may be kept in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limits {
    /// No limits, because the file itself is in memory.
    None,
    /// The limits of the module `limits`.
    OfLeases,
}

fn read<S: Source + ?Sized>(source: &S, options: &Options, limits: Limits) -> io::Result<Reading> {
    if options.view == View::Dhcpd && source.len() > MAX_READ_BYTES {
        return Ok(too_long(source.len(), options));
    }
    let family = options.family.unwrap_or(Family::V4);
    match read_family(source, options, limits, family)? {
        Some(reading) => Ok(reading),
        None => Ok(read_family(source, options, limits, Family::V6)?
            .expect("only a guessed family can be wrong")),
    }
}

/// Returns the result for a file that dhcpd cannot read with one call.
fn too_long(length: u64, options: &Options) -> Reading {
    let mut diagnostics = Diagnostics::default();
    diagnostics.push(Diagnostic {
        location: Location { offset: 0, line: 1, column: 1 },
        message: format!("short read of {MAX_READ_BYTES} bytes instead of {length}."),
        consequence: Consequence::Refused,
        subject: None,
        logged: true,
    });
    Reading {
        view: options.view,
        family: options.family.unwrap_or(Family::V4),
        verdict: Verdict::Refuses,
        diagnostics,
        counts: Counts::default(),
        server_duid: None,
        byte_order: None,
        table: LeaseTable::default(),
        ia_table: IaTable::default(),
        non_leases: Vec::new(),
        lost_statements: 0,
        reread: 0,
        history: Vec::new(),
        now: options.now,
        config: None,
        failover: Vec::new(),
    }
}

fn rules(options: &Options, family: Family) -> ParseRules {
    ParseRules {
        family,
        now: options.now,
        config: options.config.clone(),
        pools: options.view == View::Dhcpd,
        loose_blocks: options.view != View::Dhcpd,
        date_range: match options.view {
            View::Salvage => DateRange::Full,
            View::Dhcpd | View::Text => DateRange::Dhcpd,
        },
        history: options.history,
    }
}

/// Reads a file of one protocol. Returns `None` if the protocol was a guess and the file belongs to the other one.
fn read_family<S: Source + ?Sized>(
    source: &S,
    options: &Options,
    limits: Limits,
    family: Family,
) -> io::Result<Option<Reading>> {
    let guess = options.family.is_none() && family == Family::V4;
    let rules = rules(options, family);
    let fast_path = source.len() >= options.fast_path_from && options.history.is_none();
    let threads = if family == Family::V4 && fast_path { options.threads } else { 1 };
    std::thread::scope(|scope| {
        let mut prefetch = fast_path::prefetch(scope, source, &rules, threads);
        let mut record = fast_path::Record::default();
        let input = Input::new(source.open(0, u64::MAX), 0);
        let mut declarations = Declarations::new(Lexer::new(input), rules, guess);
        let stop = loop {
            if fast_path && declarations.lexer.is_at_token_boundary() {
                if let Some(chunk) = prefetch.take(declarations.lexer.input.offset()) {
                    declarations.contents.leases.merge(&chunk.leases);
                    let lost_statements = &mut declarations.contents.lost_statements;
                    lost_statements.retain(|subject, _| match subject {
                        Subject::Lease(address) => !chunk.leases.has(*address),
                        Subject::Association(..) => true,
                    });
                    declarations.contents.counts.add(chunk.counts);
                    let (lines, _) = declarations.lexer.input.lines();
                    declarations.lexer.input.jump(
                        source.open(chunk.end, u64::MAX),
                        chunk.end,
                        lines + chunk.lines,
                        chunk.line_start,
                    );
                    continue;
                }
                fast_path::run(&mut declarations, &mut record, prefetch.next_start());
                if Some(declarations.lexer.input.offset()) == prefetch.next_start() {
                    limits.check(&mut declarations)?;
                    continue;
                }
            }
            let stop = if options.view == View::Salvage {
                salvage::declaration(&mut declarations)
            } else {
                declarations.declaration()
            };
            if let Some(stop) = stop {
                break stop;
            }
            limits.check(&mut declarations)?;
        };
        if let Some(error) = declarations.lexer.input.take_error() {
            return Err(error);
        }
        if stop == ReadEnd::OtherFamily {
            return Ok(None);
        }
        let mut reading = finish(declarations, options);
        reading.set_verdict(stop == ReadEnd::Fatal);
        Ok(Some(reading))
    })
}

impl Limits {
    fn check<R: io::Read>(self, declarations: &mut Declarations<R>) -> io::Result<()> {
        if self == Self::None {
            return Ok(());
        }
        let Contents { leases, ias, history, non_leases, .. } = &declarations.contents;
        let (count, history) = (leases.len() + ias.len() + non_leases.len(), history.len());
        if count <= limits::MAX_LEASES && history <= limits::MAX_HISTORY {
            return Ok(());
        }
        let (lines, _) = declarations.lexer.input.lines();
        limits::check_leases(count, lines + 1)?;
        limits::check_history(history, lines + 1)
    }
}

/// Returns the reading, without its verdict.
fn finish<R: io::Read>(declarations: Declarations<R>, options: &Options) -> Reading {
    let Declarations { lexer, rules, contents, .. } = declarations;
    let lost = contents.lost_statements.values().map(|lost| u64::from(*lost)).sum::<u64>();
    let lost_statements = contents.lost_outside_records + lost;
    let Contents {
        leases,
        mut ias,
        counts,
        server_duid,
        byte_order,
        peers,
        history,
        non_leases,
        ..
    } = contents;
    ias.apply_removals();
    let failover = rules.config.as_ref().map_or_else(Vec::new, |config| {
        config.peers.iter().map(|peer| Failover::new(peer, &peers)).collect()
    });
    Reading {
        view: options.view,
        family: rules.family,
        verdict: Verdict::Clean,
        diagnostics: lexer.diagnostics,
        counts,
        server_duid,
        byte_order,
        table: leases,
        ia_table: ias,
        non_leases: non_leases.into_list(),
        lost_statements,
        reread: lexer.input.reread(),
        history,
        now: options.now,
        config: rules.config,
        failover,
    }
}
