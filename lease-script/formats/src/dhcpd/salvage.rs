//! Reading with records atomic: what a person would want kept of a damaged file.
//!
//! A record goes through dhcpd's own parser first, as a trial. What that takes without losing
//! anything is taken. At the first loss the trial is dropped and the record is read again statement
//! by statement: a statement that cannot be read is left out, a record that is torn (the file ends in
//! it, the next one starts in the middle of a statement, or NUL or 0xFF bytes stand in it) is dropped
//! whole, so that the older one stays. Reading goes on at the next thing that looks like a declaration.

use std::io::Read;
use std::net::Ipv4Addr;

use super::declaration::{Declarations, Family, Rules, Stop};
use super::diagnostic::{Consequence, Diagnostic};
use super::input::{Input, Location};
use super::keyword::Keyword;
use super::lease::{BindingState, Date, Lease};
use super::lexer::{Lexer, Token, is_space};
use super::parser::{atoi, seconds};

/// A damaged record is looked at as far as this.
const REACH: usize = 64 * 1024;

/// A statement is not longer than this.
const STATEMENT: usize = 8 * 1024;

/// Reads one declaration; `Some` when there is nothing more to read.
pub(crate) fn declaration<R: Read>(declarations: &mut Declarations<R>) -> Option<Stop> {
    let lexer = &mut declarations.lexer;
    lexer.subject = None;
    let (mark, counts) = (lexer.diagnostics.mark(), declarations.gathered.counts);
    lexer.input.hold();
    lexer.begin_trial();
    let mut token = lexer.next();
    let manual = spelled_as_in_the_manual(lexer, token);
    if let Some(keyword) = manual {
        token = Token::Keyword(keyword);
    }
    declarations.started = lexer.location();
    let mut lease = None;
    let mut ia = None;
    match token {
        Token::Keyword(Keyword::Lease) => lease = declarations.lease(),
        Token::Keyword(keyword @ (Keyword::IaNa | Keyword::IaTa | Keyword::IaPd)) => {
            if declarations.guess_family {
                return Some(Stop::OtherFamily);
            }
            if declarations.rules.family == Family::V6 {
                ia = declarations.trial_ia(keyword);
            }
        }
        Token::Keyword(
            Keyword::Class
            | Keyword::Subclass
            | Keyword::Host
            | Keyword::Group
            | Keyword::Failover
            | Keyword::ServerDuid
            | Keyword::AuthoringByteOrder,
        ) => declarations.other(token),
        _ => {
            let fatal = declarations.lexer.fatal;
            declarations.lexer.end_trial();
            declarations.lexer.fatal = fatal;
            return garbage(declarations, token);
        }
    }
    let sound = declarations.lexer.end_trial();
    let is_record = lease.is_some() || ia.is_some();
    let is_other = !matches!(
        token,
        Token::Keyword(Keyword::Lease | Keyword::IaNa | Keyword::IaTa | Keyword::IaPd)
    );
    if sound && (is_record || is_other) {
        declarations.lexer.input.release();
        if let Some(lease) = lease {
            declarations.enter(&lease);
        }
        if let Some(ia) = ia {
            if manual.is_some() {
                let message = "spelled as in the manual page, which dhcpd does not read".to_owned();
                let location = declarations.started;
                note(declarations, location, None, message, Consequence::Rescued);
            }
            declarations.enter_ia(ia);
        }
        return None;
    }
    // One complaint says what dhcpd would do; the rest of the trial is void.
    let complaint = declarations.lexer.diagnostics.since(mark).last().cloned();
    let subject = complaint.as_ref().and_then(|complaint| complaint.subject.clone());
    declarations.lexer.diagnostics.roll_back(mark);
    declarations.gathered.counts = counts;
    declarations.lexer.reset();
    declarations.lexer.input.rewind();
    if let Some(complaint) = complaint {
        declarations.lexer.diagnostics.push(complaint);
    }
    if token == Token::Keyword(Keyword::Lease) && declarations.rules.family == Family::V4 {
        salvage(declarations);
        return None;
    }
    drop_record(
        declarations,
        is_other,
        if is_other { Passed::Bytes } else { Passed::Record(subject) },
    );
    None
}

const TORN: (&str, Consequence) = ("torn record; an older one stays", Consequence::Torn);
const DAMAGED: (&str, Consequence) = ("damaged record; an older one stays", Consequence::Damaged);

fn note<R: Read>(
    declarations: &mut Declarations<R>,
    location: Location,
    subject: Option<String>,
    message: String,
    consequence: Consequence,
) {
    let diagnostic = Diagnostic { location, message, consequence, subject, logged: true };
    declarations.lexer.diagnostics.push(diagnostic);
}

/// dhcpd.leases(5) says `ia_na`, which dhcpd itself does not read.
fn spelled_as_in_the_manual<R: Read>(lexer: &mut Lexer<R>, token: Token) -> Option<Keyword> {
    if token != Token::Name {
        return None;
    }
    Some(match &lexer.c_text().to_ascii_lowercase()[..] {
        b"ia_na" => Keyword::IaNa,
        b"ia_ta" => Keyword::IaTa,
        b"ia_pd" => Keyword::IaPd,
        _ => return None,
    })
}

