//! The statements of a lease.

use std::net::Ipv6Addr;

use lease_formats::dhcpd::{Date, Hardware};
use lease_formats::hex;

use crate::syntax::{Scan, bytes, is_end, number, statement, word};

/// The statements of a lease, of an identity association, or of an address in an identity association.
#[derive(Clone, Copy, Debug)]
pub struct Block<'t>(pub(crate) &'t [u8]);

/// The binding states of dhcpd (`binding_state_names` of server/stables.c), and two keywords that also mean `active`.
const STATES: [&str; 9] =
    ["free", "active", "expired", "released", "abandoned", "reset", "backup", "reserved", "bootp"];

impl<'t> Block<'t> {
    /// Creates a block from the text of its statements.
    pub fn new(text: &'t [u8]) -> Self {
        Self(text)
    }

    /// Returns the statements up to the first incomplete one.
    pub(crate) fn statements(self) -> impl Iterator<Item = &'t [u8]> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let Scan::Complete { start, end } = statement(rest) else { return None };
            let (found, after) = rest.split_at(end);
            rest = after;
            Some(&found[start..])
        })
    }

    /// Returns the text after the name in the last statement with this name.
    fn find(self, name: &str) -> Option<&'t [u8]> {
        let mut found = None;
        for mut statement in self.statements() {
            if word(&mut statement).eq_ignore_ascii_case(name.as_bytes()) {
                found = Some(statement);
            }
        }
        found
    }

    /// Returns whether there is a statement with this name.
    pub(crate) fn has(self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Returns the binding state, or `None` if no statement gives it.
    pub(crate) fn state(self) -> Option<&'static str> {
        match (self.find("binding"), self.has("abandoned")) {
            (Some(rest), _) => state(rest),
            (None, is_abandoned) => is_abandoned.then_some("abandoned"),
        }
    }

    /// Returns whether the lease is active. In the old format of dhcpd, which has no states, a lease is active until its
    /// end.
    pub fn is_active(self) -> bool {
        match self.state() {
            Some(state) => matches!(state, "active" | "reserved" | "bootp"),
            None => self.ends().0 > 0 || self.has("on"),
        }
    }

    /// Returns the end of the lease, or [`Date::ABSENT`] if no statement gives it.
    pub fn ends(self) -> Date {
        self.find("ends").and_then(date).unwrap_or(Date::ABSENT)
    }

    /// Returns the hardware address of the client.
    pub fn hardware(self) -> Option<Hardware> {
        hardware(self.find("hardware")?)
    }

    /// Returns the client identifier.
    pub fn uid(self) -> Option<Vec<u8>> {
        bytes(word(&mut self.find("uid")?))
    }

    /// Returns the host name that the client sent.
    pub fn hostname(self) -> Option<Vec<u8>> {
        hostname(self.find("client-hostname")?)
    }

    /// Returns the value of a variable if it is a string or bytes.
    pub fn variable(self, name: &str) -> Option<Vec<u8>> {
        let mut value = None;
        for mut statement in self.statements() {
            if word(&mut statement).eq_ignore_ascii_case(b"set")
                && word(&mut statement).eq_ignore_ascii_case(name.as_bytes())
                && word(&mut statement) == b"="
            {
                value = bytes(word(&mut statement));
            }
        }
        value
    }

    /// Returns the addresses and prefixes of an identity association.
    pub fn addresses(self) -> impl Iterator<Item = (Ipv6Addr, Block<'t>)> {
        self.statements().filter_map(address)
    }

    /// Returns whether a statement can be parsed, or is one of those that are kept as text.
    pub(crate) fn is_readable(mut statement: &[u8]) -> bool {
        let whole = statement;
        let name = word(&mut statement).to_ascii_lowercase();
        match &name[..] {
            b"starts" | b"ends" | b"tstp" | b"tsfp" | b"atsfp" | b"cltt" => {
                date(statement).is_some()
            }
            b"binding" => state(statement).is_some(),
            b"next" | b"rewind" => {
                word(&mut statement).eq_ignore_ascii_case(b"binding") && state(statement).is_some()
            }
            b"uid" => bytes(word(&mut statement)).is_some() && is_end(statement),
            b"client-hostname" => hostname(statement).is_some(),
            b"hardware" => hardware(statement).is_some(),
            b"iaaddr" | b"iaprefix" => address(whole)
                .is_some_and(|(_, block)| block.state().is_some() && block.has("ends")),
            b"preferred-life" | b"max-life" => {
                number(word(&mut statement)).is_some() && is_end(statement)
            }
            b"set" => {
                word(&mut statement);
                word(&mut statement) == b"="
            }
            b"abandoned" | b"reserved" | b"dynamic-bootp" => is_end(statement),
            b"billing" | b"class" | b"ddns-fwd-name" | b"ddns-rev-name" | b"on" | b"option"
            | b"supersede" => true,
            _ => false,
        }
    }
}

