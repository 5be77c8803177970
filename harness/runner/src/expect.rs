//! Checks the expectations of a step.

use std::fmt::Display;

use super::clients::Clients;
use super::demands::ReadMethod;
use super::escapes::{show, unescape};
use super::finding_kind::FindingKind;
use super::lease_line::{DUID, family, split_time};
use super::nvram_state::{NvramState, Variables};
use super::script::ScriptOrigin;
use super::session::Session;
use backend::BackendError;
use dnsmasq_model::Build;
use scenario::{Case, Expect, LeaseTime, NumberRange, ReplyKind, Seconds, Store};

/// Checks every expectation in `expect` after the step.
///
/// # Errors
/// When the back end fails.
pub(super) fn check(
    session: &mut Session<'_>,
    clients: &Clients,
    reply: Option<ReplyKind>,
    expect: &Expect,
    case: &Case,
) -> Result<(), BackendError> {
    let mut checker = Checker { unmet: Vec::new(), lines: None };
    // A scenario of a conformance group expects what holds for every script.
    let is_about_this_script =
        session.script() == ScriptOrigin::Scenario || case.scenario.group.is_some();
    // Which leases a full NVRAM holds depends on the script.
    if is_about_this_script || case.scenario.router.free.is_none() {
        checker.leases(session, clients, expect);
        checker.dnsmasq(session, clients, expect);
    }
    if is_about_this_script {
        checker.lines(session, expect);
        checker.counts(session, expect);
    }
    checker.calls(session, expect);
    if is_about_this_script && case.scenario.router.store == Store::Nvram {
        checker.variables(session, expect);
        checker.flash(session, expect);
        checker.stored_bytes(session, expect);
    }
    if let Some(wanted) = expect.reply {
        let found = reply.map_or("no message of a client", ReplyKind::name);
        let wanted = wanted.name();
        let is_excused = reply == Some(ReplyKind::None) && session.named_unreported_server();
        if wanted != found && !is_excused {
            checker.unmet.push(format!("the server's reply: expected {wanted}, found {found}"));
        }
    }
    checker.files(session, expect)?;
    for text in checker.unmet {
        session.judge.findings.add(FindingKind::Unmet, text);
    }
    if let Some(LineDifference { text, missing, unexpected }) = checker.lines {
        session.judge.findings.unmet_lines(text, missing, unexpected);
    }
    for (names, wanted) in [(&expect.names, true), (&expect.no_names, false)] {
        for name in names {
            if session.resolves(name)?.is_some_and(|found| found != wanted) {
                let word = if wanted { "no answer" } else { "an answer" };
                let text = format!("its name server has {word} for {name}");
                session.judge.findings.add(FindingKind::Mispredicted, text);
            }
        }
    }
    Ok(())
}

/// Reports an exit of dnsmasq in a step that expects other things.
pub(super) fn reject_exit(session: &mut Session<'_>) {
    if let Some(status) = session.dnsmasq_exit() {
        let text = format!("dnsmasq's exit code: expected none, found {status}");
        session.judge.findings.add(FindingKind::Unmet, text);
    }
}

/// How the judge has to read the store before these expectations are checked.
pub(super) fn read_method(expectations: &[&Expect]) -> ReadMethod {
    let needs_init = |expect: &&Expect| {
        let Expect { leases, lines, has, lacks, .. } = expect;
        leases.is_some() || lines.is_some() || !has.is_empty() || !lacks.is_empty()
    };
    if expectations.iter().any(needs_init) { ReadMethod::Init } else { ReadMethod::Records }
}

struct Checker {
    unmet: Vec<String>,
    /// How the lines of `init` differ from the expected ones.
    lines: Option<LineDifference>,
}

/// How the lines of `init` differ from the expected ones.
struct LineDifference {
    text: String,
    /// Expected lines that `init` does not print.
    missing: Vec<Vec<u8>>,
    /// Lines that `init` prints, and that are not expected.
    unexpected: Vec<Vec<u8>>,
}

