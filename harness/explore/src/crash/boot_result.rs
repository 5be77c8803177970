//! The result of booting a router from one flash, and its comparison with what must be stored.

use std::collections::HashMap;
use std::sync::Arc;

use nvram_emu::dialect::FlashLoad;

use backend::InProcess;
use runner::expected::{Expected, Tolerance};
use runner::nvram_state::{NvramSnapshot, NvramState};
use runner::{init_output, show};
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
    pub(super) exit: u8,
    pub(super) leases: Arc<Expected>,
    parsable: bool,
}

impl InitOutput {
    /// Whether `init` exited with 0 and printed only valid lease lines.
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
    fn parse(&mut self, stdout: Vec<u8>, exit: u8) -> Arc<InitOutput> {
        if self.0.len() >= MAX_OUTPUTS {
            self.0.clear();
        }
        let key = digest::join(digest::of_bytes(&stdout), u64::from(exit));
        let parse = || {
            let lines = init_output::parse(&stdout).ok().filter(|_| exit == 0);
            let parsable = lines.is_some();
            let leases = Arc::new(Expected::known(lines.unwrap_or_default()));
            Arc::new(InitOutput { stdout, exit, leases, parsable })
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
    /// Prefix of the names of lease variables.
    pub(super) prefix: &'a [u8],
}

impl BootResult {
    /// Boots a router that is off: the dialect loads the flash, and the script runs `init`.
    pub(super) fn of(router: &InProcess, prefix: &[u8], cache: &mut InitOutputs) -> Self {
        let (outcome, commands) = router.read_init();
        let output = cache.parse(outcome.stdout, outcome.exit);
        let contents = NvramState::flash_of(router.device(), prefix);
        Self { output, contents, load: router.device().cached_load(), commands }
    }

    /// The invariants that do not hold.
    pub(super) fn violated(&self, required: &Requirements<'_>) -> Vec<Invariant> {
        let (uncertain, other) =
            required.expected.faults(self.output.leases.lines(), required.tolerance);
        let neighbours_differ =
            required.nvram.neighbours_differ_in(&self.contents, required.prefix);
        let checks = [
            (!self.output.is_parsable(), Invariant::Parsability),
            (uncertain, Invariant::Atomicity),
            (other, Invariant::Durability),
            (neighbours_differ, Invariant::Neighbours),
        ];
        checks.into_iter().filter_map(|(violated, which)| violated.then_some(which)).collect()
    }

    /// The first difference that violates an invariant, and the number of further ones.
    pub(super) fn explain(&self, invariant: Invariant, required: &Requirements<'_>) -> String {
        let (first, count) = match invariant {
            Invariant::Parsability if self.output.exit != 0 => {
                (Some(format!("init exited with {}", self.output.exit)), 1)
            }
            Invariant::Parsability => {
                let error = init_output::parse(&self.output.stdout).err();
                (Some(error.unwrap_or_else(|| show(&self.output.stdout))), 1)
            }
            Invariant::Neighbours => {
                let now =
                    NvramState { ram: required.nvram.ram.clone(), flash: self.contents.clone() };
                let neighbour_differences =
                    required.nvram.neighbour_differences(&now, required.prefix);
                (neighbour_differences.first().cloned(), neighbour_differences.len())
            }
            _ => {
                let uncertain = invariant == Invariant::Atomicity;
                let leases = self.output.leases.lines();
                let differences = required.expected.differences(leases, required.tolerance);
                let mut texts =
                    differences.into_iter().filter(|d| d.uncertain == uncertain).map(|d| d.text);
                let first = texts.next();
                (first, 1 + texts.count())
            }
        };
        let first = first.unwrap_or_default();
        if count > 1 { format!("{first} (and {} more)", count - 1) } else { first }
    }
}
