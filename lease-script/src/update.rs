//! `add`, `old`, `del`: compare, then set and commit once.

use crate::address::Address;
use crate::call::Call;
use crate::config::Config;
use crate::free_space::FreeSpace;
use crate::record::{Record, is_client_id, is_duid_line, is_hardware, is_host, is_iaid, time};
use crate::script::{Output, Script, ScriptResult, sanitize};

/// The greatest time that a record can contain.
const LAST_TIME: u64 = 9_999_999_999;
/// When the intent log has this many entries, earlier ones are dropped.
const MAX_ENTRIES: usize = 64;

/// A change of a variable.
struct Change {
    name: Vec<u8>,
    old: Option<Vec<u8>>,
    new: Option<Vec<u8>>,
}

impl Change {
    /// The number of bytes by which the image grows.
    fn growth(&self) -> i64 {
        let size = |value: &Option<Vec<u8>>| {
            value.as_ref().map_or(0, |value| self.name.len() + value.len() + 2)
        };
        size(&self.new) as i64 - size(&self.old) as i64
    }

    /// The entry in the intent log.
    fn entry(&self) -> Vec<u8> {
        match &self.new {
            Some(new) => [&self.name, b"=".as_slice(), new].concat(),
            None => self.name.clone(),
        }
    }
}

/// The entries that earlier calls left in the intent log.
struct Pending {
    uncommitted: bool,
    entries: usize,
}

impl Script<'_> {
    pub(crate) fn update(&mut self, call: &Call) -> ScriptResult {
        let text = call.arg(2);
        let Some(address) = Address::parse(text) else {
            return self.fail(format_args!("{}: no address: refused", sanitize(text)));
        };
        let name = self.name(text);
        let old = self.get(&name)?;
        let new = match call.arg(0) {
            b"del" => None,
            _ => Some(compose(&mut self.output, self.config, call, address, old.as_deref())?),
        };
        let mut changes = vec![Change { name, old, new }];
        if let Some(line) = changes[0].new.as_ref().and_then(|_| server_duid(call, address)) {
            let name = self.name(b"duid");
            let old = self.get(&name)?;
            changes.push(Change { name, old, new: Some(line) });
        }
        let record = changes[0].name.clone();
        changes.retain(|change| change.old != change.new);
        let pending = self.pending()?;
        if !changes.is_empty() {
            self.store(&record, &changes, &pending)
        } else if pending.uncommitted {
            self.commit()
        } else if pending.entries > 0 {
            self.clear_intent_log()
        } else {
            Ok(())
        }
    }

    fn store(&mut self, record: &[u8], changes: &[Change], pending: &Pending) -> ScriptResult {
        let written: Vec<&[u8]> = [record]
            .into_iter()
            .chain(changes.iter().map(|change| change.name.as_slice()))
            .collect();
        let scan = self.scan(&written)?;
        let growth = changes.iter().map(Change::growth).sum::<i64>() - scan.invalid_bytes as i64;
        let free_space = self.free_space(&scan.show)?;
        if let Err((need, left)) = free_space.check(growth, scan.show.bytes) {
            let name = sanitize(record);
            return self.fail(format_args!(
                "no room in NVRAM: {need} bytes needed, {left} left: {name} not stored"
            ));
        }
        let entries: Vec<_> =
            scan.invalid.iter().cloned().chain(changes.iter().map(Change::entry)).collect();
        let keep = pending.uncommitted && pending.entries < MAX_ENTRIES;
        let appended = self.intent_log.append(&entries, keep);
        self.check_intent_log(appended)?;

        for name in &scan.invalid {
            self.unset(name)?;
        }
        for change in changes {
            if !self.apply(change)? {
                return self.undo(record, changes, pending);
            }
        }
        if free_space == FreeSpace::Unknown {
            // Without a number of free bytes, check that the tool dropped no other variable.
            let bytes = scan.show.bytes as i64 + growth;
            if self.show()?.bytes as i64 != bytes {
                return self.undo(record, changes, pending);
            }
        }
        self.commit()
    }

    /// Changes a variable and reads it back, since some tools fail silently.
    fn apply(&mut self, change: &Change) -> ScriptResult<bool> {
        let done = match &change.new {
            Some(new) => self.set(&change.name, new)?,
            // Some tools fail for a variable that is already missing.
            None => self.unset(&change.name).map(|_| true)?,
        };
        Ok(done && self.read(&change.name)?.is_ok_and(|value| value == change.new))
    }

    /// Restores the earlier values in RAM after the tool did not accept a change. Nothing is committed.
    fn undo(&mut self, record: &[u8], changes: &[Change], pending: &Pending) -> ScriptResult {
        for change in changes {
            match &change.old {
                Some(old) => self.set(&change.name, old)?,
                None => self.unset(&change.name)?,
            };
        }
        if !pending.uncommitted {
            self.clear_intent_log()?;
        }
        self.fail(format_args!("NVRAM did not take {}: nothing stored", sanitize(record)))
    }

    /// Reads the intent log and checks if RAM contains an uncommitted change.
    fn pending(&mut self) -> ScriptResult<Pending> {
        let read = self.intent_log.read();
        let entries = self.check_intent_log(read)?;
        let mut uncommitted = false;
        for entry in &entries {
            let (name, new) = match entry.iter().position(|c| *c == b'=') {
                Some(at) => (&entry[..at], Some(&entry[at + 1..])),
                None => (entry.as_slice(), None),
            };
            uncommitted = uncommitted || self.get(name)?.as_deref() == new;
        }
        Ok(Pending { uncommitted, entries: entries.len() })
    }

    fn commit(&mut self) -> ScriptResult {
        if self.command(&[b"commit"])?.code != 0 {
            return self.fail("NVRAM commit failed: the next call tries again");
        }
        self.clear_intent_log()
    }

    fn clear_intent_log(&mut self) -> ScriptResult {
        let cleared = self.intent_log.clear();
        self.check_intent_log(cleared)
    }
}