impl Checker {
    fn exit(&mut self, what: &str, wanted: Option<i32>, found: Option<i32>) {
        if wanted != found {
            let text = |code: Option<i32>| code.map_or("none".to_owned(), |code| code.to_string());
            self.unmet.push(format!("{what}: expected {}, found {}", text(wanted), text(found)));
        }
    }

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

    fn within(&mut self, what: &str, wanted: Option<NumberRange>, found: i64) {
        let Some(NumberRange { at_least, at_most }) = wanted else { return };
        if at_least.is_some_and(|least| found < least) || at_most.is_some_and(|most| found > most) {
            let bound = |bound: Option<i64>| bound.map_or("any".to_owned(), |n| n.to_string());
            self.unmet.push(format!(
                "{what}: expected {} to {}, found {found}",
                bound(at_least),
                bound(at_most)
            ));
        }
    }

    fn leases(&mut self, session: &Session<'_>, clients: &Clients, expect: &Expect) {
        let stored = session.judge.stored();
        let leases = stored.without(&[DUID]).len() as u64;
        self.number("leases that init prints", expect.leases, leases);
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

    /// Each expected line matches one line of `init`. The families come in the order in which `init` prints them;
    /// the order within a family is not promised.
    fn lines(&mut self, session: &Session<'_>, expect: &Expect) {
        let Some(wanted) = &expect.lines else { return };
        let stored = session.judge.stored();
        let mut unclaimed: Vec<&[u8]> = stored.iter().map(|(_, line)| line).collect();
        let (mut claimed, mut missing) = (Vec::new(), Vec::new());
        for wanted in wanted {
            match unclaimed.iter().position(|found| is_line(wanted, found)) {
                Some(at) => claimed.push(unclaimed.swap_remove(at)),
                None => missing.push(wanted.clone().into_bytes()),
            }
        }
        if !missing.is_empty() || !unclaimed.is_empty() {
            let found: Vec<String> = stored.iter().map(|(_, line)| show(line)).collect();
            let text = format!("lines of init: expected {wanted:?}, found {found:?}");
            let unexpected = unclaimed.into_iter().map(<[u8]>::to_vec).collect();
            self.lines = Some(LineDifference { text, missing, unexpected });
            return;
        }
        if !claimed.iter().map(|line| family(line)).is_sorted() {
            self.unmet.push(format!(
                "lines of init: expected {wanted:?}, in this order; init prints DHCPv4 leases, then the DUID, then \
                 DHCPv6 leases"
            ));
        }
    }

    fn dnsmasq(&mut self, session: &Session<'_>, clients: &Clients, expect: &Expect) {
        let clock = session.router.clocks.now();
        let answers =
            |name: &str| !session.router.engine().resolve(name.as_bytes(), clock).is_empty();
        for name in expect.names.iter().filter(|name| !answers(name)) {
            self.unmet.push(format!("dnsmasq has no answer for {name}"));
        }
        for name in expect.no_names.iter().filter(|name| answers(name)) {
            self.unmet.push(format!("dnsmasq answers for {name}"));
        }
        for (name, wanted) in &expect.remaining {
            let address = clients.addresses(name).into_iter().next().unwrap_or_default();
            let lease =
                session.router.engine().leases().find(|lease| lease.addr.to_string() == address);
            let found = lease.map(|lease| remaining(session, lease.expires));
            if found != Some(*wanted) {
                let found = found.map_or("no lease".to_owned(), |time| time.to_string());
                self.unmet.push(format!("remaining for {name}: expected {wanted}, found {found}"));
            }
        }
        if expect.dnsmasq_exit.is_some() {
            self.exit("dnsmasq's exit code", expect.dnsmasq_exit, session.dnsmasq_exit());
        }
    }

    fn variables(&mut self, session: &Session<'_>, expect: &Expect) {
        let views = session.judge.nvram();
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
                self.unmet.push(format!("{name} is set in {place}"));
            }
        }
        if let Some(wanted) = expect.committed {
            self.equal("whether flash holds what RAM holds", &wanted, &(views.ram == views.flash));
        }
    }

    fn files(&mut self, session: &mut Session<'_>, expect: &Expect) -> Result<(), BackendError> {
        for (path, wanted) in &expect.files {
            let found = session.router.backend.read_file(path)?;
            if !unescape(wanted).is_ok_and(|wanted| Some(&wanted) == found.as_ref()) {
                let found = found.map_or("no file".to_owned(), |found| show(&found));
                self.unmet.push(format!("{path}: expected {wanted:?}, found {found}"));
            }
        }
        for path in &expect.no_files {
            if session.router.backend.read_file(path)?.is_some() {
                self.unmet.push(format!("there is a file {path}"));
            }
        }
        Ok(())
    }

    /// The calls that dnsmasq makes.
    fn calls(&mut self, session: &Session<'_>, expect: &Expect) {
        let (step, total) = (&session.observers.step, session.observers.total());
        self.number("calls", expect.calls, step.calls);
        self.number("calls in all", expect.total_calls, total.calls);
        if let Some(wanted) = &expect.call_list {
            self.equal("calls", wanted, &step.listed);
        }
    }

    /// The results of the calls.
    fn counts(&mut self, session: &Session<'_>, expect: &Expect) {
        let (step, total) = (&session.observers.step, session.observers.total());
        self.number("failed calls", expect.failed_calls, step.failed_calls);
        self.number("commits", expect.commits, step.commits);
        self.number("commits in all", expect.total_commits, total.commits);
        if expect.exit.is_some() {
            self.exit("exit code of the last call", expect.exit, session.last_call().exit);
        }
        let stderr = String::from_utf8_lossy(&session.last_call().stderr);
        for text in expect.stderr.iter().filter(|text| !stderr.contains(text.as_str())) {
            self.unmet.push(format!("stderr lacks {text:?}: {:?}", stderr.trim_end()));
        }
    }

    /// Counts of `nvram` commands and flash operations, for stores in NVRAM.
    fn flash(&mut self, session: &Session<'_>, expect: &Expect) {
        let (step, total) = (&session.observers.step, session.observers.total());
        self.number("nvram commands", expect.nvram_commands, step.commands);
        self.number("erases", expect.erases, step.erases);
        self.number("bytes programmed", expect.programmed, step.programmed);
        self.number("flash operations", expect.flash_operations, step.operations);
        self.number("erases in all", expect.total_erases, total.erases);
    }

    fn stored_bytes(&mut self, session: &Session<'_>, expect: &Expect) {
        let bytes = |variables: &Variables| {
            let sizes: Vec<i64> = NvramState::leases(variables, session.judge.owned())
                .map(|(name, value)| (name.len() + value.len() + 2) as i64)
                .collect();
            (sizes.iter().sum::<i64>(), sizes.len() as i64)
        };
        let (sum, count) = bytes(session.judge.nvram().ram.variables());
        self.within("bytes of all records", expect.stored_bytes, sum);
        if expect.record_bytes.is_some() {
            self.within("bytes of a record", expect.record_bytes, sum / count.max(1));
        }
    }
}

/// Whether a line matches an expected one, in which `*TIME*` stands for any time.
fn is_line(wanted: &str, found: &[u8]) -> bool {
    match wanted.strip_prefix("*TIME*") {
        Some(rest) => split_time(found)
            .is_some_and(|(_, found)| unescape(rest).is_ok_and(|rest| rest == found)),
        None => unescape(wanted).is_ok_and(|wanted| wanted == found),
    }
}

/// The remaining time of a lease by dnsmasq's own clock.
fn remaining(session: &Session<'_>, expires: i64) -> LeaseTime {
    let clock = session.router.clocks.now();
    let now = match session.router.engine().build() {
        Build::Rtc => clock.wall,
        Build::NoRtc => clock.mono,
    };
    match expires {
        0 => LeaseTime::Infinite,
        expires => LeaseTime::Finite(Seconds((expires - now).max(0) as u64)),
    }
}
