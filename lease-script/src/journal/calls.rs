//! `init`, `add`, `old` and `del` with journals.
//!
//! DHCPv4 leases are in the journal that `LEASE_STORE` names, DHCPv6 leases in a second journal beside it, as with dhcpd:
//! `dhcpd.leases` and `dhcpd6.leases`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use lease_journal::{FileSystem, Journal, Policy, Record, StoreError, holds, locate, read_only};

use super::lines::{self, Line};
use crate::address::Address;
use crate::call::{Call, Outcome};
use crate::config::Config;
use crate::init::{Lease, limit, print};
use crate::record::{Stored, is_duid_line};
use crate::script::{Abort, Output, ScriptResult, sanitize};
use crate::update::{compose, server_duid};
use lease_formats::dhcpd::{BindingState, Date, Family, Ia, Reading, Unwritable};

/// Executes one call with the journal at `path`.
pub fn run_at_path(call: &Call, config: &Config, path: &Path) -> Outcome {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
    match locate(path) {
        Ok((folder, name)) => {
            run(call, config, &name, &mut folder.with_indexes(config.run.clone()), now)
        }
        Err(error) => {
            let mut output = Output::default();
            let strict = config.strict || call.arg(0) != b"init";
            output.warn(format_args!("{}: {error}", sanitize(path.as_os_str().as_bytes())));
            output.outcome(if strict { Err(Abort::Failed) } else { Ok(()) })
        }
    }
}

/// Executes one call with the journal `name` in a directory, at the time `now` in seconds since 1970.
pub fn run(
    call: &Call,
    config: &Config,
    name: &OsStr,
    fs: &mut dyn FileSystem,
    now: i64,
) -> Outcome {
    let policy = Policy { size: config.rewrite_size, age: config.rewrite_age, now };
    let mut script = Script { config, name, fs, policy, output: Output::default() };
    let end = match call.arg(0) {
        b"init" => script.init(),
        b"add" | b"old" | b"del" => script.update(call),
        _ => script.output.other_action(call),
    };
    script.output.outcome(end)
}

struct Script<'a> {
    config: &'a Config,
    name: &'a OsStr,
    fs: &'a mut dyn FileSystem,
    policy: Policy,
    output: Output,
}

/// The name of the journal for DHCPv6: a 6 before the first dot.
fn name6(name: &OsStr) -> OsString {
    let bytes = name.as_bytes();
    let dot = bytes.iter().skip(1).position(|c| *c == b'.').map_or(bytes.len(), |at| at + 1);
    OsString::from_vec([&bytes[..dot], b"6", &bytes[dot..]].concat())
}

fn abort(output: &mut Output, error: StoreError) -> Abort {
    match error {
        StoreError::Killed => Abort::Killed,
        StoreError::Failed(why) => {
            output.warn(why);
            Abort::Failed
        }
    }
}

impl Script<'_> {
    fn init(&mut self) -> ScriptResult {
        let max = limit(&mut self.output, self.config);
        let mut leases = Vec::new();
        let mut server = None;
        let mut unreadable = false;
        for (name, family) in [(self.name.to_owned(), Family::V4), (name6(self.name), Family::V6)] {
            match self.read(&name, family) {
                Ok(None) => {}
                Ok(Some(reading)) => {
                    self.collect(&reading, &mut leases);
                    if let Some(duid) = reading.server_duid.filter(|_| family == Family::V6) {
                        server =
                            Some(lines::of_server_duid(&duid)).filter(|line| is_duid_line(line));
                        if server.is_none() {
                            let bytes = duid.len();
                            self.output.warn(format_args!("duid: left out: {bytes} bytes long"));
                        }
                    }
                }
                Err(error) => {
                    if matches!(abort(&mut self.output, error), Abort::Killed) {
                        return Err(Abort::Killed);
                    }
                    unreadable = true;
                }
            }
        }
        print(&mut self.output, max, leases, server.as_deref());
        if unreadable && self.config.strict { Err(Abort::Failed) } else { Ok(()) }
    }

    /// Reads a journal. Writes only to recover or to create it.
    fn read(&mut self, name: &OsStr, family: Family) -> lease_journal::Result<Option<Reading>> {
        if let Some((reading, messages)) = read_only(self.fs, name, Some(family))? {
            for message in &messages {
                self.output.warn(message);
            }
            return Ok(Some(reading));
        }
        if family == Family::V6 {
            let plan = lease_journal::plan(self.fs, name)
                .map_err(|e| StoreError::Failed(e.to_string()))?;
            // The second journal is created by the first DHCPv6 lease.
            if matches!(plan.action, lease_journal::Action::Create) {
                return Ok(None);
            }
        }
        let mut journal = Journal::open(self.fs, name, Some(family), self.policy.now)?;
        for note in journal.take_messages() {
            self.output.warn(note);
        }
        journal.into_reading().map(Some)
    }

    fn collect(&mut self, reading: &Reading, leases: &mut Vec<Lease>) {
        for (address, line) in lines_of(reading) {
            let text = match address {
                Address::V4(address) => address.to_string(),
                Address::V6(address) => address.to_string(),
            };
            let parsed = line.and_then(|line| match Stored::parse(text.as_bytes(), &line.text) {
                Ok(Stored::Lease(record)) => Ok((record.rank(), line.text.clone())),
                _ => Err("dnsmasq could not read it"),
            });
            match parsed {
                Ok((rank, line)) => leases.push(Lease { address, rank, line }),
                Err(why) => self.output.warn(format_args!("{text}: left out: {why}")),
            }
        }
    }

    fn update(&mut self, call: &Call) -> ScriptResult {
        let text = call.arg(2);
        let Some(address) = Address::parse(text) else {
            return self.output.fail(format_args!("{}: no address: refused", sanitize(text)));
        };
        let (name, family) = match address {
            Address::V4(_) => (self.name.to_owned(), Family::V4),
            Address::V6(_) => (name6(self.name), Family::V6),
        };
        let mut journal = match Journal::open(self.fs, &name, Some(family), self.policy.now) {
            Ok(journal) => journal,
            Err(error) => return Err(abort(&mut self.output, error)),
        };
        let end = change(&mut journal, self.config, &self.policy, &mut self.output, call, address);
        for note in journal.take_messages() {
            self.output.warn(note);
        }
        end
    }
}

