//! How long the harness waits: by how long this machine took for a boot, since the same guest takes thrice as
//! long on a busy one.

use std::time::Duration;

/// Before anything was measured: a boot may take so long.
const FIRST_BOOT: Duration = Duration::from_secs(240);

/// The shortest limits, whatever was measured.
const SHORTEST_BOOT: Duration = Duration::from_secs(60);
const SHORTEST_COMMAND: Duration = Duration::from_secs(60);

/// Limits, by the slowest boot so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    first: Duration,
    slowest: Option<Duration>,
}

impl Patience {
    /// Nothing was measured yet; the first boot may take so long, if somebody said so.
    pub(super) fn new(first: Option<Duration>) -> Self {
        Self { first: first.unwrap_or(FIRST_BOOT), slowest: None }
    }

    /// A boot took so long.
    pub(super) fn measured(&mut self, boot: Duration) {
        self.slowest = Some(self.slowest.unwrap_or_default().max(boot));
    }

    /// Whether any boot was measured.
    pub(super) fn is_measured(&self) -> bool {
        self.slowest.is_some()
    }

    /// The slowest boot so far.
    pub(super) fn slowest(&self) -> Duration {
        self.slowest.unwrap_or_default()
    }

    /// How long a boot may take.
    pub(super) fn boot(&self) -> Duration {
        self.slowest.map_or(self.first, |boot| (boot * 8).max(SHORTEST_BOOT))
    }

    /// How long a command may take that does little.
    pub(super) fn command(&self) -> Duration {
        self.slowest.map_or(SHORTEST_COMMAND, |boot| (boot * 4).max(SHORTEST_COMMAND))
    }
}
