//! `leaselab leases check`: what the server would lose at its next start.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

use lease_formats::dhcpd::{
    BindingState, Consequence, Date, Diagnostic, Ia, IaAddress, IaKind, Lease, NonLease, Reading,
    Verdict, ia_to_json, lease_to_json,
};
use serde_json::Value;

use super::clock;
use super::diff::differences;
use super::input_options::{InputOptions, ViewChoice};
use super::loaded::Content;
use super::print::print;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::shown::Shown as _;
use scenario::quantity;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The lease file
    file: PathBuf,
    #[command(flatten)]
    input: InputOptions,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let opened = args.input.open(&args.file)?;
    let load = |view: ViewChoice| {
        let input = InputOptions { view: Some(view), ..args.input.clone() };
        opened.load(&input.options()?, &input)
    };
    // The careful view reads OpenBSD's dialect as its own server does.
    let is_of_openbsd = args.input.view.is_none() && opened.is_of_openbsd()?;
    let server = load(if is_of_openbsd { ViewChoice::Salvage } else { ViewChoice::Dhcpd })?;
    let path = args.file.shown();
    let mut lines = server.problems.clone();
    if server.total > lines.len() as u64 {
        lines.push(format!("{path}: {} more problems", server.total - lines.len() as u64));
    }
    lines.extend(server.notes());
    let lost = match &server.content {
        Content::Other(_) => {
            lines.push(format!("{path}: {}", quantity(server.total, "problem")));
            server.total > 0
        }
        Content::Journal(_) if is_of_openbsd => {
            let problems = quantity(server.total, "problem");
            lines.push(format!("{path}: the dialect of OpenBSD's dhcpd: {problems}"));
            server.left_out > 0
        }
        Content::Journal(reading) => {
            let salvaged = load(ViewChoice::Salvage)?;
            let Content::Journal(salvaged) = &salvaged.content else {
                return Err(CommandError::Usage(format!(
                    "{path} changed its format while it was read"
                )));
            };
            judge(&path, reading, salvaged, &mut lines)
        }
    };
    print(|out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))?;
    Ok(if lost { Exit::Failed } else { Exit::Passed })
}

/// Maximum number of lost or changed records that are listed; the rest are counted.
const MAX_LISTED: usize = 1000;

/// Adds lines about what would be lost; returns whether anything would.
fn judge(path: &str, server: &Reading, salvaged: &Reading, lines: &mut Vec<String>) -> bool {
    let is_refused = matches!(server.verdict, Verdict::Refuses | Verdict::RewriteFails);
    let before = lines.len();
    let records = leases(server, salvaged, lines)
        + associations(server, salvaged, lines)
        + broken(server, salvaged, lines);
    if lines.len() > before + MAX_LISTED {
        lines.truncate(before + MAX_LISTED);
        lines.push(format!("… {records} in all"));
    }
    let is_foreign = |diagnostic: &&Diagnostic| diagnostic.consequence == Consequence::Unconfigured;
    let foreign = server.diagnostics.iter().filter(is_foreign).count();
    let whole = salvaged.table.len() + salvaged.ia_table.len() + salvaged.non_leases.len();
    let verdict = match server.verdict {
        Verdict::Refuses => "dhcpd does not start with this file",
        Verdict::RewriteFails => {
            "dhcpd starts, but cannot rewrite the file: later records go to a deleted file"
        }
        Verdict::Warns => "dhcpd starts with error messages",
        Verdict::Clean => "dhcpd starts without error messages",
    };
    lines.push(format!(
        "{path}: {verdict}; {}; of {} {} would be lost or changed, and {}",
        quantity(server.diagnostics.total(), "problem"),
        quantity(whole, "record"),
        if is_refused { whole.max(records) } else { records },
        quantity(server.lost_statements, "statement"),
    ));
    is_refused || records > 0 || server.lost_statements > 0 || foreign > 0
}

/// Compares the leases that dhcpd's parser enters with those that can be salvaged.
fn leases(server: &Reading, salvaged: &Reading, lines: &mut Vec<String>) -> usize {
    let mut lost = 0;
    for lease in salvaged.leases() {
        match server.table.get(lease.address) {
            Some(other) if other == lease || lease_to_json(&other) == lease_to_json(&lease) => {
                continue;
            }
            Some(other) => lines.push(format!(
                "changed: lease {}: {}",
                lease.address,
                changed_fields(&lease_to_json(&lease), &lease_to_json(&other))
            )),
            None => lines.push(format!("lost: lease {}, {}", lease.address, summary(&lease))),
        }
        lost += 1;
    }
    let is_used = |lease: &Lease| {
        lease.state != BindingState::Free || lease.hardware.is_some() || !lease.uid.is_empty()
    };
    let invented = server.table.iter_sorted().filter(|lease| !salvaged.table.has(lease.address));
    for lease in invented.filter(is_used) {
        let summary = summary(&lease);
        lines.push(format!(
            "changed: lease {} has only a damaged record, {summary} to dhcpd",
            lease.address
        ));
        lost += 1;
    }
    lost + declarations(server, salvaged, lines)
}

