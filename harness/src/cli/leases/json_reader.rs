//! Reads the JSON form: `leases` by address and `ias`.

use std::net::{IpAddr, Ipv4Addr};

use dnsmasq_model::parse_hex_digits;
use lease_formats::dhcpd::{
    BindingState, Date, Hardware, IaAddress, IaKind, Lease, NonLease, SetValue, agent_option_name,
};
use lease_formats::exchange::{Binding, Database, Field};
use lease_formats::hex;
use serde_json::{Map, Value, json};

use super::filter::state_named;

/// Why a text is not a database.
#[derive(Debug, thiserror::Error)]
pub(super) enum JsonError {
    /// It is not JSON.
    #[error(transparent)]
    Syntax(#[from] serde_json::Error),
    /// Another value where an object belongs.
    #[error("expected an object")]
    NoObject,
    /// An object that contains no database.
    #[error("neither `leases` nor `ias` in the object")]
    NoDatabase,
    /// The key of a lease is not an address.
    #[error("`{0}` is not an IPv4 address")]
    Ipv4Address(String),
    /// A field that does not exist.
    #[error("unknown field `{0}`")]
    UnknownField(String),
    /// The value of a field is invalid.
    #[error("{name}: {problem}")]
    Field {
        /// The name of the field.
        name: String,
        /// What is wrong, or what was expected.
        problem: String,
    },
    /// An error in a part of the database.
    #[error("{part}: {error}")]
    Part {
        /// For example `lease 192.168.1.60`.
        part: String,
        /// The error.
        error: Box<JsonError>,
    },
}

impl JsonError {
    /// The error with the name of the part that contains it.
    fn of(self, part: String) -> Self {
        Self::Part { part, error: Box::new(self) }
    }
}

fn field(name: impl Into<String>, problem: impl Into<String>) -> JsonError {
    JsonError::Field { name: name.into(), problem: problem.into() }
}

/// What is expected in a field of bytes.
const DIGITS: &str = "expected hexadecimal digits";

/// Reads what `show --json` or `convert --to json` wrote.
///
/// # Errors
/// Invalid JSON, or an invalid value.
pub(super) fn parse(text: &[u8]) -> Result<Database, JsonError> {
    let whole: Value = serde_json::from_slice(text)?;
    let mut database = Database::default();
    let none = Map::new();
    check_fields(&whole, &WHOLE)?;
    if whole.get("leases").is_none() && whole.get("ias").is_none() {
        return Err(JsonError::NoDatabase);
    }
    let leases = whole["leases"].as_object().unwrap_or(&none);
    for (address, value) in leases {
        let address: Ipv4Addr =
            address.parse().map_err(|_| JsonError::Ipv4Address(address.clone()))?;
        let fail = |error: JsonError| error.of(format!("lease {address}"));
        database.leases.push(lease(address, value).map_err(fail)?);
        database.further.put(address.into(), fields(value).map_err(fail)?);
    }
    for (at, value) in whole["ias"].as_array().into_iter().flatten().enumerate() {
        let fail = |error: JsonError| error.of(format!("association {at}"));
        for (binding, fields) in association(value).map_err(fail)? {
            database.further.put(IpAddr::V6(binding.held.address), fields);
            database.bindings.push(binding);
        }
    }
    for (at, value) in whole["non_leases"].as_array().into_iter().flatten().enumerate() {
        let other = non_lease(value).map_err(|error| error.of(format!("non_leases {at}")))?;
        database.non_leases.push(other);
    }
    database.leases.sort_by_key(|lease| lease.address);
    database.bindings.sort_by_key(|one| (one.kind, one.held.address));
    if let Some(duid) = whole["server_duid"].as_str() {
        database.server_duid = Some(bytes(duid).ok_or_else(|| field("server_duid", DIGITS))?);
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
fn check_fields(value: &Value, known: &[(&str, TypeCheck)]) -> Result<(), JsonError> {
    let object = value.as_object().ok_or(JsonError::NoObject)?;
    for (name, value) in object.iter().filter(|(name, _)| *name != "expired") {
        match known.iter().find(|(known, _)| known == name) {
            None => return Err(JsonError::UnknownField(name.clone())),
            Some((_, is_valid)) if value.is_null() || is_valid(value) => {}
            Some(_) => return Err(field(name, "a value of another type was expected")),
        }
    }
    Ok(())
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    parse_hex_digits(text.as_bytes())
}

fn date(value: &Value, key: &str) -> Result<Date, JsonError> {
    match &value[key] {
        Value::Null => Ok(Date::ABSENT),
        Value::String(never) if never == "never" => Ok(Date::NEVER),
        Value::Number(number) => {
            number.as_i64().map(Date).ok_or_else(|| field(key, "a date must fit into 64 bits"))
        }
        _ => Err(field(key, "expected a number, \"never\" or null")),
    }
}

fn state(value: &Value, key: &str) -> Result<Option<BindingState>, JsonError> {
    let Some(text) = value[key].as_str() else { return Ok(None) };
    let state = state_named(text);
    state.map(Some).ok_or_else(|| field(key, format!("invalid state `{text}`")))
}

fn text(value: &Value, key: &str) -> Result<Option<Vec<u8>>, JsonError> {
    value[key]
        .as_str()
        .map(|text| {
            let bytes = text.chars().map(|c| u8::try_from(u32::from(c))).collect::<Result<_, _>>();
            bytes.map_err(|_| field(key, "expected Latin-1 characters only"))
        })
        .transpose()
}

fn set(value: &Value) -> Result<Vec<(String, SetValue)>, JsonError> {
    let entries = value.as_object().into_iter().flatten();
    entries
        .map(|(name, value)| {
            let expected = |what| field(format!("variable {name}"), what);
            let value = match value {
                Value::Bool(truth) => SetValue::Boolean(*truth),
                Value::Number(number) => {
                    let number = number.as_i64();
                    SetValue::Number(number.ok_or_else(|| expected("expected an integer"))?)
                }
                Value::String(text) => SetValue::Data(bytes(text).ok_or_else(|| expected(DIGITS))?),
                _ => return Err(expected("expected a string, a number or a boolean")),
            };
            Ok((name.clone(), value))
        })
        .collect()
}

fn hardware(text: &str) -> Result<Hardware, JsonError> {
    parse_hardware(text).ok_or_else(|| field("hardware", "expected a type and hexadecimal bytes"))
}

fn parse_hardware(text: &str) -> Option<Hardware> {
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

fn lease(address: Ipv4Addr, value: &Value) -> Result<Lease, JsonError> {
    check_fields(value, &LEASE)?;
    let mut lease = Lease::new(address);
    lease.starts = date(value, "starts")?;
    lease.ends = date(value, "ends")?;
    lease.tstp = date(value, "tstp")?;
    lease.tsfp = date(value, "tsfp")?;
    lease.atsfp = date(value, "atsfp")?;
    lease.cltt = date(value, "cltt")?;
    lease.state = state(value, "state")?.ok_or_else(|| field("state", "missing"))?;
    lease.next_state = state(value, "next_state")?;
    lease.rewind_state = state(value, "rewind_state")?;
    if let Some(text) = value["hardware"].as_str() {
        lease.hardware = Some(hardware(text)?);
    }
    if let Some(text) = value["uid"].as_str() {
        lease.uid = bytes(text).ok_or_else(|| field("uid", DIGITS))?;
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
            let expected = "expected an option with a hexadecimal value";
            return Err(field(format!("agent.{name}"), expected));
        };
        lease.agent.push((code, option));
    }
    Ok(lease)
}

/// The fields of other formats.
fn fields(value: &Value) -> Result<Vec<Field>, JsonError> {
    let further = &value["further"];
    let fields = further.as_object().into_iter().flatten();
    fields
        .map(|(name, _)| {
            let value = text(further, name)?.ok_or_else(|| field(name, "expected text"))?;
            Ok(Field { name: name.clone().into(), value })
        })
        .collect()
}

fn non_lease(value: &Value) -> Result<NonLease, JsonError> {
    let kind = ["class", "subclass", "group", "host", "failover"]
        .into_iter()
        .find(|kind| value["kind"] == **kind)
        .ok_or_else(|| field("kind", "expected class, subclass, group, host or failover"))?;
    let text = text(value, "text")?.ok_or_else(|| field("text", "missing"))?;
    Ok(NonLease { kind, text })
}

/// The events of an `on` block, and its statements.
type OnBlock = (Vec<&'static str>, Vec<u8>);

fn on(value: &Value) -> Result<Vec<OnBlock>, JsonError> {
    const EVENTS: [&str; 4] = ["expiry", "release", "commit", "transmission"];
    let list = |key: &str| value[key].as_array().map_or(&[][..], Vec::as_slice);
    let (events, texts) = (list("on"), list("on_text"));
    if events.len() != texts.len() {
        return Err(field("on_text", "expected the text of each block of `on`"));
    }
    let blocks = events.iter().zip(texts);
    blocks
        .map(|(events, statements)| {
            let events = events.as_array().into_iter().flatten().map(|event| {
                let event = EVENTS.into_iter().find(|known| event == *known);
                event.ok_or_else(|| field("on", "unknown event"))
            });
            let statements = json!({"text": statements});
            let statements =
                text(&statements, "text")?.ok_or_else(|| field("on_text", "expected text"))?;
            Ok((events.collect::<Result<_, _>>()?, statements))
        })
        .collect()
}

fn association(value: &Value) -> Result<Vec<(Binding, Vec<Field>)>, JsonError> {
    check_fields(value, &ASSOCIATION)?;
    let kind = value["kind"].as_str().and_then(IaKind::from_short_name);
    let kind = kind.ok_or_else(|| field("kind", "expected `na`, `ta` or `pd`"))?;
    let iaid = value["iaid_raw"].as_str().and_then(bytes).and_then(|raw| raw.try_into().ok());
    let iaid = iaid.ok_or_else(|| field("iaid_raw", "expected four hexadecimal bytes"))?;
    let iaid = u32::from_le_bytes(iaid);
    let duid = value["duid"].as_str().and_then(bytes).ok_or_else(|| field("duid", DIGITS))?;
    let cltt = date(value, "cltt")?;
    let held = value["addrs"].as_array().into_iter().flatten();
    held.map(|one| {
        check_fields(one, &HELD)?;
        let (address, length) = match one["addr"].as_str().unwrap_or_default().split_once('/') {
            Some((address, length)) => {
                (address, length.parse().map_err(|_| field("addr", "invalid prefix length"))?)
            }
            None => (one["addr"].as_str().unwrap_or_default(), 0),
        };
        let number = |key: &str| {
            u32::try_from(one[key].as_u64().unwrap_or(0)).map_err(|_| field(key, "too large"))
        };
        let held = IaAddress {
            address: address
                .parse()
                .map_err(|_| field("addr", format!("`{address}` is not an IPv6 address")))?,
            prefix_length: length,
            state: state(one, "state")?.ok_or_else(|| field("state", "missing"))?,
            preferred: number("preferred")?,
            max: number("max")?,
            ends: date(one, "ends")?,
            set: set(&one["sets"])?,
            on: on(one)?,
        };
        let hostname = text(one, "hostname")?;
        let hardware = match one["hardware"].as_str() {
            Some(text) => Some(hardware(text)?),
            None => None,
        };
        let own = one.get("cltt").map(|_| date(one, "cltt")).transpose()?;
        let cltt = own.unwrap_or(cltt);
        let binding = Binding { kind, iaid, duid: duid.clone(), cltt, held, hostname, hardware };
        Ok((binding, fields(one)?))
    })
    .collect()
}
