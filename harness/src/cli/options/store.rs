//! Where a script keeps its leases.

/// The store that a run uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum StoreChoice {
    /// As the scenario says
    #[default]
    Scenario,
    /// `LEASE_STORE=journal:PATH`, with the Rust script
    Journal,
}

impl StoreChoice {
    /// The value of `--store`, unless it is the default.
    pub(in crate::cli) fn name(self) -> Option<&'static str> {
        match self {
            Self::Scenario => None,
            Self::Journal => Some("journal"),
        }
    }
}
