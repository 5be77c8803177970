//! Reads declarations, and skips everything else.

use std::io::Read;

use super::header::{is_header, lease_header};
use super::record::{Fate, read_statements};
use crate::dhcpd::declaration::{Declarations, Family, ReadEnd};
use crate::dhcpd::diagnostic::{Consequence, Diagnostic};
use crate::dhcpd::input::{Input, Location};
use crate::dhcpd::keyword::Keyword;
use crate::dhcpd::lexer::{Lexer, Token, is_space};

/// Maximum number of bytes of a damaged record that are examined.
const MAX_RECORD: usize = 64 * 1024;

/// Reads one declaration. Returns `Some` at the end.
pub(crate) fn declaration<R: Read>(declarations: &mut Declarations<R>) -> Option<ReadEnd> {
    let lexer = &mut declarations.lexer;
    lexer.subject = None;
    let (mark, counts) = (lexer.diagnostics.mark(), declarations.contents.counts);
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
                return Some(ReadEnd::OtherFamily);
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
                let message = "spelled as in dhcpd.leases(5): dhcpd does not read it".to_owned();
                let location = declarations.started;
                note(declarations, location, None, message, Consequence::Rescued);
            }
            declarations.enter_ia(ia);
        }
        return None;
    }
    // The first loss is the cause. Later diagnostics of the trial are consequences of abandoning it.
    let of_trial = declarations.lexer.diagnostics.since(mark);
    let is_loss = |found: &&Diagnostic| {
        !matches!(found.consequence, Consequence::Nothing | Consequence::ValueChanged)
    };
    let message = of_trial.iter().find(is_loss).or(of_trial.last()).cloned();
    let subject = message.as_ref().and_then(|message| message.subject.clone());
    declarations.lexer.diagnostics.roll_back(mark);
    declarations.contents.counts = counts;
    declarations.lexer.reset();
    declarations.lexer.take_lost_statements();
    declarations.lexer.input.rewind();
    if let Some(message) = message {
        declarations.lexer.diagnostics.push(message);
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

const TORN: (&str, Consequence) = ("torn record: an older one is kept", Consequence::Torn);

const DAMAGED: (&str, Consequence) = ("damaged record: an older one is kept", Consequence::Damaged);

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

/// Returns the keyword for `ia_na` and similar words, which dhcpd.leases(5) documents but dhcpd does not read.
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

/// Skips text that is not a declaration. Returns `Some` at the end of the file.
fn garbage<R: Read>(declarations: &mut Declarations<R>, token: Token) -> Option<ReadEnd> {
    let lexer = &mut declarations.lexer;
    if token == Token::End && lexer.input.is_complete() && lexer.input.window().is_empty() {
        lexer.input.release();
        // White space of any length is allowed at the end.
        lexer.fatal = false;
        return Some(ReadEnd::End);
    }
    lexer.reset();
    lexer.input.rewind();
    if std::mem::take(&mut lexer.fatal) {
        // White space overflowed dhcpd's buffer, but the text after it may be intact.
        let before = lexer.input.offset();
        skip_blank(&mut lexer.input);
        if lexer.input.offset() > before {
            return None;
        }
    }
    drop_record(declarations, false, Passed::Bytes);
    None
}

/// What to skip.
enum Passed {
    /// Any bytes.
    Bytes,
    /// A record, with its subject if known.
    Record(Option<String>),
}

/// Skips to the next text that looks like a declaration or, with `record`, like a record.
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
        let message = format!("{skipped} bytes that are not part of a declaration");
        note(declarations, location, None, message, Consequence::LeftOut);
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

/// Moves forward to the next header, by at least one byte. Returns the number of skipped bytes.
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

fn salvage<R: Read>(declarations: &mut Declarations<R>) {
    let input = &mut declarations.lexer.input;
    input.require(2);
    skip_blank(input);
    input.require(MAX_RECORD);
    let location = input.location(0);
    let window = input.window();
    let window = &window[..window.len().min(MAX_RECORD)];
    // Comments may precede the header that the trial read.
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
                let message = "record read to its end".to_owned();
                note(declarations, location, subject, message, Consequence::Rescued);
            } else {
                for place in places {
                    let message = "statement left out; the rest of the record is kept".to_owned();
                    note(declarations, place, subject.clone(), message, Consequence::LeftOut);
                }
            }
            declarations.started = location;
            declarations.enter(&lease);
        }
        (fate, _) => {
            declarations.contents.counts.rejected += 1;
            let (message, consequence) = if fate == Fate::Torn { TORN } else { DAMAGED };
            note(declarations, location, subject, message.to_owned(), consequence);
        }
    }
}