/// The record for the lease that dnsmasq reports.
pub(crate) fn compose(
    output: &mut Output,
    config: &Config,
    call: &Call,
    address: Address,
    stored: Option<&[u8]>,
) -> ScriptResult<Vec<u8>> {
    let length = call.env.get("DNSMASQ_LEASE_LENGTH");
    let reported = length.or_else(|| call.env.get("DNSMASQ_LEASE_EXPIRES"));
    // Until 2.51 a blank follows the number.
    let number = reported.map(|text| text.strip_suffix(b" ").unwrap_or(text));
    let Some(mut expiry) = number.and_then(time) else {
        return output.fail("no lease time: refused");
    };
    let host = Some(call.arg(3)).filter(|host| is_host(host)).unwrap_or(b"*");
    let (second, id) = match address {
        Address::V4(_) => {
            if !is_hardware(call.arg(1)) {
                return output.fail("hardware address is not hexadecimal: refused");
            }
            let id = call.env.get("DNSMASQ_CLIENT_ID").filter(|id| is_client_id(id));
            (call.arg(1), id.unwrap_or(b"*"))
        }
        Address::V6(_) => {
            if !is_client_id(call.arg(1)) {
                return output.fail("DUID is not hexadecimal: refused");
            }
            let Some(iaid) = call.env.get("DNSMASQ_IAID").filter(|iaid| is_iaid(iaid)) else {
                return output.fail("IAID is no 32-bit number: refused");
            };
            (iaid, call.arg(1))
        }
    };
    if length.is_none() {
        let stored = stored.and_then(|value| Record::parse(address, call.arg(2), value).ok());
        expiry = add_slack(output, config, expiry, stored.map(|record| record.time));
    }
    Ok([expiry.to_string().as_bytes(), second, call.arg(2), host, id].join(&b' '))
}

/// The time to store for an expiry: the stored time if it is in [expiry, expiry + slack], otherwise expiry + slack.
fn add_slack(output: &mut Output, config: &Config, expiry: u64, stored: Option<u64>) -> u64 {
    let slack = config.slack.unwrap_or_else(|| {
        output.warn("LEASE_SLACK is no number of seconds: 0 taken");
        0
    });
    if expiry == 0 || slack == 0 {
        return expiry;
    }
    let latest = LAST_TIME.min(expiry + slack);
    stored.filter(|stored| (expiry..=latest).contains(stored)).unwrap_or(latest)
}

/// The line with the DUID of the server, which dnsmasq reports with a DHCPv6 lease.
pub(crate) fn server_duid(call: &Call, address: Address) -> Option<Vec<u8>> {
    let duid = call.env.get("DNSMASQ_SERVER_DUID")?;
    let line = [b"duid ", duid].concat();
    (matches!(address, Address::V6(_)) && is_duid_line(&line)).then_some(line)
}
