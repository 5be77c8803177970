//! The judge: checks after each call and each step that the store holds what the acknowledged calls asked for.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::client_ids::ClientIds;
use super::demands::{Agreement, FlashState, LastCall, NextStart, ReadMethod, Reading};
use super::engine_leases::{self, EngineLeases};
use super::expected::{Change, Expected, Tolerance, changes};
use super::finding_kind::FindingKind;
use super::findings::Findings;
use super::free_space::free_bytes;
use super::init_output;
use super::judge_rules::Rules;
use super::lease_line::{DUID, split_time};
use super::lines::Lines;
use super::nvram_state::{NeighbourChange, NvramSnapshot, NvramState};
use super::owned_variables::OwnedVariables;
use super::router::Router;
use super::severity::Severity;
use super::tally::{call_text, end_text};
use backend::{BackendError, CallEnd, CallOptions, CallResult, InProcess, Origin};
use dnsmasq_model::{Build, Clock, Engine, ScriptCall};
use scenario::{Forgiven, Invariant, Rtc};

/// A script must not refuse a lease if this many bytes of the NVRAM are free.
const ROOM_FOR_A_LEASE: i64 = 2048;

/// From this number on, a script does not run a few daemons, but leaves processes behind.
const MANY_PROCESSES: usize = 5;

/// Compares the store with what the acknowledged calls asked for.
pub(super) struct Judge<'a> {
    pub(super) findings: Findings<'a>,
    rules: Rules<'a>,
    expected: Expected,
    /// NVRAM after the last command.
    nvram: NvramState,
    /// Variables in RAM that every commit drops: another program has set more than fits.
    unkept: BTreeSet<Vec<u8>>,
    /// The leases that the store held when the judge last read it.
    stored: Lines,
    reading: Reading,
    flash: FlashState,
    next_start: NextStart,
    agreement: Agreement,
    last_call: LastCall,
    /// How many processes calls have left running.
    left_running: usize,
}

impl<'a> Judge<'a> {
    /// A judge that expects what the router's flash holds.
    ///
    /// # Errors
    /// When the back end cannot be read.
    pub(super) fn new(
        router: &mut Router<'_>,
        findings: Findings<'a>,
        rules: Rules<'a>,
    ) -> Result<Self, BackendError> {
        let nvram = NvramState::of(router.machine()?.as_ref(), &rules.owned, None);
        let records = || NvramState::leases(nvram.flash.variables(), &rules.owned);
        let (expected, next_start) = match &rules.record_prefix {
            Some(prefix) => {
                let records = init_output::of_records(records(), prefix);
                (Expected::known(records), NextStart::Expected)
            }
            None if records().next().is_some() => (Expected::default(), NextStart::Unknown),
            None => (Expected::default(), NextStart::Expected),
        };
        Ok(Self {
            findings,
            rules,
            expected,
            nvram,
            unkept: BTreeSet::new(),
            stored: Lines::new(),
            reading: Reading::Printed,
            flash: FlashState::Intact,
            next_start,
            agreement: Agreement::Required,
            last_call: LastCall::Completed,
            left_running: 0,
        })
    }

    /// The store holds what these calls asked for, which were made before the first step.
    pub(super) fn stored_before(&mut self, calls: &[ScriptCall]) {
        for call in calls {
            self.expected.acknowledged(changes(call));
        }
    }

    /// dnsmasq has a lease file of its own, and does not tell the script everything.
    pub(super) fn dnsmasq_keeps_its_own_file(&mut self) {
        self.agreement = Agreement::SuspendedUntilStart;
    }

    /// The leases that the store held when the judge last read it.
    pub(super) fn stored(&self) -> &Lines {
        &self.stored
    }

    /// What the store must hold.
    pub(super) fn expected(&self) -> &Expected {
        &self.expected
    }

    /// NVRAM after the last command.
    pub(super) fn nvram(&self) -> &NvramState {
        &self.nvram
    }

    /// The NVRAM variables that belong to the script, with those that it has added.
    pub(super) fn owned(&self) -> &OwnedVariables {
        &self.rules.owned
    }

