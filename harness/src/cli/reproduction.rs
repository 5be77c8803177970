//! The command that repeats what a case, an exploration or a household did.

use std::fmt;
use std::str::FromStr;

use super::options::ReplayOptions;
use crate::words::Words;
use explore::{fuzz, races};

/// What `leaselab replay` repeats: at the same time its arguments and the command line that other commands print.
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
    /// A case, perhaps with faults.
    Case(scenario::Id),
    /// A random household.
    Household(fuzz::Id),
    /// An interleaving of two processes.
    Race(races::Schedule),
}

impl fmt::Display for ReproductionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Case(id) => id.fmt(f),
            Self::Household(id) => id.fmt(f),
            Self::Race(id) => id.fmt(f),
        }
    }
}

impl FromStr for ReproductionId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('r') {
            return text.parse().map(Self::Race).map_err(|error| format!("{error}"));
        }
        if fuzz::Id::is_meant(text) {
            return fuzz::Id::parse(text).map(Self::Household).map_err(|error| error.to_string());
        }
        text.parse().map(Self::Case).map_err(|error: scenario::IdError| error.to_string())
    }
}
