//! The outcome of one interleaving.

use std::sync::Arc;

use nvram_emu::dialect::openwrt::OpenWrt;
use nvram_emu::dialect::{Ram, Tool, Variables};

use super::program::{Exit, Request};
use super::state::State;
use super::stepper::{Stepper, board};
use super::{Anomaly, Process};

/// A variable that a process writes.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) name: Vec<u8>,
    pub(super) value: Vec<u8>,
    /// Whether it must be in flash at the end; otherwise in RAM.
    pub(super) committed: bool,
}

/// What must be true of a process at the end.
#[derive(Clone, Debug)]
pub(super) enum Expectation {
    None,
    /// The variable is stored.
    Write(Write),
    /// The process has printed the stored leases.
    Init,
}

impl Expectation {
    fn write(&self) -> Option<&Write> {
        match self {
            Self::Write(write) => Some(write),
            Self::None | Self::Init => None,
        }
    }
}

/// Judges the final states of a race.
pub(super) struct Judge {
    /// The variables before the race.
    pub(super) older: Variables,
    /// The leases among them, as lines of `init`.
    pub(super) leases: Vec<String>,
    /// For each process.
    pub(super) expectations: [Expectation; 2],
}

/// The outcome of one interleaving.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Outcome {
    pub(super) anomalies: Vec<Anomaly>,
    /// How many older variables are lost or changed.
    pub(super) lost_settings: usize,
    /// For each process, whether one of its commands crashed.
    pub(super) crashed: [bool; 2],
}

impl Judge {
    /// Judges a state in which both processes have exited.
    pub(super) fn judge(&self, stepper: &Stepper, tool: &OpenWrt, state: &State) -> Outcome {
        let images = &stepper.images;
        let staging = state.shared.staging.map(|file| state.shared.files[usize::from(file)]);
        let ram = staging.map_or(Ram::Empty, |id| Ram::File(Arc::clone(images.get(id))));
        let router = board(&stepper.flash, images.get(state.shared.flash), ram);
        let in_ram = tool.variables(&router);
        let in_flash = tool.flash_variables(&router);

        let mut outcome = Outcome {
            crashed: state.processes.map(|process| process.crashed),
            ..Outcome::default()
        };
        for (index, process) in state.processes.iter().enumerate() {
            let request = stepper.trees[index].request(process.node);
            let Request::Exit(exit) = &*request else { continue };
            let reported = !exit.success;
            match &self.expectations[index] {
                Expectation::None => {}
                Expectation::Write(write) => {
                    let stored = if write.committed { &in_flash } else { &in_ram };
                    let pair = (&write.name, &write.value);
                    if !stored.iter().flatten().any(|(name, value)| (name, value) == pair) {
                        let by = Process::from_index(index);
                        outcome.anomalies.push(Anomaly::LostWrite { by, reported });
                    }
                }
                Expectation::Init if self.is_init_right(exit) => {}
                Expectation::Init => outcome.anomalies.push(Anomaly::WrongInit { reported }),
            }
        }
        let committed = self.writes().any(|write| write.committed);
        match if committed { &in_flash } else { &in_ram } {
            None => outcome.anomalies.push(Anomaly::Unreadable),
            Some(variables) => self.compare(variables, &mut outcome),
        }
        outcome
    }

    /// Compares the variables that neither process writes.
    fn compare(&self, variables: &Variables, outcome: &mut Outcome) {
        let is_written = |name: &[u8]| self.writes().any(|write| write.name == name);
        let lost = |pair: &&(Vec<u8>, Vec<u8>)| !is_written(&pair.0) && !variables.contains(pair);
        outcome.lost_settings = self.older.iter().filter(lost).count();
        if outcome.lost_settings > 0 {
            outcome.anomalies.push(Anomaly::LostSettings);
        }
        let is_old = |name: &[u8]| self.older.iter().any(|(old, _)| old == name);
        let is_stray =
            |name: &[u8]| !is_written(name) && !is_old(name) && !name.starts_with(b"sdram_");
        if variables.iter().any(|(name, _)| is_stray(name)) {
            outcome.anomalies.push(Anomaly::StrayVariables);
        }
    }

    fn writes(&self) -> impl Iterator<Item = &Write> {
        self.expectations.iter().filter_map(Expectation::write)
    }

    /// Whether `init` printed every lease that was stored throughout, and otherwise only those being stored.
    fn is_init_right(&self, exit: &Exit) -> bool {
        let printed: Vec<&[u8]> =
            exit.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        let being_stored = |line: &[u8]| self.writes().any(|write| write.value == line);
        let stored = |line: &[u8]| self.leases.iter().any(|lease| lease.as_bytes() == line);
        self.leases.iter().all(|lease| printed.contains(&lease.as_bytes()))
            && printed.iter().all(|line| stored(line) || being_stored(line))
    }
}
