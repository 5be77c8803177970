//! Writes the JSON form: `leases` by address and `ias`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::Ipv6Addr;

use dnsmasq_model::hex_digits;
use lease_formats::dhcpd::{
    BindingState, Date, Ia, IaKind, Lease, NonLease, ia_to_json, lease_to_json,
};
use lease_formats::exchange::{Binding, Database, Field};
use serde_json::{Map, Value, json};

/// Writes a database; without one, its parts are `null`. Leases that have ended at `now` are marked.
pub(super) fn write(
    database: Option<&Database>,
    verdict: Option<&str>,
    now: Option<i64>,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{{")?;
    if let Some(verdict) = verdict {
        writeln!(out, "\"verdict\": {},", json!(verdict))?;
    }
    let Some(database) = database else {
        return writeln!(out, "\"leases\": null,\n\"ias\": null\n}}");
    };
    write!(out, "\"leases\": {{")?;
    for (at, lease) in database.leases.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        write!(out, "{comma}\n\"{}\": {}", lease.address, lease_text(database, lease, now))?;
    }
    write!(out, "\n}},\n\"ias\": ")?;
    let names = Names::of(database);
    let associations = database.associations();
    for (at, ia) in associations.iter().enumerate() {
        let value = escape_controls(names.association(ia, now).to_string());
        write!(out, "{}\n{value}", if at == 0 { "[" } else { "," })?;
    }
    out.write_all(if associations.is_empty() { b"{}" } else { b"\n]" })?;
    if let Some(duid) = &database.server_duid {
        write!(out, ",\n\"server_duid\": \"{}\"", hex_digits(duid))?;
    }
    if !database.non_leases.is_empty() {
        let declaration =
            |other: &NonLease| json!({"kind": other.kind, "text": latin(&other.text)});
        let list: Vec<Value> = database.non_leases.iter().map(declaration).collect();
        write!(out, ",\n\"non_leases\": {}", escape_controls(Value::Array(list).to_string()))?;
    }
    writeln!(out, "\n}}")
}

/// Escapes the control characters that `serde_json` leaves in strings.
fn escape_controls(json: String) -> String {
    let is_left = |c: char| matches!(c, '\u{7f}'..='\u{9f}');
    if !json.contains(is_left) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_left(c) {
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Whether a lease has ended.
fn has_ended(state: BindingState, ends: Date, now: Option<i64>) -> bool {
    state == BindingState::Active && !ends.is_never() && now.is_some_and(|now| ends.0 <= now)
}

/// The fields of other formats, as Latin-1 text.
fn further(fields: &[Field]) -> Option<Value> {
    let entry = |field: &Field| (field.name.to_string(), json!(latin(&field.value)));
    (!fields.is_empty()).then(|| Value::Object(fields.iter().map(entry).collect()))
}

/// A lease with all that a format can say about it.
fn lease_text(database: &Database, lease: &Lease, now: Option<i64>) -> String {
    let mut more = Map::new();
    let text = |text: &Option<Vec<u8>>| text.as_ref().map(|text| json!(latin(text)));
    for (key, value) in [
        ("billing", text(&lease.billing)),
        ("on_expiry", text(&lease.on_expiry)),
        ("on_release", text(&lease.on_release)),
        ("further", further(database.further.of(lease.address.into()))),
        ("expired", has_ended(lease.state, lease.ends, now).then_some(json!(true))),
    ] {
        more.extend(value.map(|value| (key.to_owned(), value)));
    }
    let mut whole = lease_to_json(lease);
    if !more.is_empty() {
        whole.truncate(whole.len() - 1);
        whole.push_str(", ");
        whole.push_str(&Value::Object(more).to_string()[1..]);
    }
    escape_controls(whole)
}

/// A lease as a value, for comparisons.
pub(super) fn lease_value(database: &Database, lease: &Lease) -> Value {
    serde_json::from_str(&lease_text(database, lease, None)).unwrap_or(Value::Null)
}

type Key = (IaKind, Ipv6Addr, u8);

/// The bindings by address, for what identity associations of dhcpd do not have.
pub(super) struct Names<'a> {
    database: &'a Database,
    bindings: HashMap<Key, &'a Binding>,
}

impl<'a> Names<'a> {
    pub(super) fn of(database: &'a Database) -> Self {
        let key = |one: &Binding| (one.kind, one.held.address, one.held.prefix_length);
        let bindings = database.bindings.iter().map(|one| (key(one), one)).collect();
        Self { database, bindings }
    }

    /// An association with all that a format can say about it.
    pub(super) fn association(&self, ia: &Ia, now: Option<i64>) -> Value {
        let mut value: Value = serde_json::from_str(&ia_to_json(ia)).unwrap_or(Value::Null);
        let slots = value["addrs"].as_array_mut().into_iter().flatten();
        for (held, slot) in ia.addresses.iter().zip(slots) {
            let Some(binding) = self.bindings.get(&(ia.kind, held.address, held.prefix_length))
            else {
                continue;
            };
            if let Some(name) = &binding.hostname {
                slot["hostname"] = json!(latin(name));
            }
            if let Some(hardware) = &binding.hardware {
                slot["hardware"] = json!(hardware.to_string());
            }
            if binding.cltt != ia.cltt {
                slot["cltt"] = json!(binding.cltt.0);
            }
            if !held.on.is_empty() {
                let texts = held.on.iter().map(|(_, text)| json!(latin(text)));
                slot["on_text"] = Value::Array(texts.collect());
            }
            if let Some(fields) = further(self.database.further.of(held.address.into())) {
                slot["further"] = fields;
            }
            if has_ended(held.state, held.ends, now) {
                slot["expired"] = json!(true);
            }
        }
        value
    }
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
