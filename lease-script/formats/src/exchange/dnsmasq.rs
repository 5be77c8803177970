//! dnsmasq's lease file: `EXPIRY HARDWARE ADDRESS NAME CLIENT-ID`, a `duid HEX` line, then
//! `EXPIRY [T]IAID ADDRESS NAME DUID` (`lease_update_file` and `read_leases` of its lease.c). Since release 2.92, lines
//! `agent-info ADDRESS HEX` and `vendorclass ADDRESS HEX` may follow.

use std::io::{self, BufRead};
use std::net::IpAddr;

use crate::dhcpd::{BindingState, Date, IaKind, Lease};
use crate::hex;

use super::database::{Binding, Database, active, active6, breaks_line_format};
use super::dnsmasq_line::{
    LONGEST_HARDWARE, hardware_text, iaid_text, lease_line, parse_hardware, parse_iaid,
    server_duid_line,
};
use super::fields::{FieldKind, lost_of_binding, lost_of_lease};
use super::further::Field;
use super::lines::{BYTE_ORDER_MARK, Effect, Line, Lines, Problem, Read};
use super::losses::Losses;

/// The name of the format in messages.
const FORMAT: &str = "dnsmasq's lease file";

/// The keywords of the lines that follow the leases since release 2.92, and the names of the fields that store them.
const EXTRAS: [(&str, &str); 2] =
    [("agent-info", "dnsmasq.agent-info"), ("vendorclass", "dnsmasq.vendorclass")];

/// Maximum length of a client identifier that dnsmasq reads completely.
const MAX_CLIENT_ID: usize = 255;

/// The meaning of the times in a lease file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// Seconds since 1970.
    Absolute,
    /// Lengths in seconds from this time on, as a build with HAVE_BROKEN_RTC writes them.
    Lengths(i64),
    /// Seconds since 1970 or, if all of them are too small for that, lengths from this time on.
    Detect(i64),
}

/// Smaller numbers are lengths: dnsmasq did not exist before 1980.
const FIRST_TIME: i64 = 315_532_800;

/// Reads a lease file.
///
/// # Errors
/// If the source cannot be read, or exceeds the limits of this crate.
pub fn read(source: impl BufRead, times: Times) -> io::Result<Read> {
    let mut reader = Reader { read: Read::default() };
    let mut lines = Lines::new(source);
    let mut line = Vec::new();
    loop {
        match lines.next(&mut line)? {
            Line::End => break,
            Line::TooLong(number) => {
                reader.problem(number, 1, "an overlong line: left out", Effect::LeftOut);
            }
            Line::Text(number, ended) => {
                let mut text = &line[..];
                if number == 1
                    && let Some(rest) = line.strip_prefix(BYTE_ORDER_MARK)
                {
                    let message = "a byte order mark: dnsmasq reads the time after it as infinite";
                    reader.problem(number, 1, message, Effect::LostByServer);
                    text = rest;
                }
                reader.read.check_limit(number)?;
                if let Err((column, message)) = reader.line(text) {
                    let torn = if ended { "" } else { "; the last line is torn" };
                    reader.problem(number, column, &format!("{message}{torn}"), Effect::LeftOut);
                }
            }
        }
    }
    let mut read = reader.read;
    read.keep_last();
    match times {
        Times::Absolute => {}
        Times::Lengths(now) => begin_lengths_at(&mut read.database, now),
        Times::Detect(now) => {
            if has_lengths(&read.database) {
                begin_lengths_at(&mut read.database, now);
                read.notes.push(
                    "the times are lengths, as a build with HAVE_BROKEN_RTC writes them: counted \
                     from now (--now), since the file does not say when they began"
                        .to_owned(),
                );
            }
        }
    }
    Ok(read)
}

/// Returns the ends of all leases.
fn ends(database: &mut Database) -> impl Iterator<Item = &mut Date> {
    let leases = database.leases.iter_mut().flat_map(|lease| [&mut lease.ends, &mut lease.tstp]);
    leases.chain(database.bindings.iter_mut().map(|binding| &mut binding.held.ends))
}

/// Returns whether there are ends, and all of them are too small for times.
fn has_lengths(database: &Database) -> bool {
    let leases = database.leases.iter().map(|lease| lease.ends);
    let bindings = database.bindings.iter().map(|binding| binding.held.ends);
    let mut ends = leases.chain(bindings).filter(|ends| !ends.is_never()).peekable();
    ends.peek().is_some() && ends.all(|ends| ends.0 < FIRST_TIME)
}

fn begin_lengths_at(database: &mut Database, now: i64) {
    for end in ends(database).filter(|end| !end.is_never()) {
        end.0 = end.0.saturating_add(now);
    }
}

