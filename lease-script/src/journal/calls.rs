//! `init`, `add`, `old` and `del` with journals.
//!
//! DHCPv4 leases are in the journal that `LEASE_STORE` names, DHCPv6 leases in a second journal next to it, as with dhcpd:
//! `dhcpd.leases` and `dhcpd6.leases`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use lease_journal::{
    Declaration, FileSystem, Journal, Policy, Reading, Record, StoreError, Subject, locate,
    read_only,
};

use super::lines::{self, Line};
use crate::address::Address;
use crate::call::{Call, Outcome};
use crate::config::Config;
use crate::init::{Lease, limit, print};
use crate::record::{Stored, is_duid_line};
use crate::script::{Abort, Output, ScriptResult, sanitize};
use crate::update::{compose, server_duid};
use lease_formats::dhcpd::{Family, Unwritable};

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
        let mut found = Vec::new();
        let mut server = None;
        let mut unreadable = false;
        for (name, family) in [(self.name.to_owned(), Family::V4), (name6(self.name), Family::V6)] {
            match self.read(&name, family) {
                Ok(None) => {}
                Ok(Some(reading)) => {
                    reading.declarations().for_each(|one| found.extend(lines_of(one)));
                    if let Some(duid) = reading.server_duid().filter(|_| family == Family::V6) {
                        server =
                            Some(lines::of_server_duid(duid)).filter(|line| is_duid_line(line));
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
        let leases = self.collect(found);
        print(&mut self.output, max, leases, server.as_deref());
        if unreadable && self.config.strict { Err(Abort::Failed) } else { Ok(()) }
    }

    /// Reads a journal. Writes only to recover or to create it.
    fn read(&mut self, name: &OsStr, family: Family) -> lease_journal::Result<Option<Reading>> {
        if let Some((reading, messages)) = read_only(self.fs, name)? {
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
        let mut journal = Journal::open(self.fs, name, self.policy.now)?;
        for note in journal.take_messages() {
            self.output.warn(note);
        }
        journal.into_reading().map(Some)
    }

    /// The leases that dnsmasq can read; of each address the last one.
    fn collect(&mut self, mut found: Vec<Found>) -> Vec<Lease> {
        found.reverse();
        found.sort_by_key(|(address, _)| *address);
        found.dedup_by_key(|(address, _)| *address);
        let mut leases = Vec::new();
        for (address, line) in found {
            let text = address.to_string();
            let parsed = line.and_then(|line| match Stored::parse(text.as_bytes(), &line.text) {
                Ok(Stored::Lease(record)) => Ok((record.rank(), line.text)),
                _ => Err("dnsmasq could not read it"),
            });
            match parsed {
                Ok((rank, line)) => leases.push(Lease { address, rank, line }),
                Err(why) => self.output.warn(format_args!("{text}: left out: {why}")),
            }
        }
        leases
    }

    fn update(&mut self, call: &Call) -> ScriptResult {
        let text = call.arg(2);
        let Some(address) = Address::parse(text) else {
            return self.output.fail(format_args!("{}: no address: refused", sanitize(text)));
        };
        let name = match address {
            Address::V4(_) => self.name.to_owned(),
            Address::V6(_) => name6(self.name),
        };
        let mut journal = match Journal::open(self.fs, &name, self.policy.now) {
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

/// An address with an active lease, and its line.
type Found = (Address, Result<Line, lines::NoLine>);

/// The lines of the active leases in a declaration.
fn lines_of(declaration: &Declaration) -> Vec<Found> {
    let block = declaration.block();
    match declaration.subject() {
        Subject::Lease(at) => {
            lines::of_lease(*at, block).into_iter().map(|line| (Address::V4(*at), line)).collect()
        }
        Subject::Association(kind, id) => {
            let line =
                |(at, block)| Some((Address::V6(at), lines::of_ia_address(*kind, id, at, block)?));
            block.addresses().filter_map(line).collect()
        }
        Subject::ServerDuid | Subject::Other(_) => Vec::new(),
    }
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
        let duid = lines::server_duid(&line);
        let stored =
            journal.declaration(&Subject::ServerDuid).map_err(|error| abort(output, error))?;
        if stored.as_ref().and_then(Declaration::server_duid) != Some(&duid) {
            match Record::new(Subject::ServerDuid, duid) {
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
    let found = match address {
        Address::V4(at) => journal.declaration(&Subject::Lease(at))?,
        Address::V6(at) => journal.holder(at)?,
    };
    let lines = found.as_ref().map(lines_of).unwrap_or_default();
    let line = lines.into_iter().rev().find(|(at, _)| *at == address);
    Ok(line.and_then(|(_, line)| line.ok()))
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
            let body = record.map_or_else(lines::free, |record| lines::lease(&record, is_length));
            return Ok(vec![Record::new(Subject::Lease(at), body)?]);
        }
        Address::V6(at) => at,
    };
    let mut records = Vec::new();
    let old = journal.holder(at)?;
    let mut kept = None;
    if let Some(record) = record
        && let Some(subject) = lines::association(&record)
    {
        let mut body = match journal.declaration(&subject)? {
            Some(association) => association.without(at),
            None => Vec::new(),
        };
        body.extend(lines::ia_address(at, &record, is_length));
        // The new holder first: if the write is torn after it, the new holder counts.
        records.push(Record::new(subject.clone(), body)?);
        kept = Some(subject);
    }
    if let Some(old) = old.filter(|old| kept.as_ref() != Some(old.subject())) {
        records.push(Record::new(old.subject().clone(), old.release(at))?);
    }
    Ok(records)
}
