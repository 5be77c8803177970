//! The result of booting a router from one flash, and its comparison with what must be stored.

use std::collections::HashMap;
use std::sync::Arc;

use nvram_emu::dialect::FlashLoad;

use backend::{CallEnd, CallResult, InProcess};
use dnsmasq_model::{Release, ScriptCall};
use lease_script::Outcome;
use runner::expected::{Difference, Expected, Tolerance};
use runner::init_output;
use runner::nvram_state::{NvramSnapshot, NvramState};
use runner::{CallRecord, OwnedVariables, Severity, show};
use scenario::Invariant;
use scenario::digest::{self, BuildIdentityHasher};

/// The result of a boot. It depends on the contents of the flash and of the persistent files alone.
#[derive(Debug)]
pub(super) struct BootResult {
    pub(super) output: Arc<InitOutput>,
    /// The variables that the dialect has loaded.
    pub(super) contents: NvramSnapshot,
    /// The load itself, for reuse by another router with the same flash.
    pub(super) load: Option<FlashLoad>,
    /// How many commands `init` ran, if all of them only read.
    pub(super) commands: Option<u32>,
}

/// The parsed output of `init`.
#[derive(Debug)]
pub(super) struct InitOutput {
    pub(super) stdout: Vec<u8>,
    stderr: Vec<u8>,
    pub(super) exit: u8,
    pub(super) leases: Arc<Expected>,
    parsable: bool,
}

impl InitOutput {
    /// The call of `init`.
    fn record(&self) -> CallRecord {
        CallRecord {
            call: ScriptCall { argv: vec![Vec::new(), b"init".to_vec()], ..ScriptCall::default() },
            result: CallResult {
                stdout: self.stdout.clone(),
                stderr: self.stderr.clone(),
                ..CallResult::ended(CallEnd::Exited(i32::from(self.exit)))
            },
            disturbance: None,
        }
    }

    /// Whether `init` exited with 0 and dnsmasq reads what it printed as intended.
    pub(super) fn is_parsable(&self) -> bool {
        self.parsable
    }
}

/// Cache of parsed `init` outputs.
#[derive(Debug, Default)]
pub(super) struct InitOutputs(HashMap<u128, Arc<InitOutput>, BuildIdentityHasher>);

/// The cache is cleared when it has this many entries.
const MAX_OUTPUTS: usize = 1024;

impl InitOutputs {
    fn parse(&mut self, outcome: Outcome, release: Release) -> Arc<InitOutput> {
        let Outcome { stdout, stderr, exit, .. } = outcome;
        if self.0.len() >= MAX_OUTPUTS {
            self.0.clear();
        }
        let key = digest::join(digest::of_bytes(&stdout), digest::of(&(&stderr, exit)));
        let parse = || {
            let lines = init_output::parse_as(&stdout, release).ok().filter(|_| exit == 0);
            let parsable = lines.is_some();
            let leases = Arc::new(Expected::known(lines.unwrap_or_default()));
            Arc::new(InitOutput { stdout, stderr, exit, leases, parsable })
        };
        Arc::clone(self.0.entry(key).or_insert_with(parse))
    }
}

/// What a boot must find.
#[derive(Clone, Copy, Debug)]
pub(super) struct Requirements<'a> {
    pub(super) expected: &'a Expected,
    /// The NVRAM before the call with the fault.
    pub(super) nvram: &'a NvramState,
    pub(super) tolerance: Tolerance,
    /// The NVRAM variables that belong to the script.
    pub(super) owned: &'a OwnedVariables,
    /// The release of dnsmasq, which determines how the output of `init` is read.
    pub(super) release: Release,
}

/// How an invariant is violated.
#[derive(Clone, Debug)]
pub(super) struct Explanation {
    pub(super) invariant: Invariant,
    pub(super) severity: Severity,
    /// The most serious difference, with the number of further ones.
    pub(super) text: String,
    /// Lease lines that must be stored, and are not.
    pub(super) expected: Vec<Vec<u8>>,
    /// Lease lines that are stored, and must not be.
    pub(super) found: Vec<Vec<u8>>,
    /// The call of `init`, if the violation is about it.
    pub(super) init: Option<CallRecord>,
}

/// Maximum number of lease lines of an explanation.
const MAX_LINES: usize = 12;

impl BootResult {
    /// Boots a router that is off: the dialect loads the flash, and the script runs `init`.
    pub(super) fn of(
        router: &InProcess,
        (owned, release): (&OwnedVariables, Release),
        cache: &mut InitOutputs,
    ) -> Self {
        let (outcome, commands) = router.read_init();
        let output = cache.parse(outcome, release);
        let contents = NvramState::flash_of(router.device(), owned);
        Self { output, contents, load: router.device().cached_load(), commands }
    }

    /// The invariants that do not hold.
    pub(super) fn violated(&self, required: &Requirements<'_>) -> Vec<Invariant> {
        let (uncertain, other) =
            required.expected.faults(self.output.leases.lines(), required.tolerance);
        let neighbours_differ = required.nvram.neighbours_differ_in(&self.contents, required.owned);
        let checks = [
            (!self.output.is_parsable(), Invariant::Parsability),
            (uncertain, Invariant::Atomicity),
            (other, Invariant::Durability),
            (neighbours_differ, Invariant::Neighbours),
        ];
        checks.into_iter().filter_map(|(violated, which)| violated.then_some(which)).collect()
    }

    /// How an invariant is violated.
    pub(super) fn explain(&self, invariant: Invariant, required: &Requirements<'_>) -> Explanation {
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        let differences: Vec<(Severity, String)> = match invariant {
            Invariant::Parsability if self.output.exit != 0 => {
                vec![(Severity::Bug, format!("init exited with {}", self.output.exit))]
            }
            Invariant::Parsability => {
                let error = init_output::parse_as(&self.output.stdout, required.release).err();
                let text = error.unwrap_or_else(|| show(&self.output.stdout));
                vec![(Severity::Bug, text)]
            }
            Invariant::Neighbours => {
                let now =
                    NvramState { ram: required.nvram.ram.clone(), flash: self.contents.clone() };
                let differences = required.nvram.neighbour_differences(&now, required.owned);
                differences.into_iter().map(|d| (d.severity(), d.text)).collect()
            }
            _ => {
                let uncertain = invariant == Invariant::Atomicity;
                let leases = self.output.leases.lines();
                let differences = required.expected.differences(leases, required.tolerance);
                let of_kind = differences.into_iter().filter(|d| d.uncertain == uncertain);
                let text = |difference: Difference| {
                    expected.extend(difference.wanted);
                    found.extend(difference.found);
                    (difference.severity, difference.text)
                };
                of_kind.map(text).collect()
            }
        };
        expected.truncate(MAX_LINES);
        found.truncate(MAX_LINES);
        let more = differences.len().saturating_sub(1);
        // The first one of the highest severity.
        let worst = differences.into_iter().rev().max_by_key(|(severity, _)| *severity);
        let (severity, text) = worst.unwrap_or((Severity::Bug, String::new()));
        let text = if more > 0 { format!("{text} (and {more} more)") } else { text };
        let is_about_init = invariant == Invariant::Parsability;
        let init = is_about_init.then(|| self.output.record());
        Explanation { invariant, severity, text, expected, found, init }
    }
}
