//! Writes declarations that dhcpd reads back exactly.
//!
//! The format is that of `write_lease` and `write_ia` of dhcpd 4.4 (server/db.c), except that strings in `on` blocks are
//! escaped, and that declarations which dhcpd could not read again are rejected. The parser of this crate reads every record
//! back before it is returned, so that the written text is known to represent the given declaration.

use std::fmt;
use std::io::Write as _;

use super::ia_kind::IaKind;
use crate::hex::{self, Plain};

use super::date_range::DateRange;
use super::declaration::{ByteOrder, Declarations, Family, ParseRules};
use super::ia::{Ia, IaAddress};
use super::input::Input;
use super::keyword::keyword;
use super::lease::{BindingState, Date, Lease, SetValue, agent_option_name};
use super::lexer::{Lexer, Token, put_string};
use super::non_lease::NonLease;

/// Maximum length of a string that fits into the buffer of dhcpd's lexer (common/conflex.c).
const MAX_STRING: usize = 1499;
/// Maximum length of the identifier of an identity association that is read as a string.
const MAX_ID: usize = 131;

/// Why a record cannot be written: dhcpd would not read it back unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwritable {
    /// The record: `lease 10.0.0.1`, `ia-na 0100…`, `server-duid`.
    pub subject: String,
    /// The reason.
    pub reason: String,
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: not written", self.subject, self.reason)
    }
}

impl std::error::Error for Unwritable {}

type Refused = Result<(), String>;

/// Returns whether dhcpd writes a host name again at its next rewrite (`db_printable` of server/db.c). dhcpd reads and uses
/// other names but does not write them.
pub fn keeps_hostname(name: &[u8]) -> bool {
    super::restart::printable(name)
}

/// Appends the header of a file: comments, the byte order of IAIDs, and the DUID of the server if there is one. The header
/// must come before identity associations.
///
/// # Errors
/// If dhcpd would not read the DUID.
pub fn write_header(out: &mut Vec<u8>, server_duid: Option<&[u8]>) -> Result<(), Unwritable> {
    out.extend_from_slice(
        b"# The format of this file is documented in the dhcpd.leases(5) manual page.\n\
          # This lease file was written by lease-script.\n\n\
          # authoring-byte-order entry is generated, DO NOT DELETE\n\
          authoring-byte-order little-endian;\n\n",
    );
    server_duid.map_or(Ok(()), |duid| write_server_duid(out, duid))
}

/// Appends a `server-duid` statement.
///
/// # Errors
/// If the DUID has fewer than 3 or more than 127 bytes.
fn write_server_duid(out: &mut Vec<u8>, duid: &[u8]) -> Result<(), Unwritable> {
    if !(3..=127).contains(&duid.len()) {
        let reason = format!("a DUID of {} bytes", duid.len());
        return Err(Unwritable { subject: "server-duid".to_owned(), reason });
    }
    out.extend_from_slice(b"server-duid ");
    put_string(out, duid);
    out.extend_from_slice(b";\n\n");
    Ok(())
}

/// Appends a declaration other than a lease.
pub fn write_non_lease(out: &mut Vec<u8>, other: &NonLease) {
    out.extend_from_slice(&other.text);
    out.push(b'\n');
}

/// Checks that dhcpd reads a declaration other than a lease without a problem.
///
/// # Errors
/// If dhcpd would report a problem.
pub fn check_non_lease(other: &NonLease) -> Result<(), Unwritable> {
    let head = other.text.split(|c| matches!(c, b'{' | b';')).next().unwrap_or_default();
    let subject = String::from_utf8_lossy(head.trim_ascii()).into_owned();
    let mut reader = reader(&other.text, Family::V4);
    let token = reader.lexer.next();
    reader.other(token);
    same(reader, true).map_err(|reason| Unwritable { subject, reason })
}

/// Appends one `lease` declaration.
///
/// # Errors
/// If dhcpd would not read the declaration back unchanged, or could not write it again. Nothing is appended then.
pub fn write_lease(out: &mut Vec<u8>, lease: &Lease) -> Result<(), Unwritable> {
    checked(out, format!("lease {}", lease.address), |record| {
        put_lease(record, lease)?;
        let mut reader = reader(record, Family::V4);
        reader.lexer.next();
        let mut wanted = lease.clone();
        wanted.next_state.get_or_insert(lease.state);
        if lease.state != BindingState::Abandoned {
            wanted.rewind_state.get_or_insert(lease.state);
        }
        let read = reader.lease();
        same(reader, read.as_ref() == Some(&wanted))
    })
}

