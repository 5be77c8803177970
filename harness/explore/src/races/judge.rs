//! What two processes left behind.

use std::fmt;
use std::sync::Arc;

use nvram_emu::dialect::openwrt::OpenWrt;
use nvram_emu::dialect::{Ram, Tool, Variables};

use super::command::{Stepper, board};
use super::process::{End, Request};
use super::schedule::Who;
use super::state::State;

/// One thing that went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// What the process stored is not there.
    Lost {
        /// The process.
        by: char,
        /// Whether it said so, by its exit code.
        said: bool,
    },
    /// `init` did not print the leases that were there all the time.
    Init {
        /// Whether it said so, by its exit code.
        said: bool,
    },
    /// Variables that nobody touched are gone or changed.
    Older,
    /// There are variables that nobody set.
    Stray,
    /// The store cannot be read any more.
    Unreadable,
}

impl Effect {
    /// Whether nobody was told of it.
    pub fn is_silent(self) -> bool {
        !matches!(self, Self::Lost { said: true, .. } | Self::Init { said: true })
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { by, said: false } => write!(f, "{by}'s change lost, exit 0"),
            Self::Lost { by, said: true } => write!(f, "{by}'s change lost, and said so"),
            Self::Init { said: false } => f.write_str("init prints too few leases, exit 0"),
            Self::Init { said: true } => f.write_str("init fails"),
            Self::Older => f.write_str("older settings lost"),
            Self::Stray => f.write_str("stray variables"),
            Self::Unreadable => f.write_str("nothing can be read any more"),
        }
    }
}

/// What a process wants stored.
#[derive(Clone, Debug)]
pub(super) struct Want {
    pub(super) name: Vec<u8>,
    pub(super) value: Vec<u8>,
    /// In flash; else in RAM.
    pub(super) committed: bool,
}

/// What there was before, and what is wanted.
pub(super) struct Judge {
    pub(super) older: Variables,
    pub(super) leases: Vec<String>,
    pub(super) wants: [Option<Want>; 2],
    pub(super) inits: [bool; 2],
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Outcome {
    pub(super) effects: Vec<Effect>,
    /// How many older variables are gone or changed.
    pub(super) older: usize,
    /// Commands that crashed.
    pub(super) crashed: [bool; 2],
}

impl Judge {
    /// Judges a state in which both processes are over.
    pub(super) fn judge(&self, stepper: &Stepper, tool: &OpenWrt, state: &State) -> Outcome {
        let images = &stepper.images;
        let staging = state.world.staging.map(|file| state.world.files[usize::from(file)]);
        let ram = staging.map_or(Ram::Empty, |id| Ram::File(Arc::clone(images.get(id))));
        let router = board(&stepper.flash, images.get(state.world.flash), ram);
        let in_ram = tool.variables(&router);
        let in_flash = tool.flash_variables(&router);
        let committed = self.wants.iter().flatten().any(|want| want.committed);
        let all = if committed { &in_flash } else { &in_ram };

        let mut outcome = Outcome {
            crashed: state.processes.map(|process| process.crashed),
            ..Outcome::default()
        };
        for (who, process) in state.processes.iter().enumerate() {
            let request = stepper.trees[who].request(process.node);
            let Request::End(end) = &*request else { continue };
            if let Some(want) = &self.wants[who] {
                let held = if want.committed { &in_flash } else { &in_ram };
                let pair = (&want.name, &want.value);
                let kept = held.iter().flatten().any(|(name, value)| (name, value) == pair);
                if !kept {
                    let by = if Who::of(who) == Who::A { 'A' } else { 'B' };
                    outcome.effects.push(Effect::Lost { by, said: !end.content });
                }
            }
            if self.inits[who] && !self.init_is_right(end) {
                outcome.effects.push(Effect::Init { said: !end.content });
            }
        }
        match all {
            None => outcome.effects.push(Effect::Unreadable),
            Some(all) => {
                let wanted =
                    |name: &[u8]| self.wants.iter().flatten().any(|want| want.name == name);
                let old = |name: &[u8]| self.older.iter().any(|(old, _)| old == name);
                outcome.older = self
                    .older
                    .iter()
                    .filter(|pair| !wanted(&pair.0) && !all.contains(pair))
                    .count();
                if outcome.older > 0 {
                    outcome.effects.push(Effect::Older);
                }
                let stray =
                    |name: &[u8]| !wanted(name) && !old(name) && !name.starts_with(b"sdram_");
                if all.iter().any(|(name, _)| stray(name)) {
                    outcome.effects.push(Effect::Stray);
                }
            }
        }
        outcome
    }

    /// Whether `init` printed every lease that was there all the time, and else only what was being stored.
    fn init_is_right(&self, end: &End) -> bool {
        let printed: Vec<&[u8]> =
            end.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        let coming = |line: &[u8]| self.wants.iter().flatten().any(|want| want.value == line);
        let there = |line: &[u8]| self.leases.iter().any(|lease| lease.as_bytes() == line);
        self.leases.iter().all(|lease| printed.contains(&lease.as_bytes()))
            && printed.iter().all(|line| there(line) || coming(line))
    }
}