/// The lines of the active leases; for each address the latest one.
fn lines_of(reading: &Reading) -> BTreeMap<Address, Result<Line, lines::NoLine>> {
    let mut found = BTreeMap::new();
    for lease in reading.table.iter_sorted() {
        if let Some(line) = lines::of_lease(&lease) {
            found.insert(Address::V4(lease.address), line);
        }
    }
    for ia in reading.ia_table.iter() {
        for held in &ia.addresses {
            if let Some(line) = lines::of_ia_address(ia, held) {
                found.insert(Address::V6(held.address), line);
            }
        }
    }
    found
}

fn change(
    journal: &mut Journal<'_>,
    config: &Config,
    policy: &Policy,
    output: &mut Output,
    call: &Call,
    address: Address,
) -> ScriptResult {
    let old = stored(journal, address).map_err(|error| abort(output, error))?;
    let is_length = call.env.get("DNSMASQ_LEASE_LENGTH").is_some();
    let new = match call.arg(0) {
        b"del" => None,
        _ => {
            let stored = old.as_ref().filter(|line| !line.is_length).map(|line| &line.text[..]);
            let text = compose(output, config, call, address, stored)?;
            let is_length = is_length && !text.starts_with(b"0 ");
            Some(Line { text, is_length })
        }
    };
    let mut records = Vec::new();
    if let Some(line) = new.as_ref().and_then(|_| server_duid(call, address)) {
        let stored = journal.server_duid().map_err(|error| abort(output, error))?;
        if stored.as_deref().map(lines::of_server_duid).as_ref() != Some(&line) {
            match Record::server_duid(&lines::server_duid(&line)) {
                Ok(record) => records.push(record),
                Err(why) => return output.fail(why),
            }
        }
    }
    if old != new {
        match declare(journal, address, call, new.as_ref()) {
            Ok(declared) => records.extend(declared),
            Err(Undeclared::Unwritable(why)) => return output.fail(why),
            Err(Undeclared::Store(error)) => return Err(abort(output, error)),
        }
    }
    let done = if records.is_empty() {
        journal.sync()
    } else {
        journal.append_and_compact(&records, policy)
    };
    done.map_err(|error| abort(output, error))
}

/// The stored line of an address, if dnsmasq could read it.
fn stored(journal: &mut Journal<'_>, address: Address) -> lease_journal::Result<Option<Line>> {
    let line = match address {
        Address::V4(at) => journal.lease(at)?.and_then(|lease| lines::of_lease(&lease)),
        Address::V6(at) => journal.holder(at)?.and_then(|ia| {
            let held = ia.addresses.iter().find(|held| held.address == at)?;
            lines::of_ia_address(&ia, held)
        }),
    };
    Ok(line.and_then(Result::ok))
}

/// Why there are no declarations for a change.
enum Undeclared {
    Unwritable(Unwritable),
    Store(StoreError),
}

impl From<Unwritable> for Undeclared {
    fn from(why: Unwritable) -> Self {
        Self::Unwritable(why)
    }
}

impl From<StoreError> for Undeclared {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The declarations for a change.
fn declare(
    journal: &mut Journal<'_>,
    address: Address,
    call: &Call,
    new: Option<&Line>,
) -> Result<Vec<Record>, Undeclared> {
    let record = new.and_then(|line| lines::record(address, call.arg(2), &line.text));
    let is_length = new.is_some_and(|line| line.is_length);
    let at = match address {
        Address::V4(at) => {
            let lease = record
                .map_or_else(|| lines::free(at), |record| lines::lease(at, &record, is_length));
            return Ok(vec![Record::lease(&lease)?]);
        }
        Address::V6(at) => at,
    };
    let mut records = Vec::new();
    let old = journal.holder(at)?;
    let held = record.and_then(|record| {
        Some((lines::association(&record)?, lines::ia_address(at, &record, is_length)))
    });
    let mut kept = None;
    if let Some(((kind, id), held)) = held {
        let mut ia = match journal.association(kind, &id)? {
            Some(ia) => ia,
            None => Ia { kind, id, cltt: Date::ABSENT, addresses: Vec::new() },
        };
        ia.addresses.retain(|other| other.address != at);
        ia.addresses.push(held);
        // The new holder first: if the write is torn after it, the new holder counts.
        records.push(Record::association(&ia)?);
        kept = Some((ia.kind, ia.id));
    }
    let is_kept =
        |ia: &Ia| kept.as_ref().is_some_and(|(kind, id)| (*kind, id) == (ia.kind, &ia.id));
    if let Some(old) = old.filter(|ia| !is_kept(ia) && holds(ia, at)) {
        records.push(Record::association(&without(&old, at))?);
    }
    Ok(records)
}

/// The association without an address. Its last address stays, as released, since a block must not be empty.
fn without(ia: &Ia, address: std::net::Ipv6Addr) -> Ia {
    let mut ia = ia.clone();
    if ia.addresses.len() > 1 {
        ia.addresses.retain(|held| held.address != address);
    } else {
        ia.addresses.iter_mut().for_each(|held| held.state = BindingState::Released);
    }
    ia
}
