//! Compares the leases of the engine's dnsmasq with what its calls asked to store.

use std::collections::BTreeSet;

use super::client_ids::ClientIds;
use super::expected::{Difference, Expected, Tolerance};
use super::init_output;
use super::lease_line::DUID;
use super::lines::Lines;
use dnsmasq_model::{Engine, Release, ScriptCall, hostname_argument};

/// The result of a comparison.
#[derive(Debug)]
pub(super) enum EngineLeases {
    /// The differences.
    Compared(Vec<Difference>),
    /// dnsmasq has two leases of one address, of which a store can hold only one.
    NotComparable,
    /// The lines that dnsmasq would write are not lease lines, for this reason.
    Unreadable(String),
}

/// Compares dnsmasq's own leases with the lines that its calls asked to store.
pub(super) fn compare(
    engine: &Engine,
    ids: ClientIds,
    expected: &Lines,
    tolerance: Tolerance,
) -> EngineLeases {
    let held = engine.lease_lines();
    if holds_an_address_twice(&held) {
        return EngineLeases::NotComparable;
    }
    let mut text = held.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    let own = match init_output::parse(text.as_bytes()) {
        Ok(own) => own,
        Err(why) => return EngineLeases::Unreadable(why),
    };
    let release = engine.config().release;
    let mut own = own.map(|line| as_passed_to_the_script(line, ids, release));
    let mut expected = expected.clone();
    if !engine.reports_server_duid() {
        // What 2.66 and 2.67 pass instead is not the script's fault.
        expected.put(DUID, None);
    }
    if !expected.contains(DUID) {
        // dnsmasq passes its DUID with the first DHCPv6 lease, never before.
        own.put(DUID, None);
    }
    // The expected lines may come from the store, where times may be later by the slack.
    let mut differences = Expected::known(own).differences(&expected, tolerance);
    for difference in &mut differences {
        difference.text = format!("dnsmasq and its calls differ: {}", difference.text);
    }
    EngineLeases::Compared(differences)
}

/// Whether dnsmasq has two leases of one address, of which a store by address can hold only one. REBIND of an unknown
/// lease creates it without checking whether another client has the address (rfc3315.c `dhcp6_no_relay`), and so does
/// reading the lease twice.
fn holds_an_address_twice(held: &[String]) -> bool {
    let mut seen = BTreeSet::new();
    held.iter().filter_map(|line| line.split(' ').nth(2)).any(|address| !seen.insert(address))
}

/// A line of dnsmasq's lease file with the name and id that its calls pass: the first label of a legal name, or none.
///
/// A lease keeps the name that it was read with, but passes it only if it is legal (helper.c `create_helper`).
fn as_passed_to_the_script(line: &[u8], ids: ClientIds, release: Release) -> Vec<u8> {
    let passed;
    let mut words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    if let [_, _, _, name, id] = words.as_mut_slice() {
        if ids.are_truncated() && id.len() >= ScriptCall::MAX_ID_TEXT {
            *id = b"*";
        }
        // A name with a blank, as 2.36 to 2.39 pass it, is not a single word of a line.
        let argument = hostname_argument(name, release).filter(|name| !name.contains(&b'*'));
        passed = argument.unwrap_or_else(|| b"*".to_vec());
        *name = &passed;
    }
    words.join(&b' ')
}
