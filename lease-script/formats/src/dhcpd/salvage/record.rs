//! Reads a damaged lease record statement by statement.

use super::header::{is_header, lease_header};
use crate::dhcpd::date_range::DateRange;
use crate::dhcpd::declaration::{Declarations, ParseRules};
use crate::dhcpd::input::Input;
use crate::dhcpd::lease::{BindingState, Lease};
use crate::dhcpd::lexer::{Lexer, Token, is_space};

/// The maximum length of a statement in bytes.
const STATEMENT: usize = 8 * 1024;

/// The outcome for a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    Torn,
    Damaged,
}

pub(super) struct Salvaged {
    pub(super) used: usize,
    pub(super) fate: Fate,
    /// The positions of the statements that could not be read.
    pub(super) left_out: Vec<usize>,
    pub(super) lease: Option<Lease>,
}

pub(super) fn read_statements(w: &[u8], header: usize, rules: &ParseRules) -> Salvaged {
    let Some((address, length, open)) = lease_header(&w[header..]) else {
        return Salvaged { used: 1, fate: Fate::Damaged, left_out: Vec::new(), lease: None };
    };
    let mut record = Record {
        lease: Lease::new(address),
        seen: 0,
        left_out: Vec::new(),
        damaged: false,
        torn: false,
    };
    let mut at = header + length;
    let start = at;
    let (used, fate) = loop {
        let blank = w[at..]
            .iter()
            .position(|c| !is_space(*c) && !matches!(c, 0 | 0xff))
            .unwrap_or(w.len() - at);
        record.damaged |= w[at..at + blank].iter().any(|c| matches!(c, 0 | 0xff));
        at += blank;
        if at >= w.len() {
            break (w.len(), Fate::Torn);
        }
        if w[at] == b'#' {
            at += memchr::memchr2(b'\n', 0xff, &w[at..]).map_or(w.len() - at, |end| end + 1);
            continue;
        }
        if w[at] == b'}' {
            break (at + 1, if record.damaged { Fate::Damaged } else { Fate::Kept });
        }
        if is_header(w, at) {
            let is_complete = !record.damaged && !record.torn && record.is_plausible();
            break (at, if is_complete { Fate::Kept } else { Fate::Torn });
        }
        let before = at;
        at = record.statement(w, at, rules);
        // A record without an opening brace must begin with a readable statement.
        if !open && before == start && !record.left_out.is_empty() {
            break (at, Fate::Damaged);
        }
    };
    record.finish(rules);
    Salvaged { used, fate, left_out: record.left_out, lease: Some(record.lease) }
}

struct Record {
    lease: Lease,
    seen: u32,
    left_out: Vec<usize>,
    /// Whether the record contains NUL or 0xFF bytes.
    damaged: bool,
    /// Whether the last statement has no proper end.
    torn: bool,
}

/// Bits of dhcpd's `seenmask` for the binding state and `tstp`.
const BINDING: u32 = 256;

const TSTP: u32 = 65536;

impl Record {
    /// Reads or skips the statement at `at`. Returns the start of the next one.
    fn statement(&mut self, w: &[u8], at: usize, rules: &ParseRules) -> usize {
        self.torn = false;
        let text = &w[at..w.len().min(at + STATEMENT)];
        if let Some(used) = self.trial(text, rules) {
            return at + used;
        }
        let line = memchr::memchr(b'\n', text).map_or(text, |end| &text[..end]);
        if let Some(used) = self.odd_date(line) {
            return at + used;
        }
        // The semicolon at the end of a line may be missing.
        let bare = line.trim_ascii_end();
        if !bare.contains(&b';') && !bare.is_empty() && !(1..bare.len()).any(|i| is_header(bare, i))
        {
            let completed = [bare, b";"].concat();
            if self.trial(&completed, rules) == Some(completed.len()) {
                self.torn = true;
                return at + bare.len();
            }
        }
        self.left_out.push(at);
        let end = at + unreadable_length(text);
        self.damaged |= w[at..end].iter().any(|c| matches!(c, 0 | 0xff));
        self.torn = !w[at..end].trim_ascii_end().ends_with(b";");
        end
    }

