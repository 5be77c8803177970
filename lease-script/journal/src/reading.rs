//! The reader of a journal. It keeps the last declaration of each subject as text.
//!
//! This is not a parser of dhcpd's whole grammar (`lease_formats` has one). It finds where statements begin and end, and
//! parses those that matter for a lease. All others are kept as text.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use lease_formats::dhcpd::IaKind;

use crate::block::{Block, inner};
use crate::declaration::{Declaration, Subject};
use crate::syntax::{
    Scan, bytes, is_end, line_length, next_declaration, statement, without_comments, word,
};

/// The declarations of a journal or of one record.
#[derive(Debug, Default)]
pub struct Reading {
    /// The last declaration of each subject, in the order of the text.
    pub(crate) declarations: Vec<Declaration>,
    /// Whether the IAIDs in the text are big-endian, if the text declares it.
    pub(crate) is_big_endian: Option<bool>,
    /// The first problem.
    pub(crate) fault: Option<String>,
}

impl Reading {
    /// Parses a text. Skips what cannot be parsed: a statement of a lease or an association, or everything up to the next
    /// declaration.
    pub fn parse(text: &[u8]) -> Self {
        let mut reading = Self::default();
        let mut at = 0;
        while at < text.len() {
            let start = match statement(&text[at..]) {
                Scan::Blank => break,
                Scan::Complete { start, end } => {
                    let place = at + start..at + end;
                    at = place.end;
                    match reading.declare(&without_comments(&text[place.clone()]), &place) {
                        Some(Readable::Whole) => continue,
                        Some(Readable::Parts) => {
                            reading.note(text, place.start, "unreadable statement");
                            continue;
                        }
                        None => place.start,
                    }
                }
                Scan::Torn(start) => at + start,
            };
            let rest = &text[start..];
            if rest[0] == b'#' && !rest.iter().any(|c| matches!(c, b'\n' | 0 | 0xff)) {
                // A comment at the end of the text without a line break.
                break;
            }
            reading.note(text, start, "unreadable text");
            at = next_declaration(text, start + 1);
        }
        reading.keep_last();
        reading
    }

    /// Records a problem in the declaration at `at`, unless there was an earlier one.
    fn note(&mut self, text: &[u8], at: usize, what: &str) {
        if self.fault.is_none() {
            let line = text[..at].iter().filter(|c| **c == b'\n').count() + 1;
            self.fault = Some(format!("from line {line}: {what}"));
        }
    }

    /// Adds the declaration in a statement without comments. Returns `None` if the statement declares nothing.
    fn declare(&mut self, statement: &[u8], place: &Range<usize>) -> Option<Readable> {
        let mut rest = statement;
        let name = word(&mut rest).to_ascii_lowercase();
        let subject = match &name[..] {
            b"lease" => Subject::Lease(std::str::from_utf8(word(&mut rest)).ok()?.parse().ok()?),
            b"ia-na" => self.association(IaKind::NonTemporary, word(&mut rest))?,
            b"ia-ta" => self.association(IaKind::Temporary, word(&mut rest))?,
            b"ia-pd" => self.association(IaKind::Prefix, word(&mut rest))?,
            b"server-duid" => {
                let duid = bytes(word(&mut rest)).filter(|duid| duid.len() > 2)?;
                return is_end(rest).then(|| self.enter(Subject::ServerDuid, duid, place));
            }
            b"authoring-byte-order" => {
                let order = word(&mut rest);
                let is_big_endian = order.eq_ignore_ascii_case(b"big-endian");
                let is_known = is_big_endian || order.eq_ignore_ascii_case(b"little-endian");
                return (is_known && is_end(rest)).then(|| {
                    self.is_big_endian.get_or_insert(is_big_endian);
                    Readable::Whole
                });
            }
            b"host" | b"group" | b"class" | b"subclass" | b"failover" => {
                let text = [statement.trim_ascii(), b"\n"].concat();
                return Some(self.enter(Subject::Other(name_of(&text)), text, place));
            }
            _ => return None,
        };
        if word(&mut rest) != b"{" {
            return None;
        }
        let (body, readable) = readable_statements(inner(rest)?);
        self.enter(subject, body, place);
        Some(readable)
    }