/// Lists the declarations other than leases that dhcpd's parser does not enter, by their names.
fn declarations(server: &Reading, salvaged: &Reading, lines: &mut Vec<String>) -> usize {
    let head = |other: &NonLease| {
        let end = other.text.iter().position(|c| matches!(c, b'{' | b';'));
        other.text[..end.unwrap_or(other.text.len())].trim_ascii().to_vec()
    };
    let mut known: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for other in &server.non_leases {
        *known.entry(head(other)).or_default() += 1;
    }
    let mut lost = 0;
    for other in &salvaged.non_leases {
        let name = head(other);
        match known.get_mut(&name) {
            Some(count) if *count > 0 => *count -= 1,
            _ => {
                lines.push(format!("lost: {}", name.escape_ascii()));
                lost += 1;
            }
        }
    }
    lost
}

/// The fields that differ, each with the value that was salvaged and the one that dhcpd reads.
fn changed_fields(here: &str, dhcpd: &str) -> String {
    let parse = |text| serde_json::from_str(text).unwrap_or(Value::Null);
    let (here, dhcpd): (Value, Value) = (parse(here), parse(dhcpd));
    // Without `tstp` in the file, it is the end.
    let is_unsaid = |value: &Value| value["tstp"] == value["ends"];
    let hides_tstp = is_unsaid(&here) && is_unsaid(&dhcpd);
    let fields = differences(&here, &dhcpd).into_iter();
    let fields = fields.filter(|(key, ..)| !(hides_tstp && *key == "tstp"));
    let fields = fields.map(|(key, here, dhcpd)| {
        format!("`{key}` differs: {} here, {} to dhcpd", shown(key, here), shown(key, dhcpd))
    });
    fields.collect::<Vec<_>>().join("; ")
}

/// A value of a field as readable text.
fn shown(key: &str, value: &Value) -> String {
    let is_date = ["starts", "ends", "tstp", "tsfp", "atsfp", "cltt"].contains(&key);
    match value {
        Value::Null => "absent".to_owned(),
        Value::Number(number) if is_date => {
            number.as_i64().map_or_else(|| number.to_string(), |date| clock::shown(Date(date)))
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The association that contains each address; the last one if there are several.
fn holders(reading: &Reading) -> BTreeMap<(IaKind, Ipv6Addr), (&Ia, &IaAddress)> {
    let lives =
        |held: &&IaAddress| matches!(held.state, BindingState::Active | BindingState::Abandoned);
    let held =
        reading.ia_table.iter().flat_map(|ia| ia.addresses.iter().map(move |held| (ia, held)));
    held.filter(|(_, held)| lives(held))
        .map(|(ia, held)| ((ia.kind, held.address), (ia, held)))
        .collect()
}

/// Compares the associations of DHCPv6. Released and expired addresses, which dhcpd drops, do not count as lost.
fn associations(server: &Reading, salvaged: &Reading, lines: &mut Vec<String>) -> usize {
    let (theirs, ours) = (holders(server), holders(salvaged));
    let mut lost = 0;
    for (key @ (_, address), (ia, held)) in &ours {
        let what = match theirs.get(key) {
            None => {
                format!("lost: address {address}, {} until {}", held.state, clock::shown(held.ends))
            }
            Some((other, same)) if other.id == ia.id && same == held => continue,
            Some((other, _)) => {
                let fields = changed_fields(&ia_to_json(ia), &ia_to_json(other));
                format!("changed: address {address}: {fields}")
            }
        };
        lines.push(what);
        lost += 1;
    }
    for (_, address) in theirs.keys().filter(|key| !ours.contains_key(*key)) {
        lines.push(format!("changed: address {address} has only a damaged record"));
        lost += 1;
    }
    lost
}

/// Adds the damaged records that are the only ones of their address. A torn record at the end of the file was never
/// acknowledged.
fn broken(server: &Reading, salvaged: &Reading, lines: &mut Vec<String>) -> usize {
    let mut only = BTreeSet::new();
    let mut nameless = 0;
    let known = (holders(server), holders(salvaged));
    for diagnostic in &salvaged.diagnostics {
        if diagnostic.consequence != Consequence::Damaged {
            continue;
        }
        let subject = diagnostic.subject.as_deref().unwrap_or_default();
        let address = subject.split(' ').nth(1).and_then(|address| address.parse().ok());
        match address {
            Some(IpAddr::V4(address)) => {
                if !salvaged.table.has(address) && !server.table.has(address) {
                    only.insert(IpAddr::V4(address));
                }
            }
            Some(IpAddr::V6(address)) => {
                let is_known = |map: &BTreeMap<(IaKind, Ipv6Addr), _>| {
                    map.keys().any(|(_, held)| *held == address)
                };
                if !is_known(&known.0) && !is_known(&known.1) {
                    only.insert(IpAddr::V6(address));
                }
            }
            None => nameless += 1,
        }
    }
    lines.extend(
        only.iter().map(|address| format!("lost: {address}, whose only record is incomplete")),
    );
    if nameless > 0 {
        lines.push(format!("lost: {nameless} damaged records without an address"));
    }
    only.len() + nameless
}

fn summary(lease: &Lease) -> String {
    let owner = lease.hardware.as_ref().map_or_else(|| "no client".to_owned(), ToString::to_string);
    format!("{} until {} of {owner}", lease.state, clock::shown(lease.ends))
}