struct Reader {
    read: Read,
}

type Broken = (usize, String);

impl Reader {
    fn problem(&mut self, line: u64, column: usize, message: &str, effect: Effect) {
        self.read.add(Problem { line, column, message: message.to_owned(), effect });
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Broken> {
        let (all, count) = words(line);
        let words = &all[..count];
        let broken = |at: usize, message: &str| -> Broken {
            let column = words.get(at).map_or(line.len() + 1, |(column, _)| column + 1);
            (column, message.to_owned())
        };
        let text = |at: usize| words.get(at).map_or(&b""[..], |(_, word)| word);
        if words.is_empty() {
            return Ok(());
        }
        if text(0) == b"duid" {
            let duid = hex::decode(text(1)).filter(|duid| !duid.is_empty() && words.len() == 2);
            let duid = duid.ok_or_else(|| {
                broken(1, "not a DUID (hexadecimal with colons): dnsmasq stops reading here")
            })?;
            self.read.database.server_duid = Some(duid);
            return Ok(());
        }
        if let Some((_, field)) = EXTRAS.iter().find(|(name, _)| name.as_bytes() == text(0)) {
            let address = parse_address(text(1)).filter(|_| words.len() == 3);
            let address = address.ok_or_else(|| broken(1, "expected an address and a value"))?;
            hex::decode(text(2)).ok_or_else(|| broken(2, "not hexadecimal with colons"))?;
            self.read.database.further.add(address, Field::new(field, text(2)));
            return Ok(());
        }
        if words.len() != 5 {
            let is_one = words.len() == 1;
            let count =
                if is_one { "one word".to_owned() } else { format!("{} words", words.len()) };
            let message = format!(
                "{count} instead of five: dnsmasq reads words, so it misreads all lines that follow"
            );
            return Err(broken(5, &message));
        }
        let seconds: i64 = std::str::from_utf8(text(0))
            .ok()
            .and_then(|time| time.parse().ok())
            .filter(|time| *time >= 0)
            .ok_or_else(|| broken(0, "not a time: dnsmasq reads it as an infinite lease"))?;
        let address = parse_address(text(2))
            .ok_or_else(|| broken(2, "not an address: dnsmasq ignores the line"))?;
        let ends = if seconds == 0 { Date::NEVER } else { Date(seconds) };
        let id = match text(4) {
            b"*" => Vec::new(),
            id => hex::decode(id)
                .ok_or_else(|| broken(4, "not a client identifier: hexadecimal or *"))?,
        };
        let name = Some(text(3).to_vec()).filter(|name| name != b"*");
        match address {
            IpAddr::V4(address) => {
                let hardware = parse_hardware(text(1)).ok_or_else(|| {
                    broken(1, "not a hardware address: dnsmasq crashes on it when it starts")
                })?;
                let mut lease = active(address);
                (lease.ends, lease.tstp) = (ends, ends);
                (lease.hardware, lease.uid, lease.hostname) = (hardware, id, name);
                self.read.database.leases.push(lease);
            }
            IpAddr::V6(address) => {
                let (kind, iaid) = parse_iaid(text(1))
                    .ok_or_else(|| broken(1, "not an IAID: a number, or T and a number"))?;
                let mut held = active6(address);
                held.ends = ends;
                let cltt = Date::ABSENT;
                self.read.database.bindings.push(Binding {
                    kind,
                    iaid,
                    duid: id,
                    cltt,
                    held,
                    hostname: name,
                    hardware: None,
                });
            }
        }
        Ok(())
    }
}

fn parse_address(word: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// Maximum number of words that are read from a line. A lease has five.
const MAX_WORDS: usize = 7;

/// Returns the first words of a line with their positions, and their number. White space is that of C's `isspace`.
fn words(line: &[u8]) -> ([(usize, &[u8]); MAX_WORDS], usize) {
    let blank = |c: &u8| matches!(c, b' ' | b'\t'..=b'\r');
    let mut words: [(usize, &[u8]); MAX_WORDS] = [(0, b""); MAX_WORDS];
    let mut count = 0;
    let mut at = 0;
    while at < line.len() && count < MAX_WORDS {
        let Some(start) = line[at..].iter().position(|c| !blank(c)) else { break };
        let start = at + start;
        let end = line[start..].iter().position(blank).map_or(line.len(), |end| start + end);
        words[count] = (start, &line[start..end]);
        count += 1;
        at = end;
    }
    (words, count)
}

/// Writes the leases that dnsmasq would keep if it started at the time `now`.
pub fn write(database: &Database, now: i64, losses: &mut Losses) -> Vec<u8> {
    let mut out = Vec::new();
    database.lost_further("dnsmasq.", FORMAT, losses);
    database.lost_non_leases(FORMAT, losses);
    for lease in &database.leases {
        lease4(&mut out, lease, now, losses);
    }
    let live: Vec<&Binding> = database
        .bindings
        .iter()
        .filter(|binding| {
            let address = binding.held.address;
            if binding.kind == IaKind::Prefix {
                losses.add("a delegated prefix: dnsmasq's lease file has none", address);
                return false;
            }
            lives(binding.held.state, binding.held.ends, now, address.into(), losses)
        })
        .collect();
    match &database.server_duid {
        Some(duid) => {
            out.extend_from_slice(&server_duid_line(duid));
            out.push(b'\n');
        }
        None if live.is_empty() => {}
        None => losses.add(
            "no server DUID known: dnsmasq generates a new one, and drops DHCPv6 leases",
            "DHCPv6",
        ),
    }
    for binding in live {
        lease6(&mut out, binding, losses);
    }
    for (address, field) in database.further.iter() {
        let extra = EXTRAS.iter().find(|(_, name)| *name == field.name);
        if let Some((name, _)) = extra {
            let start = format!("{name} {address} ");
            out.extend_from_slice(&[start.as_bytes(), &field.value, b"\n"].concat());
        }
    }
    out
}

/// Returns whether dnsmasq would keep a lease. Otherwise counts it as a loss.
fn lives(state: BindingState, ends: Date, now: i64, address: IpAddr, losses: &mut Losses) -> bool {
    if state != BindingState::Active {
        losses.add(format!("{state}: dnsmasq has lines for active leases only"), address);
        return false;
    }
    if ends.is_absent() || (!ends.is_never() && ends.0 <= now) {
        losses.add("ended: dnsmasq would drop it when it starts", address);
        return false;
    }
    true
}

fn time(ends: Date) -> i64 {
    if ends.is_never() { 0 } else { ends.0 }
}

fn name<'a>(name: Option<&'a Vec<u8>>, address: IpAddr, losses: &mut Losses) -> &'a [u8] {
    match name {
        None => b"*",
        Some(name) if breaks_line_format(name) || name == b"*" => {
            losses.add("its host name would break the line: left out", address);
            b"*"
        }
        Some(name) => name,
    }
}

