//! The JSON form: `leases` by address and `ias`, with the keys of `show --json`, and back.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dnsmasq_model::{hex_digits, parse_hex_digits};
use lease_formats::dhcpd::{
    BindingState, Date, Hardware, Ia, IaAddress, IaKind, Lease, NonLease, SetValue,
    agent_option_name, ia_to_json, lease_to_json,
};
use lease_formats::exchange::{Binding, Database, Field};
use lease_formats::hex;
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

/// Reads what [`write`] or `show --json` wrote.
///
/// # Errors
/// Invalid JSON, or an invalid value, with its place.
pub(super) fn parse(text: &[u8]) -> Result<Database, String> {
    let whole: Value = serde_json::from_slice(text)
        .map_err(|error| format!("{}:{}: {error}", error.line(), error.column()))?;
    let mut database = Database::default();
    let none = Map::new();
    check_fields(&whole, &WHOLE).map_err(|why| format!(" {why}"))?;
    if whole.get("leases").is_none() && whole.get("ias").is_none() {
        return Err(" neither `leases` nor `ias` in the object".to_owned());
    }
    let leases = whole["leases"].as_object().unwrap_or(&none);
    for (address, value) in leases {
        let address: Ipv4Addr =
            address.parse().map_err(|_| format!(" `{address}` is not an IPv4 address"))?;
        let fail = |why: String| format!(" lease {address}: {why}");
        database.leases.push(lease(address, value).map_err(fail)?);
        database.further.put(address.into(), fields(value).map_err(fail)?);
    }
    for (at, value) in whole["ias"].as_array().into_iter().flatten().enumerate() {
        let fail = |why: String| format!(" association {at}: {why}");
        for (binding, fields) in association(value).map_err(fail)? {
            database.further.put(IpAddr::V6(binding.held.address), fields);
            database.bindings.push(binding);
        }
    }
    for (at, value) in whole["non_leases"].as_array().into_iter().flatten().enumerate() {
        let other = non_lease(value).map_err(|why| format!(" non_leases {at}: {why}"))?;
        database.non_leases.push(other);
    }
    database.leases.sort_by_key(|lease| lease.address);
    database.bindings.sort_by_key(|one| (one.kind, one.held.address));
    if let Some(duid) = whole["server_duid"].as_str() {
        database.server_duid =
            Some(bytes(duid).ok_or(" server_duid: expected hexadecimal digits")?);
    }
    Ok(database)
}

/// Whether a field has the right type; `null` is an absent field.
type TypeCheck = fn(&Value) -> bool;

/// A date, which is checked when it is read.
const DATE: TypeCheck = |_| true;

const WHOLE: [(&str, TypeCheck); 5] = [
    ("verdict", Value::is_string),
    ("leases", Value::is_object),
    ("ias", |value| value.is_array() || value.as_object().is_some_and(Map::is_empty)),
    ("server_duid", Value::is_string),
    ("non_leases", Value::is_array),
];

const LEASE: [(&str, TypeCheck); 21] = [
    ("starts", DATE),
    ("ends", DATE),
    ("tstp", DATE),
    ("tsfp", DATE),
    ("atsfp", DATE),
    ("cltt", DATE),
    ("state", Value::is_string),
    ("next_state", Value::is_string),
    ("rewind_state", Value::is_string),
    ("hardware", Value::is_string),
    ("uid", Value::is_string),
    ("hostname", Value::is_string),
    ("abandoned", Value::is_boolean),
    ("reserved", Value::is_boolean),
    ("bootp", Value::is_boolean),
    ("set", Value::is_object),
    ("agent", Value::is_object),
    ("billing", Value::is_string),
    ("on_expiry", Value::is_string),
    ("on_release", Value::is_string),
    ("further", Value::is_object),
];

const ASSOCIATION: [(&str, TypeCheck); 5] = [
    ("kind", Value::is_string),
    ("iaid_raw", Value::is_string),
    ("duid", Value::is_string),
    ("cltt", DATE),
    ("addrs", Value::is_array),
];

const HELD: [(&str, TypeCheck); 12] = [
    ("addr", Value::is_string),
    ("state", Value::is_string),
    ("preferred", Value::is_u64),
    ("max", Value::is_u64),
    ("ends", DATE),
    ("sets", Value::is_object),
    ("on", Value::is_array),
    ("on_text", Value::is_array),
    ("hostname", Value::is_string),
    ("hardware", Value::is_string),
    ("cltt", DATE),
    ("further", Value::is_object),
];