    /// How a stored time may differ from the one that this dnsmasq reported.
    pub(super) fn tolerance(&self, engine: &Engine) -> Tolerance {
        let rtc = match engine.build() {
            Build::Rtc => Rtc::Good,
            Build::NoRtc => Rtc::Broken,
        };
        Tolerance { rtc, slack: self.rules.slack }
    }

    /// Whether a write that power interrupts may lose everything.
    pub(super) fn forgives_torn_writes(&self) -> bool {
        self.rules.forgive.contains(&Forgiven::TornWrite)
    }

    fn read_nvram(&self, router: &mut Router<'_>) -> Result<NvramState, BackendError> {
        Ok(NvramState::of(router.machine()?.as_ref(), &self.rules.owned, Some(&self.nvram)))
    }

    pub(super) fn power_on(&mut self) {
        self.reading = Reading::Stale;
    }

    /// Judges a loss of power outside a write that may lose everything.
    pub(super) fn power_off(&mut self, router: &mut Router<'_>) -> Result<(), BackendError> {
        self.last_call = LastCall::Completed;
        let now = self.read_nvram(router)?;
        // The script is not responsible for the loss of RAM.
        let now = NvramState { ram: self.nvram.ram.clone(), flash: now.flash };
        self.judge_neighbours(&now);
        self.booted(now.flash);
        Ok(())
    }

    /// Judges a loss of power inside a write of a store that has only one copy.
    pub(super) fn power_off_in_a_write(
        &mut self,
        router: &mut Router<'_>,
    ) -> Result<(), BackendError> {
        self.last_call = LastCall::Completed;
        let now = self.read_nvram(router)?;
        self.booted(now.flash);
        self.flash = FlashState::Torn;
        Ok(())
    }

    fn booted(&mut self, flash: NvramSnapshot) {
        self.nvram = NvramState::booted(flash);
        self.unkept.clear();
    }

    pub(super) fn dnsmasq_started(&mut self) {
        self.agreement = Agreement::Required;
    }

    /// Judges a call during which power was lost.
    pub(super) fn interrupted_call(
        &mut self,
        router: &Router<'_>,
        call: &ScriptCall,
        result: &CallResult,
    ) {
        self.judge_pages(router.engine(), call, result);
        self.mark_uncertain(changes(call));
    }

    /// Judges a call after which the power is still on.
    pub(super) fn completed_call(
        &mut self,
        router: &mut Router<'_>,
        call: &ScriptCall,
        result: &CallResult,
    ) -> Result<(), BackendError> {
        let mut wanted = changes(call);
        // What 2.66 and 2.67 pass instead of the server's DUID need not be stored, and may be.
        let has_wrong_duid = !router.engine().reports_server_duid()
            && wanted.iter().any(|(subject, _)| subject == DUID);
        let before = result.wrote_journal.then(|| self.expected.clone());
        self.judge_pages(router.engine(), call, result);
        self.judge_processes(result);
        if result.end == CallEnd::Exited(0) {
            let acknowledges = !wanted.is_empty();
            if acknowledges {
                self.reading = Reading::Stale;
            }
            wanted.retain(|(subject, _)| !has_wrong_duid || subject != DUID);
            self.expected.acknowledged(wanted);
            if has_wrong_duid {
                let actual = self.init_output(router)?;
                self.expected.accept(&[DUID.to_vec()], &actual);
            }
            if acknowledges && result.stored_late {
                let text = format!(
                    "`{}` returned 0 before the processes that it had started stored the lease",
                    call_text(call)
                );
                self.findings.broken(Invariant::Durability, text);
            }
            if acknowledges && self.expected.is_uncertain() {
                // The contract: this call has also completed what an earlier one left unfinished.
                self.settle_doubts(router)?;
            }
        } else {
            if result.end == CallEnd::TimedOut {
                let text = format!("`{}` hung and was killed", call_text(call));
                self.findings.add(FindingKind::Anomaly, text);
            }
            self.mark_uncertain(wanted);
        }
        if before.is_some_and(|before| self.expected.is_certainly_equal_to(&before)) {
            let text = format!("`{}` wrote although no stored value changed", call_text(call));
            self.findings.broken(Invariant::NoRedundantWrites, text);
        }
        let mut now = self.read_nvram(router)?;
        if self.judge_neighbours(&now) {
            now = NvramState::of(router.machine()?.as_ref(), &self.rules.owned, None);
        }
        self.judge_writes(call, result, &now);
        if self.flash == FlashState::Torn
            && result.end == CallEnd::Exited(0)
            && !result.operations.is_empty()
        {
            self.flash = FlashState::Damaged;
        }
        if now.ram != self.nvram.ram {
            self.reading = Reading::Stale;
        }
        self.nvram = now;
        Ok(())
    }