/// Appends one `ia-na`, `ia-ta` or `ia-pd` declaration, for a file whose byte order is little-endian.
///
/// # Errors
/// Returns the errors of [`write_lease`].
pub fn write_ia(out: &mut Vec<u8>, ia: &Ia) -> Result<(), Unwritable> {
    let id = Plain(&ia.id[..ia.id.len().min(16)]);
    let subject = format!("{} {id}", ia.kind.declaration_word());
    checked(out, subject, |record| {
        put_ia(record, ia)?;
        let mut reader = reader(record, Family::V6);
        reader.contents.byte_order = Some(ByteOrder::Little);
        let read = match reader.lexer.next() {
            Token::Keyword(keyword) => reader.trial_ia(keyword),
            _ => None,
        };
        same(reader, read.as_ref() == Some(ia))
    })
}

fn checked(
    out: &mut Vec<u8>,
    subject: String,
    write: impl FnOnce(&mut Vec<u8>) -> Refused,
) -> Result<(), Unwritable> {
    let mut record = Vec::with_capacity(512);
    write(&mut record).map_err(|reason| Unwritable { subject, reason })?;
    out.extend_from_slice(&record);
    Ok(())
}

fn reader(record: &[u8], family: Family) -> Declarations<&[u8]> {
    let rules = ParseRules {
        family,
        now: 0,
        config: None,
        pools: false,
        loose_blocks: false,
        date_range: DateRange::Full,
        history: None,
    };
    Declarations::new(Lexer::new(Input::small(record)), rules, false)
}

fn same(mut reader: Declarations<&[u8]>, equal: bool) -> Refused {
    let over = reader.lexer.next() == Token::End;
    if let Some(found) = reader.lexer.diagnostics.iter().next() {
        return Err(format!("dhcpd would log `{}`", found.message));
    }
    if equal && over { Ok(()) } else { Err("dhcpd would read a different declaration".to_owned()) }
}

fn short_string(out: &mut Vec<u8>, what: &str, bytes: &[u8]) -> Refused {
    if bytes.len() > MAX_STRING {
        return Err(format!("{what} of {} bytes, {MAX_STRING} at most", bytes.len()));
    }
    put_string(out, bytes);
    Ok(())
}

fn date(out: &mut Vec<u8>, indent: &str, name: &str, date: Date) -> Refused {
    if date.0 < 0 {
        return Err(format!("{name} before 1970, which makes dhcpd's rewrite fail"));
    }
    let _ = write!(out, "{indent}{name} ");
    date.write(out);
    out.extend_from_slice(b";\n");
    Ok(())
}

fn put_lease(out: &mut Vec<u8>, lease: &Lease) -> Refused {
    let _ = writeln!(out, "lease {} {{", lease.address);
    for (name, value) in lease.dates() {
        // Without `tstp`, dhcpd uses `ends`.
        let default = if name == "tstp" { lease.ends } else { Date::ABSENT };
        if value != default {
            date(out, "  ", name, value)?;
        }
    }
    if lease.state == BindingState::Abandoned && lease.rewind_state.is_none() {
        // The old format does not set `rewind`.
        out.extend_from_slice(b"  abandoned;\n");
    } else {
        let _ = writeln!(out, "  binding state {};", lease.state);
    }
    for (word, state) in [("next", lease.next_state), ("rewind", lease.rewind_state)] {
        if let Some(state) = state.filter(|state| *state != lease.state) {
            let _ = writeln!(out, "  {word} binding state {state};");
        }
    }
    if lease.reserved {
        out.extend_from_slice(b"  reserved;\n");
    }
    if lease.bootp {
        out.extend_from_slice(b"  dynamic-bootp;\n");
    }
    if let Some(hardware) = &lease.hardware {
        let _ = writeln!(out, "  hardware {hardware};");
    }
    if !lease.uid.is_empty() {
        out.extend_from_slice(b"  uid ");
        short_string(out, "a client identifier", &lease.uid)?;
        out.extend_from_slice(b";\n");
    }
    variables(out, "  ", &lease.set)?;
    for (code, value) in &lease.agent {
        agent_option(out, *code, value)?;
    }
    if let Some(class) = &lease.billing {
        out.extend_from_slice(b"  billing ");
        out.extend_from_slice(class);
        out.extend_from_slice(b";\n");
    }
    if let Some(name) = &lease.hostname {
        out.extend_from_slice(b"  client-hostname ");
        short_string(out, "a host name", name)?;
        out.extend_from_slice(b";\n");
    }
    for (event, text) in [("expiry", &lease.on_expiry), ("release", &lease.on_release)] {
        if let Some(text) = text {
            on_block(out, "  ", event, text);
        }
    }
    out.extend_from_slice(b"}\n");
    Ok(())
}

