//! `init`: prints the leases for dnsmasq. Writes nothing.

use std::collections::HashSet;

use memchr::memmem;

use crate::address::Address;
use crate::config::{Config, DEFAULT_MAX};
use crate::record::Stored;
use crate::scan::Show;
use crate::script::{Abort, Output, Script, ScriptResult, sanitize};

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

impl Script<'_> {
    pub(crate) fn init(&mut self) -> ScriptResult {
        let max = limit(&mut self.output, self.config);
        let show = self.show()?;
        let has_only_errors =
            show.text.is_empty() && !show.errors.is_empty() && !is_size_line(&show.errors);
        if show.code != 0 || has_only_errors {
            self.warn("cannot read NVRAM: no leases");
            return if self.config.strict { Err(Abort::Failed) } else { Ok(()) };
        }
        let mut leases = Vec::new();
        let mut server = None;
        let mut seen = HashSet::new();
        let mut unreadable = false;
        for line in show.lines_with(&self.config.prefix) {
            let Some((name, _)) = Show::parse_line(line, &self.config.prefix) else { continue };
            if !seen.insert(name) {
                self.warn(format_args!("{}: left out: listed twice", sanitize(name)));
                continue;
            }
            let Ok(value) = self.read(name)? else {
                self.warn(format_args!("{}: left out: cannot be read", sanitize(name)));
                unreadable = true;
                continue;
            };
            let Some(value) = value else {
                self.warn(format_args!("{}: left out: no such variable", sanitize(name)));
                continue;
            };
            match Stored::parse(&name[self.config.prefix.len()..], &value) {
                Ok(Stored::ServerDuid(_)) => server = Some(value),
                Ok(Stored::Lease(record)) => {
                    leases.push(Lease {
                        address: record.address,
                        rank: record.rank(),
                        line: value,
                    });
                }
                Err(fault) => self.warn(format_args!("{}: left out: {fault}", sanitize(name))),
            }
        }
        print(&mut self.output, max, leases, server.as_deref());
        if unreadable && self.config.strict { Err(Abort::Failed) } else { Ok(()) }
    }
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

fn is_size_line(errors: &[u8]) -> bool {
    memmem::find(errors, b"size: ").is_some()
}
