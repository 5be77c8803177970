//! The expectations of a step, held against the world.

use std::fmt::Display;

use super::clients::Clients;
use super::findings::FindingKind;
use super::lines::{DUID, Lines, show, split_time};
use super::neighbours::{NvramState, Variables};
use super::text::unescape;
use super::world::World;
use backend::BackendError;
use dnsmasq_model::{Build, same_name};
use scenario::{Between, Expect, LeaseTime, ReplyKind, Seconds, Store};

/// Holds every expectation of `expect` against the world after the step.
///
/// # Errors
/// When the target fails.
pub(super) fn check(
    world: &mut World<'_>,
    clients: &Clients,
    reply: Option<ReplyKind>,
    expect: &Expect,
    store: Store,
) -> Result<(), BackendError> {
    let mut checker = Checker { unmet: Vec::new() };
    checker.leases(world, clients, expect);
    checker.dnsmasq(world, clients, expect);
    checker.counts(world, expect);
    if store == Store::Nvram {
        checker.variables(world, expect);
        checker.flash(world, expect);
        checker.stored_bytes(world, expect);
    }
    if let Some(wanted) = expect.reply {
        checker.equal("the server's reply", &Some(wanted), &reply);
    }
    for text in checker.unmet {
        world.findings.add(FindingKind::Unmet, text);
    }
    for (names, wanted) in [(&expect.names, true), (&expect.no_names, false)] {
        for name in names {
            if world.resolves(name)?.is_some_and(|found| found != wanted) {
                let word = if wanted { "no answer" } else { "an answer" };
                let text = format!("its name server has {word} for {name}");
                world.findings.add(FindingKind::Unforeseen, text);
            }
        }
    }
    Ok(())
}

struct Checker {
    unmet: Vec<String>,
}

