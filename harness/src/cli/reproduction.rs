//! The command that repeats what a case, an exploration or a household did.

use std::fmt;
use std::str::FromStr;

use super::options::ReplayOptions;
use crate::error::CommandError;
use crate::words::Words;
use explore::{fuzz, races};

/// A reproduction: the arguments of `leaselab replay`, and the command line that other commands print.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub(super) struct Reproduction {
    /// An id that `run`, `live`, `qemu run`, `crash`, `races` or `fuzz` printed
    pub(super) id: ReproductionId,
    /// Print every event, script call, nvram command and flash operation
    #[arg(long)]
    pub(super) verbose: bool,
    #[command(flatten)]
    pub(super) options: ReplayOptions,
}

impl Reproduction {
    /// Checks that every option has an effect on this kind of id.
    ///
    /// # Errors
    /// The first option that has none.
    pub(super) fn check(&self) -> Result<(), CommandError> {
        let [given, effective] = [&self.options, &self.effective_options()].map(|options| {
            let mut words = Words::default();
            options.add_to(&mut words);
            words
        });
        let has_no_effect =
            |word: &&String| word.starts_with("--") && !effective.as_slice().contains(word);
        match given.as_slice().iter().find(has_no_effect) {
            Some(option) => Err(CommandError::Usage(format!(
                "{} has no effect on the id {}",
                option.split('=').next().unwrap_or_default(),
                self.id
            ))),
            None => Ok(()),
        }
    }

    fn effective_options(&self) -> ReplayOptions {
        let ReplayOptions { script, gate, target, sandbox, seed, init, store, live, guest } =
            self.options.clone();
        let none = ReplayOptions::default();
        match &self.id {
            ReproductionId::Race(_) => none,
            ReproductionId::Household(_) => ReplayOptions { script, gate, target, sandbox, ..none },
            ReproductionId::Faults(_) => ReplayOptions { script, gate, sandbox, ..none },
            ReproductionId::Case(PlayedOn::Model, _) => {
                ReplayOptions { script, gate, target, sandbox, seed, init, store, ..none }
            }
            ReproductionId::Case(PlayedOn::Live, _) => {
                ReplayOptions { script, gate, seed, init, live, ..none }
            }
            ReproductionId::Case(PlayedOn::Qemu, _) => {
                ReplayOptions { script, gate, seed, init, guest, ..none }
            }
        }
    }

    /// The command line.
    pub(super) fn words(&self) -> Words {
        let mut words = Words::new(&["leaselab", "replay"]);
        words.argument(self.id.to_string());
        words.flag("--verbose", self.verbose);
        self.options.add_to(&mut words);
        words
    }
}

impl fmt::Display for Reproduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words().fmt(f)
    }
}

/// An id of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReproductionId {
    /// A case without faults, as it was played on a back end: `c1:…`, `live:c1:…`, `qemu:c1:…`.
    Case(PlayedOn, scenario::Id),
    /// A case with power cuts and kills.
    Faults(scenario::Id),
    /// A random household.
    Household(fuzz::HouseholdId),
    /// An interleaving of two processes.
    Race(races::Schedule),
}

impl fmt::Display for ReproductionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Case(on, id) => write!(f, "{}{id}", on.prefix()),
            Self::Faults(id) => id.fmt(f),
            Self::Household(id) => id.fmt(f),
            Self::Race(id) => id.fmt(f),
        }
    }
}

/// Why a text is not an id of any kind.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReproductionIdError {
    /// Not the id of a race.
    #[error(transparent)]
    Race(#[from] races::ScheduleError),
    /// Not the id of a household.
    #[error(transparent)]
    Household(#[from] fuzz::HouseholdIdError),
    /// Not the id of a case.
    #[error(transparent)]
    Case(#[from] scenario::IdError),
    /// Faults are not injected on the back end with this prefix.
    #[error("an id with faults cannot begin with `{0}`")]
    Faults(&'static str),
}

impl FromStr for ReproductionId {
    type Err = ReproductionIdError;

    fn from_str(text: &str) -> Result<Self, ReproductionIdError> {
        if text.starts_with('r') {
            return Ok(Self::Race(text.parse()?));
        }
        if fuzz::HouseholdId::is_likely(text) {
            return Ok(Self::Household(fuzz::HouseholdId::parse(text)?));
        }
        let (on, text) = PlayedOn::split(text);
        let id: scenario::Id = text.parse()?;
        match (on, id.schedule.is_empty()) {
            (_, true) => Ok(Self::Case(on, id)),
            (PlayedOn::Model, false) => Ok(Self::Faults(id)),
            (_, false) => Err(ReproductionIdError::Faults(on.prefix())),
        }
    }
}

/// The back end of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlayedOn {
    /// The modelled dnsmasq.
    Model,
    /// A real dnsmasq.
    Live,
    /// A guest.
    Qemu,
}

impl PlayedOn {
    const ALL: [Self; 3] = [Self::Model, Self::Live, Self::Qemu];

    /// The prefix of ids of this back end.
    fn prefix(self) -> &'static str {
        match self {
            Self::Model => "",
            Self::Live => "live:",
            Self::Qemu => "qemu:",
        }
    }

    /// The back end of an id, and the rest of the id.
    fn split(text: &str) -> (Self, &str) {
        let prefixed = |on: &Self| Some((*on, text.strip_prefix(on.prefix())?));
        Self::ALL.iter().rev().find_map(prefixed).unwrap_or((Self::Model, text))
    }
}