/// Passes over what is no declaration. At the end of the file, the reading is over.
fn garbage<R: Read>(declarations: &mut Declarations<R>, token: Token) -> Option<Stop> {
    let lexer = &mut declarations.lexer;
    if token == Token::End && lexer.input.is_complete() && lexer.input.window().is_empty() {
        lexer.input.release();
        // White space of any length may stand there.
        lexer.fatal = false;
        return Some(Stop::End);
    }
    lexer.reset();
    lexer.input.rewind();
    if std::mem::take(&mut lexer.fatal) {
        // White space alone overflowed dhcpd's buffer: what follows it may be whole.
        let before = lexer.input.offset();
        skip_blank(&mut lexer.input);
        if lexer.input.offset() > before {
            return None;
        }
    }
    drop_record(declarations, false, Passed::Bytes);
    None
}

/// What is passed over.
enum Passed {
    /// Anything.
    Bytes,
    /// A record, with its subject as far as it is known.
    Record(Option<String>),
}

/// Goes on to the next thing that looks like a declaration, or like a record.
fn drop_record<R: Read>(declarations: &mut Declarations<R>, record: bool, passed: Passed) {
    let input = &mut declarations.lexer.input;
    input.require(2);
    skip_blank(input);
    let location = input.location(0);
    let skipped = next_header(input, record);
    if let Passed::Record(subject) = passed {
        let over = input.is_complete() && input.window().is_empty();
        let (message, consequence) = if over { TORN } else { DAMAGED };
        note(declarations, location, subject, message.to_owned(), consequence);
    } else if skipped > 0 {
        let message = format!("{skipped} bytes that are no declaration");
        note(declarations, location, None, message, Consequence::Skipped);
    }
}

fn skip_blank<R: Read>(input: &mut Input<R>) {
    loop {
        let window = input.window();
        let blank = window.iter().position(|c| !is_space(*c)).unwrap_or(window.len());
        let all = blank == window.len();
        input.advance(blank);
        if !all || !input.extend() {
            return;
        }
    }
}

/// Moves to the next header, at least one byte on; returns how many bytes were passed.
fn next_header<R: Read>(input: &mut Input<R>, record: bool) -> u64 {
    const OVERLAP: usize = 256;
    let start = input.offset();
    let mut from = 1;
    loop {
        input.require(2 * OVERLAP);
        let complete = input.is_complete();
        let window = input.window();
        if window.is_empty() {
            return input.offset() - start;
        }
        let end = if complete { window.len() } else { window.len() - OVERLAP };
        let found = (from..end).find(|at| {
            is_header(window, *at) && (!record || matches!(window[*at] | 0x20, b'l' | b'i'))
        });
        if let Some(at) = found {
            input.advance(at);
            return input.offset() - start;
        }
        input.advance(end.max(1).min(window.len()));
        from = 0;
        if complete {
            return input.offset() - start;
        }
        input.extend();
    }
}

/// True when a declaration starts at `at`: a lease or an identity association anywhere, the others
/// at the start of a line.
fn is_header(w: &[u8], at: usize) -> bool {
    if !matches!(w[at] | 0x20, b'l' | b'i' | b's' | b'f' | b'a' | b'h' | b'g' | b'c') {
        return false;
    }
    let before = at.checked_sub(1).map(|before| w[before]);
    let rest = &w[at..];
    if lease_header(rest).is_some_and(|(_, _, open)| open) {
        return true;
    }
    if before.is_some_and(|c| c != b'\n') {
        return false;
    }
    let starts = |word: &[u8]| {
        rest.len() > word.len()
            && rest[..word.len()].eq_ignore_ascii_case(word)
            && is_space(rest[word.len()])
    };
    lease_header(rest).is_some()
        || [&b"ia-na"[..], b"ia-ta", b"ia-pd", b"server-duid", b"authoring-byte-order"]
            .into_iter()
            .any(starts)
        || [&b"failover peer"[..], b"host", b"group", b"class", b"subclass"].into_iter().any(starts)
}

/// `lease ADDRESS {`: the address, the length, and whether the brace is there.
fn lease_header(w: &[u8]) -> Option<(Ipv4Addr, usize, bool)> {
    if w.len() < 6 || !w[..5].eq_ignore_ascii_case(b"lease") || !is_space(w[5]) {
        return None;
    }
    let blank = |at: usize| at + w[at..].iter().take(64).take_while(|c| is_space(**c)).count();
    let mut at = blank(5);
    let mut parts = [0u8; 4];
    for (number, part) in parts.iter_mut().enumerate() {
        if number > 0 {
            at = blank(at);
            if w.get(at) != Some(&b'.') {
                return None;
            }
            at = blank(at + 1);
        }
        let digits = w[at..].iter().take(8).take_while(|c| c.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        *part = atoi(&w[at..at + digits]) as u8;
        at += digits;
    }
    let brace = blank(at);
    let open = w.get(brace) == Some(&b'{');
    Some((Ipv4Addr::from(parts), if open { brace + 1 } else { at }, open))
}

/// Why a record is dropped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Torn,
    Damaged,
}