fn id(id: &[u8], address: IpAddr, losses: &mut Losses) -> Vec<u8> {
    if id.len() > MAX_CLIENT_ID {
        losses.add(
            format!("a client identifier of more than {MAX_CLIENT_ID} bytes: left out"),
            address,
        );
    }
    if id.is_empty() || id.len() > MAX_CLIENT_ID { b"*".to_vec() } else { hex::encode(id) }
}

fn append_line(
    out: &mut Vec<u8>,
    time: i64,
    client: &[u8],
    address: IpAddr,
    name: &[u8],
    id: &[u8],
) {
    let (time, address) = (time.to_string(), address.to_string());
    out.extend_from_slice(&lease_line(time.as_bytes(), client, &address, name, id));
    out.push(b'\n');
}

fn lease4(out: &mut Vec<u8>, lease: &Lease, now: i64, losses: &mut Losses) {
    let address = IpAddr::V4(lease.address);
    if !lives(lease.state, lease.ends, now, address, losses) {
        return;
    }
    let (kind, bytes) = match &lease.hardware {
        Some(hardware) => (hardware.kind, &hardware.bytes[..]),
        None => (0, &b""[..]),
    };
    if bytes.len() > LONGEST_HARDWARE {
        losses.add(
            format!(
                "a hardware address of more than {LONGEST_HARDWARE} bytes: the lease is left out"
            ),
            address,
        );
        return;
    }
    let name = name(lease.hostname.as_ref(), address, losses);
    let id = id(&lease.uid, address, losses);
    append_line(out, time(lease.ends), &hardware_text(kind, bytes), address, name, &id);
    use FieldKind::{ClientId, Hardware, HostName};
    lost_of_lease(lease, &[Hardware, ClientId, HostName], FORMAT, losses);
}

fn lease6(out: &mut Vec<u8>, binding: &Binding, losses: &mut Losses) {
    let address = IpAddr::V6(binding.held.address);
    let Some(iaid) = iaid_text(binding.kind, binding.iaid) else { return };
    let name = name(binding.hostname.as_ref(), address, losses);
    let id = id(&binding.duid, address, losses);
    append_line(out, time(binding.held.ends), iaid.as_bytes(), address, name, &id);
    lost_of_binding(binding, &[FieldKind::HostName], FORMAT, losses);
}
