//! `init`: prints the leases for dnsmasq. Writes nothing.

use crate::address::Address;
use crate::config::{Config, DEFAULT_MAX};
use crate::script::{Abort, Output, Script, ScriptResult};
use crate::show::{Listing, variable};

/// A valid lease.
pub(crate) struct Lease {
    pub(crate) address: Address,
    pub(crate) rank: u64,
    pub(crate) line: Vec<u8>,
}

/// The value of `LEASE_MAX`.
pub(crate) fn limit(output: &mut Output, config: &Config) -> u64 {
    config.max.unwrap_or_else(|| {
        output.warn("LEASE_MAX is no number: 1000 taken");
        DEFAULT_MAX
    })
}

/// Prints the DHCPv4 leases, the DUID of the server, and the DHCPv6 leases.
pub(crate) fn print(output: &mut Output, max: u64, mut leases: Vec<Lease>, server: Option<&[u8]>) {
    leases.sort_by_key(|lease| lease.address);
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    if max > 0 && leases.len() > max {
        let surplus = leases.len() - max;
        keep_longest(&mut leases, max);
        output.warn(format_args!("LEASE_MAX={max}: {surplus} leases left out"));
    }
    let (v4, v6) =
        leases.split_at(leases.partition_point(|lease| matches!(lease.address, Address::V4(_))));
    for line in v4
        .iter()
        .map(|lease| lease.line.as_slice())
        .chain(server)
        .chain(v6.iter().map(|lease| lease.line.as_slice()))
    {
        output.stdout.extend_from_slice(line);
        output.stdout.push(b'\n');
    }
}

/// How often `init` reads NVRAM until two readings agree.
const READINGS: u32 = 4;

impl Script<'_> {
    pub(crate) fn init(&mut self) -> ScriptResult {
        let max = limit(&mut self.output, self.config);
        let mut agreed = None;
        let mut is_doubtful = false;
        let mut last = None;
        for _ in 0..READINGS {
            if Self::logged(self.intent_log.has_entries(), false)? {
                Self::logged(self.intent_log.wait(), ())?;
            }
            last = self.list(max, false)?;
            let mut one_command = false;
            if last.as_ref().is_some_and(|listing| listing.is_usage) {
                one_command = true;
                last = self.list(max, one_command)?;
            }
            let Some(listing) = last.as_ref().filter(|listing| !listing.is_torn) else { continue };
            is_doubtful = one_command || listing.is_doubtful;
            if is_doubtful {
                break;
            }
            if self.is_confirmed(listing)? {
                agreed = Some(listing.output());
                break;
            }
        }
        let Some(listing) = last else {
            self.warn(format_args!("{}: no leases", self.unreadable()));
            return if self.config.strict { Err(Abort::Failed) } else { Ok(()) };
        };
        let mut complete = agreed.is_some() || is_doubtful;
        if listing.surplus > 0 {
            self.warn(format_args!("LEASE_MAX={max}: {} leases left out", listing.surplus));
        }
        if !complete {
            self.warn("NVRAM changes: leases may be missing");
        }
        let mut invalid = listing.invalid.clone();
        let leases = match agreed {
            Some(leases) => leases,
            None => {
                let read = self.read_by_name(&listing, max, &mut complete)?;
                invalid.extend_from_slice(&read.invalid);
                read.output()
            }
        };
        self.name_invalid(&invalid);
        self.output.stdout.extend(leases);
        if !complete && self.config.strict { Err(Abort::Failed) } else { Ok(()) }
    }

    /// Runs `show`; `None` if NVRAM cannot be read.
    fn list(&mut self, max: u64, one_command: bool) -> ScriptResult<Option<Listing>> {
        let words: &[&[u8]] = if one_command { &[b"show"] } else { &[b"show", b"info"] };
        let show = self.command(words)?;
        if !(0..=1).contains(&show.code) || show.code == 1 && show.stdout.is_empty() {
            return Ok(None);
        }
        Ok(Some(Listing::parse(&show.stdout, &self.config.prefix, max)))
    }

    /// Reads all variables of a list with one command. Equal texts prove that no part of a value was taken for another
    /// variable, and that nothing was written in between.
    fn is_confirmed(&mut self, listing: &Listing) -> ScriptResult<bool> {
        let words: Vec<&[u8]> =
            listing.names().flat_map(|name| [b"get".as_slice(), name]).collect();
        if words.is_empty() {
            return Ok(true);
        }
        let read = self.command(&words)?.stdout;
        Ok(trim(&read) == trim(&listing.output()))
    }

    /// Reads each variable by itself.
    fn read_by_name(
        &mut self,
        listing: &Listing,
        max: u64,
        complete: &mut bool,
    ) -> ScriptResult<Listing> {
        let mut text = Vec::new();
        for name in listing.names() {
            let (value, code) = self.get(name)?;
            if !(0..=1).contains(&code) {
                self.warn(self.unreadable());
                *complete = false;
            } else if !value.is_empty() {
                let value = trim(&value);
                // No lease has two lines.
                let value = if value.contains(&b'\n') { b"" } else { value };
                text.extend_from_slice(&[name, b"=".as_slice(), value, b"\n"].concat());
            }
        }
        Ok(Listing::parse(&text, &self.config.prefix, max))
    }

    fn name_invalid(&mut self, lines: &[Vec<u8>]) {
        for line in lines {
            let name = variable(line, &self.config.prefix).map_or(b"".as_slice(), |(name, _)| name);
            let is_plain = |c: &u8| c.is_ascii_alphanumeric() || b"_.:-".contains(c);
            let name = if name.iter().all(is_plain) { name } else { b"odd name" };
            let name = String::from_utf8_lossy(name);
            self.warn(format_args!("{name}: left out: no valid lease"));
        }
    }
}

/// A text without the line breaks at its end, as a shell reads it.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|c| *c != b'\n').map_or(0, |at| at + 1);
    &text[..end]
}

/// Keeps the `max` leases that expire last, in their order; of leases with the same expiry, the first ones.
fn keep_longest(leases: &mut Vec<Lease>, max: usize) {
    let mut ranks: Vec<u64> = leases.iter().map(|lease| lease.rank).collect();
    ranks.sort_unstable_by(|a, b| b.cmp(a));
    let lowest = ranks[max - 1];
    let mut ties = ranks[..max].iter().filter(|rank| **rank == lowest).count();
    leases.retain(|lease| {
        let tie = lease.rank == lowest && ties > 0;
        ties -= usize::from(tie);
        tie || lease.rank > lowest
    });
}
