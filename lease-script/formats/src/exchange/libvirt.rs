//! The status file of a virtual network of libvirt (`virLeaseNew` of its virlease.c): a list of JSON objects, one for each
//! lease of the network's dnsmasq.

use std::io::{self, BufRead};
use std::net::IpAddr;

use serde_json::{Map, Value};

use super::database::{Binding, active, active6};
use super::dnsmasq_line::{parse_hardware, parse_iaid};
use super::further::Field;
use super::lines::{Effect, Problem, Read};
use crate::dhcpd::{Date, IaKind};
use crate::hex;
use crate::limits::read_json;

/// Reads a status file.
///
/// # Errors
/// If the source cannot be read, or is too large.
pub fn read(source: impl BufRead) -> io::Result<Read> {
    let text = read_json(source)?;
    let mut read = Read::default();
    let parsed: Result<Vec<Map<String, Value>>, _> = serde_json::from_slice(&text);
    match parsed {
        Ok(list) => {
            for (at, object) in list.iter().enumerate() {
                if let Err(why) = enter(object, &mut read) {
                    let message = format!("lease {}: {why}: left out", at + 1);
                    read.add(Problem { line: 1, column: 1, message, effect: Effect::LeftOut });
                }
            }
        }
        Err(error) => {
            let (line, column) = (error.line() as u64, error.column());
            let message = format!("{error}: no lease can be read");
            read.add(Problem { line, column, message, effect: Effect::LeftOut });
        }
    }
    read.keep_last();
    Ok(read)
}

fn enter(object: &Map<String, Value>, read: &mut Read) -> Result<(), String> {
    let texts = ["ip-address", "mac-address", "hostname", "client-id", "server-duid", "iaid"];
    if let Some(key) = texts.iter().find(|key| object.get(**key).is_some_and(|it| !it.is_string()))
    {
        return Err(format!("{key} is not a string"));
    }
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let bytes = |key: &str| match text(key) {
        None => Ok(Vec::new()),
        Some(value) => hex::decode(value.as_bytes()).ok_or(format!("{key} is not hexadecimal")),
    };
    let address = text("ip-address").and_then(|text| text.parse().ok());
    let address: IpAddr = address.ok_or("ip-address is missing or invalid")?;
    let ends = match object.get("expiry-time").map(Value::as_i64) {
        None | Some(Some(0)) => Date::NEVER,
        Some(Some(seconds)) if seconds > 0 => Date(seconds),
        Some(_) => return Err("expiry-time is not a time".to_owned()),
    };
    let hardware = match text("mac-address") {
        Some(mac) => parse_hardware(mac.as_bytes()).ok_or("mac-address is invalid")?,
        None => None,
    };
    let hostname = text("hostname").map(|name| name.as_bytes().to_vec());
    let id = bytes("client-id")?;
    if object.contains_key("server-duid") {
        read.database.server_duid = Some(bytes("server-duid")?);
    }
    let mut known = vec!["ip-address", "mac-address", "hostname", "client-id", "expiry-time"];
    known.push("server-duid");
    match address {
        IpAddr::V4(address) => {
            let mut lease = active(address);
            (lease.ends, lease.tstp) = (ends, ends);
            (lease.hardware, lease.uid, lease.hostname) = (hardware, id, hostname);
            read.database.leases.push(lease);
        }
        IpAddr::V6(address) => {
            known.push("iaid");
            let iaid =
                text("iaid").map(|iaid| parse_iaid(iaid.as_bytes()).ok_or("iaid is invalid"));
            let (kind, iaid) = iaid.transpose()?.unwrap_or((IaKind::NonTemporary, 0));
            let mut held = active6(address);
            held.ends = ends;
            let cltt = Date::ABSENT;
            read.database.bindings.push(Binding {
                kind,
                iaid,
                duid: id,
                cltt,
                held,
                hostname,
                hardware,
            });
        }
    }
    let further = object.iter().filter(|(key, _)| !known.contains(&key.as_str()));
    let fields = further.map(|(key, value)| Field {
        name: format!("libvirt.{key}").into(),
        value: value.as_str().map_or_else(|| value.to_string(), str::to_owned).into_bytes(),
    });
    let fields = fields.collect();
    read.database.further.put(address, fields);
    Ok(())
}
