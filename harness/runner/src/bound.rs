//! Clients that have leases before the first step of a scenario.

use std::net::IpAddr;

use super::case_error::CaseError;
use super::clients::{Client, Clients, Protocol, parse_address};
use super::tally::end_text;
use backend::{Backend, CallEnd, CallOptions};
use dnsmasq_model::{Build, Network, ScriptCall, hex_text, legal_hostname, strip_hostname};
use scenario::{Bound, Case, Join, LeaseTime};

/// The clients, each with the address of its lease.
///
/// # Errors
/// An invalid address or identifier, with its place.
pub(super) fn clients(case: &Case) -> Result<Clients, CaseError> {
    let mut clients = Clients::default();
    for bound in &case.scenario.bound {
        clients.join(case, bound.client.span(), &join_of(bound))?;
    }
    Ok(clients)
}

fn join_of(bound: &Bound) -> Join {
    Join {
        client: bound.client.clone(),
        count: None,
        mac: bound.mac.clone(),
        hostname: bound.hostname.clone(),
        client_id: bound.client_id.clone(),
        address: Some(bound.address.clone()),
        lease_time: None,
        bootp: false,
        v6: bound.v6,
        duid: None,
        iaid: None,
        network: None,
        vendor_class: None,
        user_class: None,
    }
}

/// Calls the script for each lease that it has stored, as dnsmasq did when it granted the lease, and switches the router
/// off. Returns the calls.
///
/// # Errors
/// A script that does not store a lease, with the place of the client, or a back end that fails.
pub(super) fn store(
    case: &Case,
    target: &mut dyn Backend,
    build: Build,
    network: &Network,
    date: i64,
) -> Result<Vec<ScriptCall>, CaseError> {
    let mut clients = clients(case)?;
    let mut calls = Vec::new();
    for (index, bound) in case.scenario.bound.iter().enumerate() {
        if !bound.is_stored() {
            continue;
        }
        let address = parse_address(case, &bound.address)?;
        let time = bound.remaining.unwrap_or(case.scenario.server.lease_time);
        let mut call = call(clients.get_mut(index), address, (build, date, time), network);
        let interface = case.scenario.router.interface.get_ref().clone().into_bytes();
        call.env.insert("DNSMASQ_INTERFACE".to_owned(), interface);
        let result = target.call(&call, &CallOptions::default())?;
        if result.end != CallEnd::Exited(0) {
            let name = bound.client.get_ref();
            let message = format!(
                "the script does not store the lease of {name}: {}; {}",
                end_text(result.end),
                String::from_utf8_lossy(&result.stderr).trim_end()
            );
            return Err(case.error(bound.client.span(), message).into());
        }
        calls.push(call);
    }
    if !calls.is_empty() {
        target.power_off()?;
    }
    Ok(calls)
}

/// The call `add` for a lease.
fn call(
    client: &Client,
    address: IpAddr,
    (build, date, time): (Build, i64, LeaseTime),
    network: &Network,
) -> ScriptCall {
    let mut call = ScriptCall {
        argv: vec![b"lease_update.sh".to_vec(), b"add".to_vec()],
        ..ScriptCall::default()
    };
    let mut set = |name: &str, value: Vec<u8>| {
        call.env.insert(format!("DNSMASQ_{name}"), value);
    };
    let (id, hostname) = match &client.protocol {
        Protocol::V4(own) | Protocol::Bootp(own) => {
            if let Some(clid) = &own.clid {
                set("CLIENT_ID", hex_text(clid).into_bytes());
            }
            (own.hw.text(), &own.hostname)
        }
        Protocol::V6 { client, kind, iaid } => {
            let duid = [&[0, 3, 0, 1], &network.mac[..]].concat();
            set("IAID", kind.iaid_text(*iaid).into_bytes());
            set("SERVER_DUID", hex_text(&duid).into_bytes());
            (hex_text(&client.duid), &client.hostname)
        }
    };
    let seconds = match time {
        LeaseTime::Infinite => 0,
        LeaseTime::Finite(seconds) => seconds.0 as i64,
    };
    match build {
        Build::NoRtc => set("LEASE_LENGTH", seconds.to_string().into_bytes()),
        Build::Rtc => {
            let expires = if seconds == 0 { 0 } else { date + seconds };
            set("LEASE_EXPIRES", expires.to_string().into_bytes());
        }
    }
    if seconds != 0 {
        set("TIME_REMAINING", seconds.to_string().into_bytes());
    }
    call.argv.extend([id.into_bytes(), address.to_string().into_bytes()]);
    let name = hostname.as_deref().and_then(legal_hostname).map(|name| strip_hostname(name).0);
    call.argv.extend(name.filter(|name| !name.is_empty()).map(<[u8]>::to_vec));
    call
}
