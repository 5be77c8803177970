//! The JSON form: `leases` by address and `ias`, with the keys of `show --json`, and back.

use std::io::{self, Write};
use std::net::Ipv4Addr;

use dnsmasq_model::{hex_digits, parse_hex_digits};
use lease_formats::dhcpd::{
    BindingState, Date, Hardware, Ia, IaAddress, IaKind, Lease, SetValue, agent_option_name,
    ia_to_json, lease_to_json,
};
use lease_formats::exchange::{Binding, Database};
use lease_formats::hex;
use serde_json::{Map, Value, json};

/// Writes a database; without one, its parts are `null`.
pub(super) fn write(
    database: Option<&Database>,
    verdict: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut whole = Map::new();
    if let Some(verdict) = verdict {
        whole.insert("verdict".to_owned(), json!(verdict));
    }
    let text = |json: String| serde_json::from_str::<Value>(&json).map_err(io::Error::other);
    let (mut leases, mut ias) = (Value::Null, Value::Null);
    if let Some(database) = database {
        let mut by_address = Map::new();
        for lease in &database.leases {
            by_address.insert(lease.address.to_string(), text(lease_to_json(lease))?);
        }
        leases = Value::Object(by_address);
        let mut list = Vec::new();
        for ia in database.associations() {
            let mut value = text(ia_to_json(&ia))?;
            name_addresses(&mut value, database, &ia);
            list.push(value);
        }
        ias = if list.is_empty() { json!({}) } else { Value::Array(list) };
        if let Some(duid) = &database.server_duid {
            whole.insert("server_duid".to_owned(), json!(hex_digits(duid)));
        }
    }
    whole.insert("leases".to_owned(), leases);
    whole.insert("ias".to_owned(), ias);
    serde_json::to_writer_pretty(&mut *out, &Value::Object(whole))?;
    writeln!(out)
}

/// Adds host names, which the journal's own format does not have.
fn name_addresses(value: &mut Value, database: &Database, ia: &Ia) {
    for (held, slot) in ia.addresses.iter().zip(value["addrs"].as_array_mut().into_iter().flatten())
    {
        let binding = database.bindings.iter().find(|one| {
            one.held.address == held.address
                && one.kind == ia.kind
                && one.held.prefix_length == held.prefix_length
        });
        if let Some(name) = binding.and_then(|binding| binding.hostname.as_ref()) {
            slot["hostname"] = json!(latin(name));
        }
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
    let leases = match &whole["leases"] {
        Value::Object(leases) => leases,
        Value::Null => &none,
        _ => return Err(" `leases` must be an object".to_owned()),
    };
    for (address, value) in leases {
        let address: Ipv4Addr =
            address.parse().map_err(|_| format!(" `{address}` is not an IPv4 address"))?;
        let lease = lease(address, value).map_err(|why| format!(" lease {address}: {why}"))?;
        database.leases.push(lease);
    }
    for (at, value) in whole["ias"].as_array().into_iter().flatten().enumerate() {
        let bindings = association(value).map_err(|why| format!(" association {at}: {why}"))?;
        database.bindings.extend(bindings);
    }
    database.leases.sort_by_key(|lease| lease.address);
    database.bindings.sort_by_key(|one| (one.kind, one.held.address));
    if let Some(duid) = whole["server_duid"].as_str() {
        database.server_duid =
            Some(bytes(duid).ok_or(" server_duid: expected hexadecimal digits")?);
    }
    Ok(database)
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    parse_hex_digits(text.as_bytes())
}

fn date(value: &Value, key: &str) -> Result<Date, String> {
    match &value[key] {
        Value::Null => Ok(Date::ABSENT),
        Value::String(never) if never == "never" => Ok(Date::NEVER),
        Value::Number(number) => number
            .as_i64()
            .filter(|seconds| (0..=Date::NEVER.0).contains(seconds))
            .map(Date)
            .ok_or_else(|| format!("{key}: a date must fit into 31 bits")),
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
                Value::Number(number) => SetValue::Number(number.as_i64().unwrap_or(0)),
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

fn association(value: &Value) -> Result<Vec<Binding>, String> {
    let kind = value["kind"].as_str().and_then(IaKind::from_short_name);
    let kind = kind.ok_or("kind: expected `na`, `ta` or `pd`")?;
    let iaid = value["iaid_raw"].as_str().and_then(bytes).and_then(|raw| raw.try_into().ok());
    let iaid = u32::from_le_bytes(iaid.ok_or("iaid_raw: expected four hexadecimal bytes")?);
    let duid = value["duid"].as_str().and_then(bytes).ok_or("duid: expected hexadecimal digits")?;
    let cltt = date(value, "cltt")?;
    let held = value["addrs"].as_array().into_iter().flatten();
    held.map(|one| {
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
            on: Vec::new(),
        };
        let hostname = text(one, "hostname")?;
        Ok(Binding { kind, iaid, duid: duid.clone(), cltt, held, hostname, hardware: None })
    })
    .collect()
}