/// Returns the text between the opening brace, which was already consumed, and the closing brace.
pub(crate) fn inner(rest: &[u8]) -> Option<&[u8]> {
    rest.trim_ascii_end().strip_suffix(b"}")
}

/// Parses `state STATE;`.
fn state(mut rest: &[u8]) -> Option<&'static str> {
    let is_state = word(&mut rest).eq_ignore_ascii_case(b"state");
    let name = word(&mut rest);
    let state = STATES.into_iter().find(|state| name.eq_ignore_ascii_case(state.as_bytes()))?;
    (is_state && is_end(rest)).then_some(state)
}

/// Parses a date and a semicolon.
fn date(mut rest: &[u8]) -> Option<Date> {
    let first = word(&mut rest);
    let date = if first.eq_ignore_ascii_case(b"never") {
        Date::NEVER
    } else if first.eq_ignore_ascii_case(b"epoch") {
        Date(number(word(&mut rest))?)
    } else {
        number(first)?;
        let day = three_numbers(word(&mut rest), b'/')?;
        let clock = three_numbers(word(&mut rest), b':')?;
        let mut offset = 0;
        if !is_end(rest) {
            let zone = word(&mut rest);
            let is_utc = zone.eq_ignore_ascii_case(b"utc") || zone.eq_ignore_ascii_case(b"gmt");
            offset = if is_utc { 0 } else { number(zone)? as i32 };
        }
        Date::calendar(day, clock, offset)
    };
    is_end(rest).then_some(date)
}

fn three_numbers(word: &[u8], separator: u8) -> Option<[i32; 3]> {
    let mut parts = word.split(|c| *c == separator);
    let mut next = || number(parts.next()?).map(|number| number as i32);
    let numbers = [next()?, next()?, next()?];
    parts.next().is_none().then_some(numbers)
}

/// Parses a hardware type, an optional address, and a semicolon.
fn hardware(mut rest: &[u8]) -> Option<Hardware> {
    let name = word(&mut rest).to_ascii_lowercase();
    let kind = match &name[..] {
        b"ethernet" => 1,
        b"token-ring" => 6,
        b"fddi" => 8,
        b"infiniband" => 32,
        other => number(other.strip_prefix(b"unknown-")?)? as u8,
    };
    let mut bytes = Vec::new();
    if !is_end(rest) {
        bytes = hex::decode(word(&mut rest))?;
    }
    (is_end(rest) && bytes.len() <= Hardware::MAX).then_some(Hardware { kind, bytes })
}

/// Parses a name, with or without quotes, and a semicolon.
fn hostname(mut rest: &[u8]) -> Option<Vec<u8>> {
    let name = word(&mut rest);
    let name = if name.starts_with(b"\"") { bytes(name)? } else { name.to_vec() };
    is_end(rest).then_some(name)
}

/// Returns the address or prefix that a statement declares, with its own statements.
pub(crate) fn address(mut statement: &[u8]) -> Option<(Ipv6Addr, Block<'_>)> {
    let name = word(&mut statement);
    if !name.eq_ignore_ascii_case(b"iaaddr") && !name.eq_ignore_ascii_case(b"iaprefix") {
        return None;
    }
    let address = word(&mut statement).split(|c| *c == b'/').next()?;
    let address = std::str::from_utf8(address).ok()?.parse().ok()?;
    (word(&mut statement) == b"{").then_some((address, Block(inner(statement)?)))
}
