//! The leases of bootpd, the DHCP server of a shared network connection on macOS (`/var/db/dhcpd_leases`, `DHCPLeases_write`
//! of its dhcpd.c): a block of `KEY=VALUE` lines for each client.

use std::io::{self, BufRead};

use super::database::{active, breaks_line_format};
use super::further::Field;
use super::lines::{Effect, Line, Lines, Problem, Read};
use crate::dhcpd::{Date, Hardware};
use crate::hex;

/// An infinite lease (`LEASE_INFINITY`).
const INFINITE: i64 = 0xffff_ffff;

/// The type of hardware address that marks a client identifier with a DUID.
const CLIENT_IDENTIFIER: u8 = 0xff;

/// The maximum number of lines of a block. bootpd writes about ten.
const MAX_VALUES: usize = 256;

/// An open block: the number of its first line, and its keys and values.
type OpenBlock = (u64, Vec<(Vec<u8>, Vec<u8>)>);

/// Reads a file of leases.
///
/// # Errors
/// If the source cannot be read, or exceeds the limits of this crate.
pub fn read(source: impl BufRead) -> io::Result<Read> {
    let mut read = Read::default();
    let mut lines = Lines::new(source);
    let mut line = Vec::new();
    let mut block: Option<OpenBlock> = None;
    loop {
        let (number, problem) = match lines.next(&mut line)? {
            Line::End => break,
            Line::TooLong(number) => (number, Some("an overlong line".to_owned())),
            Line::Text(number, _) => {
                let text = line.trim_ascii();
                let equals = memchr::memchr(b'=', text);
                let problem = match (text, &mut block, equals) {
                    (b"", ..) => None,
                    (b"{", open, _) => {
                        let unclosed = open.replace((number, Vec::new()));
                        unclosed.map(|(line, _)| format!("the block of line {line} is not closed"))
                    }
                    (b"}", open, _) => match open.take() {
                        Some((_, values)) => enter(&values, &mut read).err(),
                        None => Some("a closing brace without a block".to_owned()),
                    },
                    (_, Some((_, values)), Some(_)) if values.len() == MAX_VALUES => {
                        Some(format!("more than {MAX_VALUES} lines in a block"))
                    }
                    (_, Some((_, values)), Some(at)) => {
                        values.push((text[..at].to_vec(), text[at + 1..].to_vec()));
                        None
                    }
                    _ => Some("not a KEY=VALUE line of a block".to_owned()),
                };
                (number, problem)
            }
        };
        read.check_limit(number)?;
        if let Some(message) = problem {
            let message = format!("{message}: left out");
            read.add(Problem { line: number, column: 1, message, effect: Effect::LeftOut });
        }
    }
    if let Some((line, _)) = block {
        let message = "the block is torn: left out".to_owned();
        read.add(Problem { line, column: 1, message, effect: Effect::LeftOut });
    }
    read.keep_last();
    Ok(read)
}

fn enter(values: &[(Vec<u8>, Vec<u8>)], read: &mut Read) -> Result<(), String> {
    let value = |key: &str| {
        values.iter().rfind(|(known, _)| known == key.as_bytes()).map(|(_, value)| &value[..])
    };
    let text = |key: &str| value(key).and_then(|value| std::str::from_utf8(value).ok());
    let address = text("ip_address").and_then(|text| text.parse().ok());
    let mut lease = active(address.ok_or("ip_address is missing or invalid")?);
    let ends = text("lease")
        .and_then(|text| i64::from_str_radix(text.strip_prefix("0x")?, 16).ok())
        .ok_or_else(|| format!("lease {}: lease is missing or invalid", lease.address))?;
    lease.ends = if ends == INFINITE { Date::NEVER } else { Date(ends) };
    lease.tstp = lease.ends;
    let mut fields = Vec::new();
    let hardware = value("hw_address").map(|value| typed(value).ok_or("hw_address is invalid"));
    let hardware = hardware.transpose()?;
    let identifier = value("identifier").map(|value| typed(value).ok_or("identifier is invalid"));
    let identifier = identifier.transpose()?;
    match &hardware {
        Some((kind, bytes)) if *kind != CLIENT_IDENTIFIER && bytes.len() <= 20 => {
            lease.hardware = Some(Hardware { kind: *kind, bytes: bytes.clone() });
        }
        Some((kind, bytes)) => lease.uid = [&[*kind], &bytes[..]].concat(),
        None => {}
    }
    // bootpd repeats the hardware address for a client that sends no identifier.
    if let Some((kind, bytes)) =
        identifier.filter(|identifier| Some(identifier) != hardware.as_ref())
    {
        lease.uid = [&[kind], &bytes[..]].concat();
    }
    match value("name") {
        Some(name) if breaks_line_format(name) => fields.push(Field::new("bootpd.name", name)),
        name => lease.hostname = name.map(<[u8]>::to_vec),
    }
    for (key, value) in values {
        let known: [&[u8]; 5] = [b"name", b"ip_address", b"hw_address", b"identifier", b"lease"];
        if !known.contains(&&key[..]) {
            let name = format!("bootpd.{}", String::from_utf8_lossy(key));
            fields.push(Field { name: name.into(), value: value.clone() });
        }
    }
    read.database.further.put(lease.address.into(), fields);
    read.database.leases.push(lease);
    Ok(())
}

/// Parses `TYPE,BYTES`, both hexadecimal. Each byte has one or two digits.
fn typed(value: &[u8]) -> Option<(u8, Vec<u8>)> {
    let comma = memchr::memchr(b',', value)?;
    let kind = std::str::from_utf8(&value[..comma]).ok()?;
    Some((u8::from_str_radix(kind, 16).ok()?, hex::decode(&value[comma + 1..])?))
}
