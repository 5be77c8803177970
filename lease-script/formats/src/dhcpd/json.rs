//! Leases as JSON, with the keys that the recordings of dhcpd use.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::hex::Plain;

use super::ia::Ia;
use super::ia_kind::IaKind;
use super::lease::{BindingState, Date, Lease, SetValue, agent_option_name};
use super::reader::{Reading, Verdict};

fn quote(out: &mut String, text: impl Iterator<Item = char>) {
    out.push('"');
    for c in text {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' | '\x7f'..='\u{9f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

fn hex(out: &mut String, bytes: &[u8]) {
    let _ = write!(out, "\"{}\"", Plain(bytes));
}

fn date(out: &mut String, date: Date) {
    if date.is_absent() {
        out.push_str("null");
    } else if date.is_never() {
        out.push_str("\"never\"");
    } else {
        let _ = write!(out, "{}", date.0);
    }
}

fn state(out: &mut String, state: Option<BindingState>) {
    match state {
        Some(state) => {
            let _ = write!(out, "\"{state}\"");
        }
        None => out.push_str("null"),
    }
}

fn set(out: &mut String, set: &[(String, SetValue)]) {
    out.push('{');
    for (at, (name, value)) in set.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        quote(out, name.chars());
        out.push_str(": ");
        match value {
            SetValue::Data(bytes) => hex(out, bytes),
            SetValue::Number(number) => {
                let _ = write!(out, "{number}");
            }
            SetValue::Boolean(boolean) => {
                let _ = write!(out, "{boolean}");
            }
        }
    }
    out.push('}');
}

fn agent(out: &mut String, options: &[(u8, Vec<u8>)]) {
    out.push('{');
    let mut first = true;
    for (at, (code, value)) in options.iter().enumerate() {
        // A repeated option replaces the earlier one.
        if options[at + 1..].iter().any(|(later, _)| later == code) {
            continue;
        }
        if !first {
            out.push_str(", ");
        }
        first = false;
        quote(out, agent_option_name(*code).chars());
        out.push_str(": ");
        hex(out, value);
    }
    out.push('}');
}

/// Returns a lease as a JSON object.
pub fn lease_to_json(lease: &Lease) -> String {
    let mut out = String::with_capacity(400);
    out.push('{');
    for (name, value) in lease.dates() {
        let _ = write!(out, "\"{name}\": ");
        date(&mut out, value);
        out.push_str(", ");
    }
    for (name, value) in [
        ("state", Some(lease.state)),
        ("next_state", lease.next_state),
        ("rewind_state", lease.rewind_state),
    ] {
        let _ = write!(out, "\"{name}\": ");
        state(&mut out, value);
        out.push_str(", ");
    }
    out.push_str("\"hardware\": ");
    match &lease.hardware {
        Some(hardware) => {
            let _ = write!(out, "\"{hardware}\"");
        }
        None => out.push_str("null"),
    }
    out.push_str(", \"uid\": ");
    if lease.uid.is_empty() {
        out.push_str("null");
    } else {
        hex(&mut out, &lease.uid);
    }
    out.push_str(", \"hostname\": ");
    match &lease.hostname {
        // Bytes above 127 are written as Latin-1 characters.
        Some(name) => quote(&mut out, name.iter().map(|&byte| char::from(byte))),
        None => out.push_str("null"),
    }
    let _ = write!(
        out,
        ", \"abandoned\": {}, \"reserved\": {}, \"bootp\": {}, \"set\": ",
        lease.state == BindingState::Abandoned,
        lease.reserved,
        lease.bootp
    );
    set(&mut out, &lease.set);
    out.push_str(", \"agent\": ");
    agent(&mut out, &lease.agent);
    out.push('}');
    out
}

/// Returns an identity association as a JSON object.
pub fn ia_to_json(ia: &Ia) -> String {
    let mut out = String::with_capacity(400);
    let kind = ia.kind.short_name();
    let _ = write!(out, "{{\"kind\": \"{kind}\", \"iaid_raw\": ");
    hex(&mut out, ia.iaid());
    out.push_str(", \"duid\": ");
    hex(&mut out, ia.duid());
    out.push_str(", \"cltt\": ");
    date(&mut out, ia.cltt);
    out.push_str(", \"addrs\": [");
    for (at, address) in ia.addresses.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        let _ = write!(out, "{{\"addr\": \"{}", address.address);
        if ia.kind == IaKind::Prefix {
            let _ = write!(out, "/{}", address.prefix_length);
        }
        let _ = write!(
            out,
            "\", \"state\": \"{}\", \"preferred\": {}, \"max\": {}, \"ends\": ",
            address.state, address.preferred, address.max
        );
        date(&mut out, address.ends);
        out.push_str(", \"sets\": ");
        set(&mut out, &address.set);
        let on: Vec<_> = address.on.iter().map(|(events, _)| events).collect();
        let _ = write!(out, ", \"on\": {on:?}}}");
    }
    out.push_str("]}");
    out
}

impl Reading {
    /// Writes one JSON object with `verdict`, `leases` and `ias`. `leases` and `ias` are `{}` if there are none, and `null`
    /// if dhcpd refuses to start or cannot rewrite the file.
    ///
    /// # Errors
    ///
    /// Returns the errors of `out`.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        write!(out, "{{\n\"verdict\": \"{}\",\n\"leases\": ", self.verdict)?;
        if matches!(self.verdict, Verdict::Refuses | Verdict::RewriteFails) {
            return writeln!(out, "null,\n\"ias\": null\n}}");
        }
        out.write_all(b"{")?;
        let mut first = true;
        for lease in self.leases() {
            let comma = if first { "" } else { "," };
            first = false;
            write!(out, "{comma}\n\"{}\": {}", lease.address, lease_to_json(&lease))?;
        }
        out.write_all(if first { b"},\n\"ias\": " } else { b"\n},\n\"ias\": " })?;
        let mut first = true;
        for ia in self.ias() {
            write!(out, "{}\n{}", if first { "[" } else { "," }, ia_to_json(ia))?;
            first = false;
        }
        out.write_all(if first { b"{}\n}\n" } else { b"\n]\n}\n" })
    }
}