    /// Judges a script that leaves a process running in each call.
    fn judge_processes(&mut self, result: &CallResult) {
        let before = std::mem::replace(&mut self.left_running, result.left_running);
        if before < MANY_PROCESSES && result.left_running >= MANY_PROCESSES {
            let text = format!(
                "{} processes that calls have started in the background neither end nor sleep",
                result.left_running
            );
            self.findings.add(FindingKind::Processes, text);
        }
    }

    /// Judges a call that reported an error although nothing disturbed it, which is right only if the lease did not fit.
    pub(super) fn refused_call(
        &mut self,
        router: &mut Router<'_>,
        call: &ScriptCall,
        result: &CallResult,
    ) -> Result<(), BackendError> {
        let (CallEnd::Exited(code @ 1..), FlashState::Intact) = (result.end, self.flash) else {
            return Ok(());
        };
        if self.rules.files_can_be_full {
            return Ok(());
        }
        let has_room = |free: i64| free >= ROOM_FOR_A_LEASE;
        let changes = changes(call);
        if changes.is_empty() || !free_bytes(router.machine()?.as_ref()).is_some_and(has_room) {
            return Ok(());
        }
        let actual = self.init_output(router)?;
        let name = call_text(call);
        if changes.iter().all(|(subject, line)| actual.get(subject) == line.as_deref()) {
            let text = format!("`{name}` exited with {code} although the change is stored");
            self.findings.broken_with(Invariant::Durability, Severity::Risk, text);
        } else {
            let text = format!(
                "`{name}` exited with {code} although the NVRAM has room: the change is not stored"
            );
            let lines = changes.into_iter().filter_map(|(_, line)| line);
            self.findings.refused(text, lines.collect());
        }
        Ok(())
    }

    /// No redundant writes: a call that changes nothing makes no flash operation.
    fn judge_writes(&mut self, call: &ScriptCall, result: &CallResult, now: &NvramState) {
        let forgiven = self.last_call == LastCall::Interrupted
            && self.rules.forgive.contains(&Forgiven::RepeatedCommit);
        let killed = matches!(result.end, CallEnd::Killed(_));
        match result.end {
            CallEnd::Exited(0) if matches!(call.action(), b"add" | b"old" | b"del") => {
                self.last_call = LastCall::Completed;
            }
            CallEnd::Killed(_) | CallEnd::Exited(1..) => self.last_call = LastCall::Interrupted,
            _ => {}
        }
        let unchanged = self.nvram.ram == self.nvram.flash && now.flash == self.nvram.flash;
        let wrote = !result.operations.is_empty() && result.origin == Origin::Call;
        if wrote && unchanged && !killed && !forgiven {
            let text = format!(
                "`{}` made {} flash operations although no stored value changed",
                call_text(call),
                result.operations.len()
            );
            self.findings.broken(Invariant::NoRedundantWrites, text);
        }
    }

    fn mark_uncertain(&mut self, wanted: Vec<Change>) {
        self.reading = Reading::Stale;
        self.agreement = Agreement::SuspendedUntilStart;
        self.expected.mark_uncertain(wanted);
    }

    /// From now on the store must hold what it holds in RAM now.
    fn settle_doubts(&mut self, router: &mut Router<'_>) -> Result<(), BackendError> {
        let actual = self.init_output(router)?;
        if self.flash == FlashState::Torn {
            self.expected = Expected::known(actual);
            return Ok(());
        }
        let tolerance = self.tolerance(router.engine());
        for difference in self.expected.differences(&actual, tolerance) {
            if difference.uncertain {
                self.findings.broken_line(Invariant::Atomicity, difference);
            }
        }
        self.expected.settle(&actual);
        Ok(())
    }

