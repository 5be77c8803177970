//! What a boot from one flash finds, and the judge who holds it against what must be stored.

use std::collections::HashMap;
use std::sync::Arc;

use nvram_emu::dialect::FlashLoad;

use backend::InProcess;
use runner::expected::{Expected, Tolerance};
use runner::lines::{self, show};
use runner::nvram_state::{NvramSnapshot, NvramState};
use scenario::Invariant;
use scenario::digest::{self, BuildIdentityHasher};

/// What a boot finds: a function of the flash alone, whoever asks.
#[derive(Debug)]
pub(super) struct Boot {
    pub(super) output: Arc<Output>,
    /// What the dialect has loaded.
    pub(super) contents: NvramSnapshot,
    /// The same, for another router with these bytes.
    pub(super) load: Option<FlashLoad>,
    /// How many commands `init` took, where all of them only read.
    pub(super) commands: Option<u32>,
}

/// What `init` said, read.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) stdout: Vec<u8>,
    pub(super) exit: u8,
    /// The leases that it printed.
    pub(super) leases: Arc<Expected>,
    /// Whether it printed nothing but leases, and exited with 0.
    parsable: bool,
}

impl Output {
    /// Whether it printed nothing but leases, and exited with 0.
    pub(super) fn is_parsable(&self) -> bool {
        self.parsable
    }
}

/// Outputs that were read before: the same text is not taken apart twice.
#[derive(Debug, Default)]
pub(super) struct Outputs(HashMap<u128, Arc<Output>, BuildIdentityHasher>);

/// With so many outputs kept, they are forgotten.
const MAX_OUTPUTS: usize = 1024;

impl Outputs {
    fn of(&mut self, stdout: Vec<u8>, exit: u8) -> Arc<Output> {
        if self.0.len() >= MAX_OUTPUTS {
            self.0.clear();
        }
        let key = digest::join(digest::of_bytes(&stdout), u64::from(exit));
        let read = || {
            let lines = lines::read(&stdout).ok().filter(|_| exit == 0);
            let parsable = lines.is_some();
            let leases = Arc::new(Expected::known(lines.unwrap_or_default()));
            Arc::new(Output { stdout, exit, leases, parsable })
        };
        Arc::clone(self.0.entry(key).or_insert_with(read))
    }
}

/// What a boot must find.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) expected: &'a Expected,
    /// The NVRAM before the call that was struck.
    pub(super) views: &'a NvramState,
    pub(super) tolerance: Tolerance,
    pub(super) prefix: &'a [u8],
}

impl Boot {
    /// Boots a router without power: the dialect loads its flash, the script reads `init`.
    pub(super) fn of(router: &InProcess, prefix: &[u8], known: &mut Outputs) -> Self {
        let (outcome, commands) = router.read_init();
        let output = known.of(outcome.stdout, outcome.exit);
        let contents = NvramState::flash_of(router.board(), prefix);
        Self { output, contents, load: router.board().cached_load(), commands }
    }

    /// The invariants that do not hold.
    pub(super) fn judge(&self, wanted: &Wanted<'_>) -> Vec<Invariant> {
        let (in_doubt, other) =
            wanted.expected.faults(self.output.leases.lines(), wanted.tolerance);
        let harmed = wanted.views.is_harmed_by(&self.contents, wanted.prefix);
        let checks = [
            (!self.output.is_parsable(), Invariant::Parsability),
            (in_doubt, Invariant::Atomicity),
            (other, Invariant::Durability),
            (harmed, Invariant::Neighbours),
        ];
        checks.into_iter().filter_map(|(broken, which)| broken.then_some(which)).collect()
    }

    /// The difference that broke an invariant.
    pub(super) fn explain(&self, invariant: Invariant, wanted: &Wanted<'_>) -> String {
        let differences = || {
            wanted.expected.differences(self.output.leases.lines(), wanted.tolerance).into_iter()
        };
        let (first, count) = match invariant {
            Invariant::Parsability if self.output.exit != 0 => {
                (Some(format!("init exited with {}", self.output.exit)), 1)
            }
            Invariant::Parsability => (
                Some(
                    lines::read(&self.output.stdout)
                        .err()
                        .unwrap_or_else(|| show(&self.output.stdout)),
                ),
                1,
            ),
            Invariant::Neighbours => {
                let now =
                    NvramState { ram: wanted.views.ram.clone(), flash: self.contents.clone() };
                let harm = wanted.views.harm(&now, wanted.prefix);
                (harm.first().cloned(), harm.len())
            }
            _ => {
                let doubt = invariant == Invariant::Atomicity;
                let mut texts = differences().filter(|d| d.in_doubt == doubt).map(|d| d.text);
                let first = texts.next();
                (first, 1 + texts.count())
            }
        };
        let first = first.unwrap_or_default();
        if count > 1 { format!("{first} (and {} more)", count - 1) } else { first }
    }
}

/// Both views of a router under way.
pub(super) fn views_of(router: &InProcess, prefix: &[u8], before: &NvramState) -> NvramState {
    NvramState::of(router.board(), prefix, Some(before))
}
