//! The judge: what each call has done, and what is stored after it, against the invariants.

use std::collections::BTreeSet;

use super::{World, end_text};
use crate::findings::FindingKind;
use crate::lines::{self, Lines};
use crate::neighbours::NvramState;
use crate::store::{Change, Expected, Tolerance, changes};
use crate::tally::call_text;
use backend::{BackendError, CallEnd, CallOptions, CallResult};
use dnsmasq_model::{Build, ScriptCall, legal_hostname};
use scenario::{Invariant, Rtc};

impl World<'_> {
    pub(super) fn judge_call(
        &mut self,
        call: &ScriptCall,
        result: &CallResult,
        torn: bool,
    ) -> Result<(), BackendError> {
        let wanted = changes(call);
        let before = result.wrote_journal.then(|| self.expected.clone());
        if call.action() != b"init" {
            self.judge_pages(call, result);
        }
        match result.end {
            CallEnd::Exited(0) => {
                let acknowledges = !wanted.is_empty();
                self.dirty |= acknowledges;
                self.expected.acknowledged(wanted);
                if acknowledges && self.expected.is_in_doubt() {
                    // The contract: this call has made good what an earlier one had left.
                    self.settle_doubts()?;
                }
            }
            CallEnd::TimedOut => {
                let text = format!("`{}` hung and was killed", call_text(call));
                self.findings.add(FindingKind::Astray, text);
                self.in_doubt(wanted);
            }
            CallEnd::PowerLost => {
                self.in_doubt(wanted);
                return if torn { self.power_off_in_a_write() } else { self.power_off() };
            }
            CallEnd::Exited(_) | CallEnd::Killed(_) => self.in_doubt(wanted),
        }
        if before.is_some_and(|before| self.expected.is_as(&before)) {
            let text = format!("`{}` wrote, and nothing stored changed", call_text(call));
            self.findings.broken(Invariant::Thrift, text);
        }
        let repeats = self.commit_may_repeat && self.unfinished;
        match result.end {
            CallEnd::Exited(0) if matches!(call.action(), b"add" | b"old" | b"del") => {
                self.unfinished = false;
            }
            CallEnd::Killed(_) | CallEnd::Exited(1..) => self.unfinished = true,
            _ => {}
        }
        let now = self.look()?;
        self.judge_neighbours(&now);
        let saved = self.views.ram == self.views.flash && now.flash == self.views.flash;
        let killed = matches!(result.end, CallEnd::Killed(_));
        if !result.operations.is_empty() && saved && !killed && !repeats {
            let text = format!(
                "`{}` made {} flash operations, and nothing stored changed",
                call_text(call),
                result.operations.len()
            );
            self.findings.broken(Invariant::Thrift, text);
        }
        if self.torn && result.end == CallEnd::Exited(0) && !result.operations.is_empty() {
            self.torn = false;
            self.damaged = true;
        }
        self.dirty |= now.ram != self.views.ram;
        self.views = now;
        Ok(())
    }

    pub(super) fn in_doubt(&mut self, wanted: Vec<Change>) {
        self.dirty = true;
        self.apart = true;
        self.expected.in_doubt(wanted);
    }

    /// What RAM holds now is what is stored, for better or worse.
    fn settle_doubts(&mut self) -> Result<(), BackendError> {
        let actual = self.init_output()?;
        if self.torn {
            self.expected = Expected::known(actual);
            return Ok(());
        }
        let in_doubt: Vec<String> = self
            .expected
            .differences(&actual, self.tolerance())
            .into_iter()
            .filter(|difference| difference.in_doubt)
            .map(|difference| difference.text)
            .collect();
        for text in in_doubt {
            self.findings.broken(Invariant::Atomicity, text);
        }
        self.expected.settle(&actual);
        Ok(())
    }

    /// What is stored from now on is what is stored now: after damage, or a call that is not dnsmasq's.
    pub(crate) fn accept_store(&mut self) -> Result<(), BackendError> {
        self.apart = true;
        if self.powered {
            let actual = self.init_output()?;
            self.expected = Expected::known(actual.clone());
            self.stored = actual;
            self.meddled = true;
        } else {
            self.damaged = true;
        }
        Ok(())
    }

    pub(super) fn judge_neighbours(&mut self, now: &NvramState) {
        if self.torn {
            return;
        }
        for harm in self.views.harm(now, &self.prefix) {
            self.findings.broken(Invariant::Neighbours, harm);
        }
    }

    fn judge_pages(&mut self, call: &ScriptCall, result: &CallResult) {
        let mut around = self.expected.clone();
        around.in_doubt(changes(call));
        for (output, code) in &result.pages {
            if *code != Some(0) {
                let text = format!("the web page's init ended with {code:?}");
                self.findings.broken(Invariant::Parsability, text);
                continue;
            }
            match lines::read(output) {
                Err(why) => self.findings.broken(Invariant::Parsability, why),
                Ok(seen) => {
                    for difference in around.differences(&seen, self.tolerance()) {
                        let text = format!("the web page saw {}", difference.text);
                        self.findings.broken(Invariant::Agreement, text);
                    }
                }
            }
        }
    }

    /// Holds what `init` printed against what must be stored, and takes it for granted from now on.
    pub(super) fn judge_init(&mut self, output: &[u8], invariant: Invariant) {
        let actual = match lines::read(output) {
            Ok(actual) => actual,
            Err(why) => {
                self.findings.broken(Invariant::Parsability, why);
                return;
            }
        };
        let booted = invariant == Invariant::Durability;
        let meddled = booted && std::mem::take(&mut self.meddled);
        if std::mem::take(&mut self.damaged) || meddled || self.torn {
            self.expected = Expected::known(actual.clone());
        }
        for difference in self.expected.differences(&actual, self.tolerance()) {
            let invariant = if difference.in_doubt { Invariant::Atomicity } else { invariant };
            self.findings.broken(invariant, difference.text);
        }
        if booted {
            // dnsmasq knows no other leases than these from now on. Whether the flash has what only RAM said is
            // as open as before: no call has answered for it.
            if self.views.ram == self.views.flash {
                self.expected = Expected::known(actual.clone());
            } else {
                self.expected.reread(&actual);
            }
        }
        self.stored = actual;
        self.dirty = false;
    }

    /// Runs `init` for the judge's eyes: it counts for nothing, but must not touch the flash.
    pub(super) fn init_output(&mut self) -> Result<Lines, BackendError> {
        let output = self.call_init()?;
        Ok(lines::read(&output).unwrap_or_else(|why| {
            self.findings.broken(Invariant::Parsability, why);
            Lines::new()
        }))
    }

    fn call_init(&mut self) -> Result<Vec<u8>, BackendError> {
        if let Some(stdout) = self.target.peek_init() {
            return Ok(stdout);
        }
        let script = self.engine().config().script_name().to_vec();
        let init = ScriptCall { argv: vec![script, b"init".to_vec()], ..ScriptCall::default() };
        let result = self.target.call(&init, &CallOptions::default())?;
        if result.end != CallEnd::Exited(0) {
            let text = format!("init ended with {}", end_text(result.end));
            self.findings.broken(Invariant::Parsability, text);
        }
        if !result.operations.is_empty() {
            self.findings.broken(Invariant::Thrift, "init wrote to the flash");
        }
        Ok(result.stdout)
    }

    pub(super) fn look_at_store(&mut self) -> Result<(), BackendError> {
        if !self.dirty {
            return Ok(());
        }
        let output = self.call_init()?;
        self.judge_init(&output, Invariant::Agreement);
        if self.expected.is_in_doubt() {
            // Still in doubt for the next boot, but no longer what it could not be.
            return Ok(());
        }
        if !self.apart && self.engine().is_running() {
            self.judge_engine();
        }
        Ok(())
    }

    /// dnsmasq's own leases against what its calls asked to store.
    fn judge_engine(&mut self) {
        let held = self.engine().lease_lines();
        if tells_an_address_twice(&held) {
            self.apart = true;
            return;
        }
        let mut text = held.join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        let own = match lines::read(text.as_bytes()) {
            Ok(own) => own,
            Err(why) => {
                self.findings.broken(Invariant::Agreement, format!("dnsmasq's own leases: {why}"));
                return;
            }
        };
        let mut own = own.map(|line| as_told(line, self.cuts_ids));
        if !self.expected.lines().contains(lines::DUID) {
            // dnsmasq tells its DUID with the first DHCPv6 lease, and never before.
            own.put(lines::DUID, None);
        }
        // What is expected may have been read from the store, where times are later by the slack.
        let own = Expected::known(own);
        for difference in own.differences(self.expected.lines(), self.tolerance()) {
            let text = format!("dnsmasq and its calls differ: {}", difference.text);
            self.findings.broken(Invariant::Agreement, text);
        }
    }

    pub(super) fn tolerance(&self) -> Tolerance {
        let rtc = match self.engine().build() {
            Build::Rtc => Rtc::Good,
            Build::NoRtc => Rtc::Broken,
        };
        Tolerance { rtc, slack: self.slack }
    }
}

/// Whether dnsmasq holds an address twice, of which a store by address can hold one: REBIND of an unknown lease makes
/// it without a look at who else has the address (rfc3315.c `dhcp6_no_relay`), and so does reading it twice.
fn tells_an_address_twice(held: &[String]) -> bool {
    let mut seen = BTreeSet::new();
    held.iter().filter_map(|line| line.split(' ').nth(2)).any(|address| !seen.insert(address))
}

/// A line of dnsmasq's as its calls tell it: the first label of a name that it accepts, no other name.
///
/// A lease keeps whatever name it was read with, and tells it only if it is legal (helper.c `create_helper`).
fn as_told(line: &[u8], cuts_ids: bool) -> Vec<u8> {
    let mut words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    if let [_, _, _, name, id] = words.as_mut_slice() {
        if cuts_ids && id.len() >= ScriptCall::MAX_ID_TEXT {
            *id = b"*";
        }
        let legal = legal_hostname(name);
        *name = legal.and_then(|name| name.split(|byte| *byte == b'.').next()).unwrap_or(b"*");
    }
    words.join(&b' ')
}