    /// Runs dhcpd's parser on one statement. Returns the length of the statement if nothing is lost.
    fn trial(&mut self, text: &[u8], rules: &ParseRules) -> Option<usize> {
        let mut lexer = Lexer::new(Input::small(text));
        lexer.begin_trial();
        let mut inner = Declarations::new(lexer, rules.clone(), false);
        let mut lease = self.lease.clone();
        let token = inner.lexer.next();
        if token == Token::End {
            return None;
        }
        let bit = inner.lease_statement(token, &mut lease, self.seen)?;
        if !inner.lexer.end_trial() || !inner.lexer.is_at_token_boundary() {
            return None;
        }
        self.lease = lease;
        self.seen |= bit;
        Some(inner.lexer.input.offset() as usize)
    }

    /// Reads a date in the format of another program: followed by `UTC`, or in ISO 8601 format. Returns the length of the
    /// statement.
    fn odd_date(&mut self, line: &[u8]) -> Option<usize> {
        let end = memchr::memchr(b';', line)?;
        let text = std::str::from_utf8(&line[..end]).ok()?;
        let mut words = text.split_ascii_whitespace();
        let keyword = words.next()?;
        let mut words: Vec<&str> = words.collect();
        if matches!(words.last(), Some(&("UTC" | "GMT"))) {
            words.pop();
        }
        let [.., day, clock] = words[..] else { return None };
        if words.len() > 3 {
            return None;
        }
        let numbers = |text: &str, separators: &[char], count: usize| {
            let parts: Option<Vec<i32>> =
                text.split(separators).map(|part| part.parse().ok()).collect();
            parts.filter(|parts| parts.len() == count)
        };
        let (day, clock) = (numbers(day, &['/', '-'], 3)?, numbers(clock, &[':'], 3)?);
        if !(1..=12).contains(&day[1]) {
            return None;
        }
        let date =
            DateRange::Full.calendar(day[0], [day[1], day[2]], [clock[0], clock[1], clock[2]], 0);
        let lease = &mut self.lease;
        match keyword {
            "starts" => lease.starts = date,
            "ends" => lease.ends = date,
            "tstp" => {
                lease.tstp = date;
                self.seen |= TSTP;
            }
            "tsfp" => lease.tsfp = date,
            "atsfp" => lease.atsfp = date,
            "cltt" => lease.cltt = date,
            _ => return None,
        }
        Some(end + 1)
    }

    /// Returns whether the record probably lacks only its closing brace.
    fn is_plausible(&self) -> bool {
        let owned = self.lease.hardware.is_some() || !self.lease.uid.is_empty();
        self.seen & BINDING != 0 && (owned || self.lease.state != BindingState::Active)
    }

    fn finish(&mut self, rules: &ParseRules) {
        if self.seen & BINDING == 0 {
            Declarations::<&[u8]>::derive_state(rules, &mut self.lease);
        }
        if self.seen & TSTP == 0 {
            self.lease.tstp = self.lease.ends;
        }
    }
}

/// Returns the length of an unreadable statement. It ends at the end of its line or block, at a semicolon before another
/// statement, or before the next header.
fn unreadable_length(text: &[u8]) -> usize {
    if text.starts_with(b"on ") {
        return block_length(text);
    }
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\n' => return at + 1,
            b';' => {
                let rest = text[at + 1..].trim_ascii_start();
                if rest.first() == Some(&b'}') || starts_statement(rest) {
                    return at + 1;
                }
            }
            b'}' if text[..at].trim_ascii_end().ends_with(b";") => return at,
            _ if is_header(text, at) => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// Returns the length of a block as dhcpd writes it. A line that ends in a brace opens a block, and a line that starts with
/// a brace closes it.
fn block_length(text: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    for line in text.split_inclusive(|c| *c == b'\n') {
        let inner = line.trim_ascii();
        if at > 0 && is_header(text, at) {
            return at;
        }
        if inner.starts_with(b"}") {
            depth -= 1;
        }
        if inner.ends_with(b"{") {
            depth += 1;
        }
        if depth < 0 {
            return at;
        }
        at += line.len();
        if depth == 0 {
            return at;
        }
    }
    at
}

fn starts_statement(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 19] = [
        b"starts ",
        b"ends ",
        b"tstp ",
        b"tsfp ",
        b"atsfp ",
        b"cltt ",
        b"binding ",
        b"next ",
        b"rewind ",
        b"hardware ",
        b"uid ",
        b"client-hostname ",
        b"set ",
        b"option ",
        b"billing ",
        b"on ",
        b"reserved;",
        b"dynamic-bootp;",
        b"abandoned;",
    ];
    WORDS.iter().any(|word| text.starts_with(word))
}