fn on_block(out: &mut Vec<u8>, indent: &str, events: &str, text: &[u8]) {
    let _ = write!(out, "{indent}on {events} {{\n{indent}  ");
    out.extend_from_slice(text);
    let _ = write!(out, "\n{indent}}}\n");
}

fn variables(out: &mut Vec<u8>, indent: &str, set: &[(String, SetValue)]) -> Refused {
    for (name, value) in set {
        let word = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.bytes().all(word) {
            return Err(format!("{name:?} is not a valid name of a variable"));
        }
        if keyword(name.as_bytes()).is_some() {
            return Err(format!("variable {name} is a keyword: dhcpd would drop the whole lease"));
        }
        let _ = write!(out, "{indent}set {name} = ");
        match value {
            SetValue::Data(bytes) => short_string(out, &format!("variable {name}"), bytes)?,
            SetValue::Number(number) => {
                let _ = write!(out, "%{number}");
            }
            SetValue::Boolean(boolean) => {
                let _ = write!(out, "{boolean}");
            }
        }
        out.extend_from_slice(b";\n");
    }
    Ok(())
}

fn agent_option(out: &mut Vec<u8>, code: u8, value: &[u8]) -> Refused {
    let name = agent_option_name(code);
    let _ = write!(out, "  option agent.{name} ");
    match (code, value) {
        (3 | 5, [a, b, c, d]) => {
            let _ = write!(out, "{a}.{b}.{c}.{d}");
        }
        (4, &[a, b, c, d]) => {
            let _ = write!(out, "{}", u32::from_be_bytes([a, b, c, d]));
        }
        (3..=5, _) => return Err(format!("agent.{name} of {} bytes", value.len())),
        _ => short_string(out, &format!("agent.{name}"), value)?,
    }
    out.extend_from_slice(b";\n");
    Ok(())
}

fn put_ia(out: &mut Vec<u8>, ia: &Ia) -> Refused {
    let _ = write!(out, "{} ", ia.kind.declaration_word());
    if ia.id.len() <= MAX_ID {
        put_string(out, &ia.id);
    } else {
        hex::append(out, &ia.id);
    }
    out.extend_from_slice(b" {\n");
    if !ia.cltt.is_absent() {
        date(out, "  ", "cltt", ia.cltt)?;
    }
    for held in &ia.addresses {
        put_ia_address(out, ia.kind, held)?;
    }
    out.extend_from_slice(b"}\n\n");
    Ok(())
}

fn put_ia_address(out: &mut Vec<u8>, kind: IaKind, held: &IaAddress) -> Refused {
    if kind == IaKind::Prefix {
        let _ = writeln!(out, "  iaprefix {}/{} {{", held.address, held.prefix_length);
    } else {
        let _ = writeln!(out, "  iaaddr {} {{", held.address);
    }
    let _ = writeln!(out, "    binding state {};", held.state);
    let _ = writeln!(out, "    preferred-life {};\n    max-life {};", held.preferred, held.max);
    date(out, "    ", "ends", held.ends)?;
    variables(out, "    ", &held.set)?;
    for (events, text) in &held.on {
        on_block(out, "    ", &events.join(" or "), text);
    }
    out.extend_from_slice(b"  }\n");
    Ok(())
}