    /// Updates the judge after another program has run an `nvram` command.
    pub(super) fn other_program(&mut self, router: &mut Router<'_>) -> Result<(), BackendError> {
        let before = self.nvram.clone();
        self.reread_nvram(router)?;
        self.unkept = self.dropped_by_commit(router)?;
        if self.flash == FlashState::Torn || !before.keeps_records(&self.nvram) {
            // The script is not responsible: a tool whose store is full drops variables without an error, and one
            // that fails on damaged variables leaves a copy that can be read again.
            self.accept_store(router)?;
        }
        Ok(())
    }

    /// The variables in RAM that a commit drops without an error, since they do not fit.
    fn dropped_by_commit(
        &self,
        router: &mut Router<'_>,
    ) -> Result<BTreeSet<Vec<u8>>, BackendError> {
        if self.nvram.ram == self.nvram.flash {
            return Ok(BTreeSet::new());
        }
        let mut trial = router.machine()?.into_owned();
        trial.run(&[b"commit"]);
        let kept = NvramState::flash_of(&trial, &self.rules.owned);
        let names = self.nvram.ram.variables().keys();
        Ok(names.filter(|name| kept.get(name).is_none()).cloned().collect())
    }

    /// Updates the judge after damage to flash or RAM.
    pub(super) fn damaged(&mut self, router: &mut Router<'_>) -> Result<(), BackendError> {
        self.reread_nvram(router)?;
        self.accept_store(router)
    }

    fn reread_nvram(&mut self, router: &mut Router<'_>) -> Result<(), BackendError> {
        self.nvram = self.read_nvram(router)?;
        self.reading = Reading::Stale;
        Ok(())
    }

    /// From now on the store must hold what it holds now.
    fn accept_store(&mut self, router: &mut Router<'_>) -> Result<(), BackendError> {
        self.agreement = Agreement::SuspendedUntilStart;
        if router.is_on() {
            let actual = self.init_output(router)?;
            self.expected = Expected::known(actual.clone());
            self.stored = actual;
            self.next_start = NextStart::Unknown;
        } else if self.flash == FlashState::Intact {
            self.flash = FlashState::Damaged;
        }
        Ok(())
    }

    /// Judges a call that did not come from dnsmasq: it may change the lease of its address, and no other.
    /// `before` is what [`Self::init_output`] returned before the call.
    pub(super) fn foreign_call(
        &mut self,
        router: &mut Router<'_>,
        call: &ScriptCall,
        before: &Lines,
    ) -> Result<(), BackendError> {
        let address = call.argv.get(3).cloned().unwrap_or_default();
        let after = self.init_output(router)?;
        let changes = changes(call);
        if changes.is_empty() {
            if *before != after {
                let text = format!("`{}` changed leases", call_text(call));
                self.findings.broken(Invariant::Atomicity, text);
            }
            return Ok(());
        }
        let others = |lines: &Lines| lines.without(&[&address, DUID]);
        if others(before) != others(&after) {
            let text = format!("`{}` changed other leases", call_text(call));
            self.findings.broken(Invariant::Atomicity, text);
        }
        self.agreement = Agreement::SuspendedUntilStart;
        let wanted: Vec<_> = changes.into_iter().map(|(subject, _)| subject).collect();
        self.expected.accept(&wanted, &after);
        Ok(())
    }

    /// Judges the variables of other programs. Returns whether the script has added variables, which belong to it from now
    /// on: each is reported once.
    fn judge_neighbours(&mut self, now: &NvramState) -> bool {
        if self.flash == FlashState::Torn {
            return false;
        }
        let mut added = false;
        for difference in self.nvram.neighbour_differences(now, &self.rules.owned) {
            if difference.change == NeighbourChange::Lost && self.unkept.contains(&difference.name)
            {
                continue;
            }
            let mut text = difference.text.clone();
            if difference.change == NeighbourChange::Added {
                if self.rules.owned.contains(&difference.name) {
                    continue;
                }
                self.rules.owned.add(&difference.name);
                added = true;
                if self.rules.record_prefix.is_none() {
                    let name = difference.name.escape_ascii();
                    // Writing to a string cannot fail.
                    let _ = write!(text, "; if it belongs to the script: --owns {name}");
                }
            }
            self.findings.broken_with(Invariant::Neighbours, difference.severity(), text);
        }
        added
    }