struct Salvaged {
    used: usize,
    fate: Fate,
    /// Where the statements stand that could not be read.
    left_out: Vec<usize>,
    lease: Option<Lease>,
}

fn salvage<R: Read>(declarations: &mut Declarations<R>) {
    let input = &mut declarations.lexer.input;
    input.require(2);
    skip_blank(input);
    input.require(REACH);
    let location = input.location(0);
    let window = input.window();
    let window = &window[..window.len().min(REACH)];
    // Comments may stand before the header that the trial read.
    let header = (0..window.len()).find(|at| lease_header(&window[*at..]).is_some());
    let Some(header) = header.filter(|at| {
        window[..*at].split(|c| *c == b'\n').all(|line| line.is_empty() || line[0] == b'#')
    }) else {
        drop_record(declarations, false, Passed::Bytes);
        return;
    };
    let salvaged = read_statements(window, header, &declarations.rules);
    let mut places: Vec<Location> = Vec::new();
    let base = input.offset();
    for at in &salvaged.left_out {
        let lines = memchr::memchr_iter(b'\n', &window[..*at]).count() as u64;
        let start = memchr::memrchr(b'\n', &window[..*at]).map_or(0, |end| end + 1);
        places.push(Location {
            offset: base + *at as u64,
            line: location.line + lines,
            column: (at - start) as u64 + 1,
        });
    }
    input.advance(salvaged.used.max(1));
    let subject = salvaged.lease.as_ref().map(|lease| format!("lease {}", lease.address));
    match (salvaged.fate, salvaged.lease) {
        (Fate::Kept, Some(lease)) => {
            if places.is_empty() {
                let message = "read to its end".to_owned();
                note(declarations, location, subject, message, Consequence::Rescued);
            } else {
                for place in places {
                    let message = "statement left out, the rest of the record read".to_owned();
                    note(declarations, place, subject.clone(), message, Consequence::Rescued);
                }
            }
            declarations.started = location;
            declarations.enter(&lease);
        }
        (fate, _) => {
            declarations.gathered.counts.rejected += 1;
            let (message, consequence) = if fate == Fate::Torn { TORN } else { DAMAGED };
            note(declarations, location, subject, message.to_owned(), consequence);
        }
    }
}

fn read_statements(w: &[u8], header: usize, rules: &Rules) -> Salvaged {
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
            let whole = !record.damaged && !record.torn && record.is_plausible();
            break (at, if whole { Fate::Kept } else { Fate::Torn });
        }
        let before = at;
        at = record.statement(w, at, rules);
        // Without its brace, a record must at least go on as one.
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
    /// NUL or 0xFF bytes stood in it.
    damaged: bool,
    /// The statement read last did not end as statements do.
    torn: bool,
}

/// `seenmask` bits of dhcpd for the binding state and `tstp`.
const BINDING: u32 = 256;
const TSTP: u32 = 65536;

impl Record {
    /// Reads the statement at `at`, or passes over it; returns where the next one starts.
    fn statement(&mut self, w: &[u8], at: usize, rules: &Rules) -> usize {
        self.torn = false;
        let text = &w[at..w.len().min(at + STATEMENT)];
        if let Some(used) = self.trial(text, rules) {
            return at + used;
        }
        let line = memchr::memchr(b'\n', text).map_or(text, |end| &text[..end]);
        if let Some(used) = self.odd_date(line) {
            return at + used;
        }
        // A semicolon may be missing at the end of the line.
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
        self.torn = true;
        let end = at + end_of_bad(text);
        self.damaged |= w[at..end].iter().any(|c| matches!(c, 0 | 0xff));
        self.torn = !w[at..end].trim_ascii_end().ends_with(b";");
        end
    }

    /// dhcpd's parser on one statement: how long it is, when it loses nothing.
    fn trial(&mut self, text: &[u8], rules: &Rules) -> Option<usize> {
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

    /// Dates as other programs write them: with `UTC` behind, or in the order of ISO 8601.
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
            Date(i64::from(seconds(day[0], day[1], day[2], [clock[0], clock[1], clock[2]], 0)));
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

    /// True when the record says enough to be a whole one that only lacks its brace.
    fn is_plausible(&self) -> bool {
        let owned = self.lease.hardware.is_some() || !self.lease.uid.is_empty();
        self.seen & BINDING != 0 && (owned || self.lease.state != BindingState::Active)
    }

    fn finish(&mut self, rules: &Rules) {
        if self.seen & BINDING == 0 {
            Declarations::<&[u8]>::make_up_state(rules, &mut self.lease);
        }
        if self.seen & TSTP == 0 {
            self.lease.tstp = self.lease.ends;
        }
    }
}

/// The length of a statement that cannot be read: to the end of its line or of its block, to a
/// semicolon with something sensible behind it, or to the next header.
fn end_of_bad(text: &[u8]) -> usize {
    if text.starts_with(b"on ") {
        return end_of_block(text);
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

/// A block as dhcpd writes it: lines that end in a brace open, lines that start with one close.
fn end_of_block(text: &[u8]) -> usize {
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