/// Checks that an object has no fields but these, apart from `expired`, which `show` adds.
fn check_fields(value: &Value, known: &[(&str, TypeCheck)]) -> Result<(), String> {
    let object = value.as_object().ok_or("expected an object")?;
    for (field, value) in object.iter().filter(|(field, _)| *field != "expired") {
        match known.iter().find(|(name, _)| name == field) {
            None => return Err(format!("unknown field `{field}`")),
            Some((_, is_valid)) if value.is_null() || is_valid(value) => {}
            Some(_) => return Err(format!("{field}: a value of another type was expected")),
        }
    }
    Ok(())
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    parse_hex_digits(text.as_bytes())
}

fn date(value: &Value, key: &str) -> Result<Date, String> {
    match &value[key] {
        Value::Null => Ok(Date::ABSENT),
        Value::String(never) if never == "never" => Ok(Date::NEVER),
        Value::Number(number) => {
            number.as_i64().map(Date).ok_or_else(|| format!("{key}: a date must fit into 64 bits"))
        }
        _ => Err(format!("{key}: expected a number, \"never\" or null")),
    }
}

fn state(value: &Value, key: &str) -> Result<Option<BindingState>, String> {
    use BindingState::{Abandoned, Active, Backup, Expired, Free, Released, Reset};
    let Some(text) = value[key].as_str() else { return Ok(None) };
    [Active, Free, Abandoned, Expired, Released, Reset, Backup]
        .into_iter()
        .find(|state| state.name() == text)
        .map(Some)
        .ok_or_else(|| format!("{key}: invalid state `{text}`"))
}

fn text(value: &Value, key: &str) -> Result<Option<Vec<u8>>, String> {
    value[key]
        .as_str()
        .map(|text| {
            let bytes = text.chars().map(|c| u8::try_from(u32::from(c))).collect::<Result<_, _>>();
            bytes.map_err(|_| format!("{key}: expected Latin-1 characters only"))
        })
        .transpose()
}

fn set(value: &Value) -> Result<Vec<(String, SetValue)>, String> {
    let entries = value.as_object().into_iter().flatten();
    entries
        .map(|(name, value)| {
            let value = match value {
                Value::Bool(truth) => SetValue::Boolean(*truth),
                Value::Number(number) => SetValue::Number(
                    number
                        .as_i64()
                        .ok_or_else(|| format!("variable {name}: expected an integer"))?,
                ),
                Value::String(text) => SetValue::Data(
                    bytes(text)
                        .ok_or_else(|| format!("variable {name}: expected hexadecimal digits"))?,
                ),
                _ => {
                    return Err(format!(
                        "variable {name}: expected a string, a number or a boolean"
                    ));
                }
            };
            Ok((name.clone(), value))
        })
        .collect()
}

fn hardware(text: &str) -> Option<Hardware> {
    let (word, bytes) = text.split_once(' ').unwrap_or((text, ""));
    let kind = match word {
        "ethernet" => 1,
        "token-ring" => 6,
        "fddi" => 8,
        "infiniband" => 32,
        other => other.strip_prefix("unknown-")?.parse().ok()?,
    };
    let bytes = hex::decode(bytes.as_bytes())?;
    (bytes.len() <= 20).then_some(Hardware { kind, bytes })
}

fn lease(address: Ipv4Addr, value: &Value) -> Result<Lease, String> {
    check_fields(value, &LEASE)?;
    let mut lease = Lease::new(address);
    lease.starts = date(value, "starts")?;
    lease.ends = date(value, "ends")?;
    lease.tstp = date(value, "tstp")?;
    lease.tsfp = date(value, "tsfp")?;
    lease.atsfp = date(value, "atsfp")?;
    lease.cltt = date(value, "cltt")?;
    lease.state = state(value, "state")?.ok_or("state: missing")?;
    lease.next_state = state(value, "next_state")?;
    lease.rewind_state = state(value, "rewind_state")?;
    if let Some(text) = value["hardware"].as_str() {
        lease.hardware =
            Some(hardware(text).ok_or("hardware: expected a type and hexadecimal bytes")?);
    }
    if let Some(text) = value["uid"].as_str() {
        lease.uid = bytes(text).ok_or("uid: expected hexadecimal digits")?;
    }
    lease.hostname = text(value, "hostname")?;
    lease.billing = text(value, "billing")?;
    lease.on_expiry = text(value, "on_expiry")?;
    lease.on_release = text(value, "on_release")?;
    lease.reserved = value["reserved"] == true;
    lease.bootp = value["bootp"] == true;
    lease.set = set(&value["set"])?;
    for (name, option) in value["agent"].as_object().into_iter().flatten() {
        let code = (1..=254).find(|code| agent_option_name(*code) == *name);
        let option = option.as_str().and_then(bytes);
        let (Some(code), Some(option)) = (code, option) else {
            return Err(format!("agent.{name}: expected an option with a hexadecimal value"));
        };
        lease.agent.push((code, option));
    }
    Ok(lease)
}