    fn enter(&mut self, subject: Subject, body: Vec<u8>, place: &Range<usize>) -> Readable {
        self.declarations.push(Declaration { subject, body, place: place.clone() });
        Readable::Whole
    }

    fn association(&self, kind: IaKind, id: &[u8]) -> Option<Subject> {
        let mut id = bytes(id).filter(|id| id.len() > 5)?;
        if self.is_big_endian == Some(true) {
            id[..4].reverse();
        }
        Some(Subject::Association(kind, id))
    }

    /// Removes declarations that are replaced by later ones.
    fn keep_last(&mut self) {
        self.declarations.reverse();
        self.declarations.sort_by(|one, other| one.subject.cmp(&other.subject));
        self.declarations.dedup_by(|earlier, last| earlier.subject == last.subject);
        self.declarations.sort_by_key(|declaration| declaration.place.start);
    }

    /// Returns the last declaration of each subject, in the order of the journal.
    pub fn declarations(&self) -> impl Iterator<Item = &Declaration> {
        self.declarations.iter()
    }

    /// Returns the first problem, if there is one.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Returns the DUID of the server.
    pub fn server_duid(&self) -> Option<&[u8]> {
        self.declarations.iter().find_map(Declaration::server_duid)
    }

    pub(crate) fn has_declarations(&self) -> bool {
        !self.declarations.is_empty() || self.is_big_endian.is_some()
    }

    /// Returns the declared addresses, sorted. With `only_active`, returns only those with an active lease.
    pub(crate) fn addresses(&self, only_active: bool) -> Vec<IpAddr> {
        let all = self.declarations.iter().flat_map(Declaration::addresses);
        let mut found: Vec<IpAddr> =
            all.filter(|(_, is_active)| *is_active || !only_active).map(|(at, _)| at).collect();
        found.sort();
        found.dedup();
        found
    }

    /// Returns whether no address has an active lease in two associations.
    pub(crate) fn holders_are_unique(&self) -> bool {
        let held = self.declarations.iter().flat_map(Declaration::held_addresses);
        let mut held: Vec<Ipv6Addr> = held.collect();
        held.sort();
        held.windows(2).all(|pair| pair[0] != pair[1])
    }
}

/// How much of a declaration can be parsed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readable {
    Whole,
    /// Some statements are skipped.
    Parts,
}

/// Returns the statements that can be parsed, one per line.
fn readable_statements(text: &[u8]) -> (Vec<u8>, Readable) {
    let mut body = Vec::with_capacity(text.len());
    let mut readable = Readable::Whole;
    let mut rest = text;
    // Without a limit, searching for the next statement in every line would take long for long texts.
    let mut attempts = 16;
    loop {
        let start = match statement(rest) {
            Scan::Blank => return (body, readable),
            Scan::Complete { start, end } if Block::is_readable(&rest[start..end]) => {
                body.extend_from_slice(&[b"  ", rest[start..end].trim_ascii(), b"\n"].concat());
                rest = &rest[end..];
                continue;
            }
            Scan::Complete { start, .. } | Scan::Torn(start) => start,
        };
        readable = Readable::Parts;
        attempts -= 1;
        if attempts == 0 {
            return (body, readable);
        }
        rest = &rest[start + line_length(&rest[start..])..];
    }
}

/// Returns what identifies a declaration of another program. A later declaration with the same identification replaces it.
/// dhcpd declares a host again when the host changes, and a failover peer when its states change. Classes and groups can add
/// to each other, so they are identified by their whole text.
fn name_of(text: &[u8]) -> Vec<u8> {
    let head = text.split(|c| *c == b'{').next().unwrap_or_default();
    let body = text.get(head.len() + 1..).and_then(inner).unwrap_or_default();
    if head.starts_with(b"failover") {
        let names = Block(body).statements().map(|mut statement| word(&mut statement));
        return [head].into_iter().chain(names).collect::<Vec<_>>().concat();
    }
    if head.starts_with(b"host") { head.trim_ascii().to_vec() } else { text.to_vec() }
}