    /// Judges the output of the `init` calls that a web page made during the call.
    fn judge_pages(&mut self, engine: &Engine, call: &ScriptCall, result: &CallResult) {
        if call.action() == b"init" || result.pages.is_empty() {
            return;
        }
        let mut allowed = self.expected.clone();
        allowed.mark_uncertain(changes(call));
        let tolerance = self.tolerance(engine);
        for (output, code) in &result.pages {
            if *code != Some(0) {
                let how = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
                let text = format!("the web page's init ended with {how}");
                self.findings.broken(Invariant::Parsability, text);
                continue;
            }
            let Some(seen) = self.read_init(output) else { continue };
            for mut difference in allowed.differences(&seen, tolerance) {
                difference.text = format!("the web page saw {}", difference.text);
                // The next reading of the page is right again.
                difference.severity = Severity::Risk;
                self.findings.broken_line(Invariant::Agreement, difference);
            }
        }
    }

    /// Judges what the `init` of a start of dnsmasq printed.
    pub(super) fn start_output(&mut self, engine: &Engine, clock: Clock, output: &[u8]) {
        let Some(actual) = self.read_init(output) else { return };
        if std::mem::replace(&mut self.next_start, NextStart::Expected) == NextStart::Unknown {
            self.expected = Expected::known(actual.clone());
        }
        let now = match engine.build() {
            Build::Rtc => u64::try_from(clock.wall).ok(),
            // Stored times are lengths, which cannot have passed.
            Build::NoRtc => None,
        };
        self.judge_lines(engine, &actual, Invariant::Durability, now);
        // dnsmasq knows no other leases than these from now on. Changes that only RAM shows are still uncertain in
        // flash: no call has acknowledged them.
        if self.nvram.ram == self.nvram.flash {
            self.expected = Expected::known(actual.clone());
        } else {
            self.expected.reread(&actual);
        }
        self.stored = actual;
        self.reading = Reading::Printed;
    }

    fn read_init(&mut self, output: &[u8]) -> Option<Lines> {
        match init_output::parse_as(output, self.rules.release) {
            Ok(lines) => Some(lines),
            Err(why) => {
                self.findings.broken(Invariant::Parsability, why);
                None
            }
        }
    }

    /// Compares what is stored with what must be stored. `now` is the wall clock if dnsmasq is about to drop the leases whose
    /// stored time has passed.
    fn judge_lines(
        &mut self,
        engine: &Engine,
        actual: &Lines,
        invariant: Invariant,
        now: Option<u64>,
    ) {
        match self.flash {
            FlashState::Intact => {}
            FlashState::Damaged => {
                self.flash = FlashState::Intact;
                self.expected = Expected::known(actual.clone());
            }
            FlashState::Torn => self.expected = Expected::known(actual.clone()),
        }
        for mut difference in self.expected.differences(actual, self.tolerance(engine)) {
            let invariant = if difference.uncertain { Invariant::Atomicity } else { invariant };
            let time = |line: &Option<Vec<u8>>| Some(split_time(line.as_ref()?)?.0);
            if let (Some(wanted), Some(found), Some(now)) =
                (time(&difference.wanted), time(&difference.found), now)
            {
                let has_passed = |time: u64| time != 0 && time <= now;
                if has_passed(found) && !has_passed(wanted) {
                    difference.severity = Severity::Bug;
                }
            }
            self.findings.broken_line(invariant, difference);
        }
    }

    /// Calls `init` for the judge: the call is not counted, and must not touch the flash.
    pub(super) fn init_output(&mut self, router: &mut Router<'_>) -> Result<Lines, BackendError> {
        let output = self.call_init(router)?;
        Ok(self.read_init(&output).unwrap_or_default())
    }