/// The fields of other formats.
fn fields(value: &Value) -> Result<Vec<Field>, String> {
    let further = &value["further"];
    let fields = further.as_object().into_iter().flatten();
    fields
        .map(|(name, _)| {
            let value = text(further, name)?.ok_or_else(|| format!("{name}: expected text"))?;
            Ok(Field { name: name.clone().into(), value })
        })
        .collect()
}

fn non_lease(value: &Value) -> Result<NonLease, String> {
    let kind = ["class", "subclass", "group", "host", "failover"]
        .into_iter()
        .find(|kind| value["kind"] == **kind)
        .ok_or("kind: expected class, subclass, group, host or failover")?;
    Ok(NonLease { kind, text: text(value, "text")?.ok_or("text: missing")? })
}

/// The events of an `on` block, and its statements.
type OnBlock = (Vec<&'static str>, Vec<u8>);

fn on(value: &Value) -> Result<Vec<OnBlock>, String> {
    const EVENTS: [&str; 4] = ["expiry", "release", "commit", "transmission"];
    let list = |key: &str| value[key].as_array().map_or(&[][..], Vec::as_slice);
    let (events, texts) = (list("on"), list("on_text"));
    if events.len() != texts.len() {
        return Err("on_text: expected the text of each block of `on`".to_owned());
    }
    let blocks = events.iter().zip(texts);
    blocks
        .map(|(events, statements)| {
            let events = events.as_array().into_iter().flatten().map(|event| {
                EVENTS.into_iter().find(|known| event == *known).ok_or("on: unknown event")
            });
            let statements = json!({"text": statements});
            let statements = text(&statements, "text")?.ok_or("on_text: expected text")?;
            Ok((events.collect::<Result<_, _>>()?, statements))
        })
        .collect()
}

fn association(value: &Value) -> Result<Vec<(Binding, Vec<Field>)>, String> {
    check_fields(value, &ASSOCIATION)?;
    let kind = value["kind"].as_str().and_then(IaKind::from_short_name);
    let kind = kind.ok_or("kind: expected `na`, `ta` or `pd`")?;
    let iaid = value["iaid_raw"].as_str().and_then(bytes).and_then(|raw| raw.try_into().ok());
    let iaid = u32::from_le_bytes(iaid.ok_or("iaid_raw: expected four hexadecimal bytes")?);
    let duid = value["duid"].as_str().and_then(bytes).ok_or("duid: expected hexadecimal digits")?;
    let cltt = date(value, "cltt")?;
    let held = value["addrs"].as_array().into_iter().flatten();
    held.map(|one| {
        check_fields(one, &HELD)?;
        let (address, length) = match one["addr"].as_str().unwrap_or_default().split_once('/') {
            Some((address, length)) => {
                (address, length.parse().map_err(|_| "addr: invalid prefix length")?)
            }
            None => (one["addr"].as_str().unwrap_or_default(), 0),
        };
        let number = |key: &str| {
            u32::try_from(one[key].as_u64().unwrap_or(0)).map_err(|_| format!("{key}: too large"))
        };
        let held = IaAddress {
            address: address
                .parse()
                .map_err(|_| format!("addr: `{address}` is not an IPv6 address"))?,
            prefix_length: length,
            state: state(one, "state")?.ok_or("state: missing")?,
            preferred: number("preferred")?,
            max: number("max")?,
            ends: date(one, "ends")?,
            set: set(&one["sets"])?,
            on: on(one)?,
        };
        let hostname = text(one, "hostname")?;
        let hardware = match one["hardware"].as_str() {
            Some(text) => {
                Some(hardware(text).ok_or("hardware: expected a type and hexadecimal bytes")?)
            }
            None => None,
        };
        let own = one.get("cltt").map(|_| date(one, "cltt")).transpose()?;
        let cltt = own.unwrap_or(cltt);
        let binding = Binding { kind, iaid, duid: duid.clone(), cltt, held, hostname, hardware };
        Ok((binding, fields(one)?))
    })
    .collect()
}