impl Checker {
    fn equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, wanted: &T, found: &T) {
        if wanted != found {
            self.unmet.push(format!("{what}: expected {wanted:?}, found {found:?}"));
        }
    }

    fn number<T: PartialEq + Display + Copy>(&mut self, what: &str, wanted: Option<T>, found: T) {
        if let Some(wanted) = wanted
            && wanted != found
        {
            self.unmet.push(format!("{what}: expected {wanted}, found {found}"));
        }
    }

    fn within(&mut self, what: &str, wanted: Option<Between>, found: i64) {
        let Some(Between { at_least, at_most }) = wanted else { return };
        if at_least.is_some_and(|least| found < least) || at_most.is_some_and(|most| found > most) {
            let bound = |bound: Option<i64>| bound.map_or("any".to_owned(), |n| n.to_string());
            self.unmet.push(format!(
                "{what}: expected {} to {}, found {found}",
                bound(at_least),
                bound(at_most)
            ));
        }
    }

    fn leases(&mut self, world: &World<'_>, clients: &Clients, expect: &Expect) {
        let stored = world.stored();
        let leases = stored.without(&[DUID]).len() as u64;
        self.number("leases that init prints", expect.leases, leases);
        if let Some(wanted) = &expect.lines {
            self.lines(wanted, stored);
        }
        let holds = |address: &str| stored.contains(address.as_bytes());
        for (patterns, wanted) in [(&expect.has, true), (&expect.lacks, false)] {
            for pattern in patterns {
                let addresses = clients.addresses(pattern.get_ref());
                if addresses.is_empty() && wanted {
                    self.unmet.push(format!("no client or address `{}`", pattern.get_ref()));
                }
                for address in addresses.iter().filter(|address| holds(address) != wanted) {
                    let text = if wanted { "no lease is stored" } else { "a lease is stored" };
                    self.unmet.push(format!("{text} for {} ({address})", pattern.get_ref()));
                }
            }
        }
    }

    fn lines(&mut self, wanted: &[String], stored: &Lines) {
        let found: Vec<&[u8]> = stored.iter().map(|(_, line)| line).collect();
        let same = |wanted: &str, found: &[u8]| match wanted.strip_prefix("*TIME*") {
            Some(rest) => split_time(found)
                .is_some_and(|(_, found)| unescape(rest).is_ok_and(|rest| rest == found)),
            None => unescape(wanted).is_ok_and(|wanted| wanted == found),
        };
        let all = wanted.len() == found.len()
            && wanted.iter().all(|wanted| found.iter().any(|found| same(wanted, found)));
        if !all {
            let found: Vec<String> = found.iter().map(|line| show(line)).collect();
            self.unmet.push(format!("lines of init: expected {wanted:?}, found {found:?}"));
        }
    }

    fn dnsmasq(&mut self, world: &World<'_>, clients: &Clients, expect: &Expect) {
        let now = world.engine().build().now(world.clocks.now());
        let answers = |name: &str| {
            // cache.c `is_expired`: a name goes when its lease's time has come, the lease itself later.
            world.engine().leases().filter(|lease| !lease.is_over(now)).any(|lease| {
                lease.hostname.as_ref().is_some_and(|own| same_name(own, name.as_bytes()))
            })
        };
        for name in expect.names.iter().filter(|name| !answers(name)) {
            self.unmet.push(format!("dnsmasq has no answer for {name}"));
        }
        for name in expect.no_names.iter().filter(|name| answers(name)) {
            self.unmet.push(format!("dnsmasq answers for {name}"));
        }
        for (name, wanted) in &expect.remaining {
            let address = clients.addresses(name).into_iter().next().unwrap_or_default();
            let lease = world.engine().leases().find(|lease| lease.addr.to_string() == address);
            let found = lease.map(|lease| remaining(world, lease.expires));
            if found != Some(*wanted) {
                let found = found.map_or("no lease".to_owned(), |time| time.to_string());
                self.unmet.push(format!("remaining for {name}: expected {wanted}, found {found}"));
            }
        }
        if expect.dnsmasq_exit.is_some() || world.dnsmasq_exit.is_some() {
            self.equal("dnsmasq's exit", &expect.dnsmasq_exit, &world.dnsmasq_exit);
        }
    }

    fn variables(&mut self, world: &World<'_>, expect: &Expect) {
        let views = world.views();
        let (ram, flash) = (&views.ram, &views.flash);
        for (wanted, found, place) in
            [(&expect.variables, ram, "nvram get"), (&expect.flash, flash, "flash")]
        {
            for (name, value) in wanted {
                let found = found.get(name.as_bytes());
                if !unescape(value).is_ok_and(|value| Some(value.as_slice()) == found) {
                    let found = found.map_or("nothing".to_owned(), show);
                    let text = format!("{name} in {place}: expected {value:?}, found {found}");
                    self.unmet.push(text);
                }
            }
        }
        for (names, found, place) in
            [(&expect.no_variables, ram, "nvram get"), (&expect.no_flash, flash, "flash")]
        {
            for name in names.iter().filter(|name| found.get(name.as_bytes()).is_some()) {
                self.unmet.push(format!("{name} is there in {place}"));
            }
        }
        if let Some(wanted) = expect.committed {
            self.equal("whether flash holds what RAM holds", &wanted, &(views.ram == views.flash));
        }
    }

    fn counts(&mut self, world: &World<'_>, expect: &Expect) {
        let (step, mut total) = (&world.step, world.total.clone());
        total.add(step);
        self.number("calls", expect.calls, step.calls);
        self.number("failed calls", expect.failed_calls, step.failed_calls);
        self.number("commits", expect.commits, step.commits);
        self.number("calls in all", expect.total_calls, total.calls);
        self.number("commits in all", expect.total_commits, total.commits);
        if let Some(wanted) = &expect.call_list {
            self.equal("calls", wanted, &step.listed);
        }
        if let Some(wanted) = expect.exit {
            self.equal("exit code of the last call", &Some(wanted), &world.last.exit);
        }
        let stderr = String::from_utf8_lossy(&world.last.stderr);
        for text in expect.stderr.iter().filter(|text| !stderr.contains(text.as_str())) {
            self.unmet.push(format!("stderr lacks {text:?}: {:?}", stderr.trim_end()));
        }
    }

    /// What commands and operations it took, where leases are kept in NVRAM.
    fn flash(&mut self, world: &World<'_>, expect: &Expect) {
        let (step, mut total) = (&world.step, world.total.clone());
        total.add(step);
        self.number("nvram commands", expect.nvram_commands, step.commands);
        self.number("erases", expect.erases, step.erases);
        self.number("bytes programmed", expect.programmed, step.programmed);
        self.number("flash operations", expect.flash_operations, step.operations);
        self.number("erases in all", expect.total_erases, total.erases);
    }

    fn stored_bytes(&mut self, world: &World<'_>, expect: &Expect) {
        let bytes = |variables: &Variables| {
            let sizes: Vec<i64> = NvramState::leases(variables, &world.prefix)
                .map(|(name, value)| (name.len() + value.len() + 2) as i64)
                .collect();
            (sizes.iter().sum::<i64>(), sizes.len() as i64)
        };
        let (sum, count) = bytes(world.views().ram.variables());
        self.within("bytes of all records", expect.stored_bytes, sum);
        if expect.record_bytes.is_some() {
            self.within("bytes of a record", expect.record_bytes, sum / count.max(1));
        }
    }
}

/// How long dnsmasq thinks a lease lasts from now.
fn remaining(world: &World<'_>, expires: i64) -> LeaseTime {
    let clock = world.clocks.now();
    let now = match world.engine().build() {
        Build::Rtc => clock.wall,
        Build::NoRtc => clock.mono,
    };
    match expires {
        0 => LeaseTime::Infinite,
        expires => LeaseTime::Finite(Seconds((expires - now).max(0) as u64)),
    }
}