    fn call_init(&mut self, router: &mut Router<'_>) -> Result<Vec<u8>, BackendError> {
        if let Some(stdout) = router.backend.peek_init() {
            return Ok(stdout);
        }
        let script = router.engine().config().script_name().to_vec();
        let init = ScriptCall { argv: vec![script, b"init".to_vec()], ..ScriptCall::default() };
        let result = router.backend.call(&init, &CallOptions::default())?;
        if result.end != CallEnd::Exited(0) {
            let text = format!("init ended with {}", end_text(result.end));
            self.findings.broken(Invariant::Parsability, text);
        }
        if !result.operations.is_empty() && result.origin == Origin::Call {
            self.findings.broken(Invariant::NoRedundantWrites, "init wrote to the flash");
        }
        Ok(result.stdout)
    }

    /// Judges the store after a step, if something may have changed it. With [`ReadMethod::Init`], `init` is called unless
    /// nothing has changed since it was last called.
    pub(super) fn check_store(
        &mut self,
        router: &mut Router<'_>,
        ids: ClientIds,
        read_method: ReadMethod,
    ) -> Result<(), BackendError> {
        if !router.is_on() {
            return Ok(());
        }
        let before = self.reading;
        match (before, read_method) {
            (Reading::Printed, _) | (Reading::Decoded, ReadMethod::Records) => return Ok(()),
            (Reading::Stale, ReadMethod::Records) => match self.decode(router) {
                Some(records) => (self.stored, self.reading) = (records, Reading::Decoded),
                None => self.check_init(router)?,
            },
            (Reading::Stale | Reading::Decoded, ReadMethod::Init) => self.check_init(router)?,
        }
        // An uncertain change stays uncertain until the next boot, though the store was one of the possible ones.
        if before == Reading::Stale
            && !self.expected.is_uncertain()
            && self.agreement == Agreement::Required
            && router.engine().is_running()
            && !router.engine().has_unreported_changes()
        {
            self.judge_engine(router.engine(), ids);
        }
        Ok(())
    }

    fn check_init(&mut self, router: &mut Router<'_>) -> Result<(), BackendError> {
        let output = self.call_init(router)?;
        if let Some(actual) = self.read_init(&output) {
            self.judge_lines(router.engine(), &actual, Invariant::Agreement, None);
            self.stored = actual;
            self.reading = Reading::Printed;
        }
        Ok(())
    }

    /// The records in NVRAM, if they are what must be stored, so that there is no need to call `init`.
    ///
    /// `None` where the output of `init` can differ from the records, in a damaged store or beyond `LEASE_MAX`, and in
    /// process, where `init` is fast enough to be called every time.
    fn decode(&self, router: &mut Router<'_>) -> Option<Lines> {
        let ordinary =
            self.rules.read_method == ReadMethod::Records && self.flash == FlashState::Intact;
        if !ordinary || InProcess::downcast(router.backend).is_some() {
            return None;
        }
        let prefix = self.rules.record_prefix.as_ref()?;
        let variables = self.nvram.ram.variables();
        let records = NvramState::leases(variables, &self.rules.owned);
        let records = init_output::of_records(records, prefix);
        let leases = records.without(&[DUID]).len();
        let complete = self.rules.lease_max == 0 || leases <= self.rules.lease_max;
        let tolerance = self.tolerance(router.engine());
        (complete && self.expected.differences(&records, tolerance).is_empty()).then_some(records)
    }

    /// Compares dnsmasq's own leases with what its calls asked to store.
    fn judge_engine(&mut self, engine: &Engine, ids: ClientIds) {
        let expected = self.expected.lines();
        match engine_leases::compare(engine, ids, expected, self.tolerance(engine)) {
            EngineLeases::Compared(differences) => {
                for difference in differences {
                    self.findings.broken_line(Invariant::Agreement, difference);
                }
            }
            EngineLeases::NotComparable => self.agreement = Agreement::SuspendedUntilStart,
            EngineLeases::Unreadable(why) => {
                let text = format!("dnsmasq's own leases: {why}");
                self.findings.broken(Invariant::Agreement, text);
            }
        }
    }
}
