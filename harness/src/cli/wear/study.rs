//! What to count, independent of the source of events.

use super::household::HouseholdArgs;
use super::router::RouterArgs;
use crate::cli::options::{Jobs, RtcChoice};
use crate::error::CommandError;
use dnsmasq_model::Build;
use scenario::Seconds;
use wear::{Method, Script, Simulation, SimulationError, WearError};

/// Longest time to simulate, in years.
const MAX_YEARS: u64 = 10_000;

/// What to count, as arguments.
#[derive(Debug, clap::Args)]
pub(super) struct StudyArgs {
    #[command(flatten)]
    pub(super) household: HouseholdArgs,
    #[command(flatten)]
    pub(super) router: RouterArgs,
    /// dnsmasq's build: with a real-time clock, or with `HAVE_BROKEN_RTC` [default: both, or the recording's]
    #[arg(long, value_enum)]
    pub(super) rtc: Option<RtcChoice>,
    /// Scripts to count
    #[arg(long, value_enum, value_delimiter = ',', default_value = "naive,ours,slack")]
    scripts: Vec<ScriptName>,
    /// LEASE_SLACK of the script with slack [default: the lease time]
    #[arg(long, value_name = "TIME")]
    pub(super) slack: Option<Seconds>,
    /// Time to simulate
    #[arg(long = "for", value_name = "TIME", default_value = "365d")]
    time: Seconds,
    /// Seed of the random events
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    pub(super) jobs: Jobs,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ScriptName {
    /// The project's own script
    Ours,
    /// The project's own script with LEASE_SLACK
    Slack,
    /// A script written according to the notes of 2006: a commit in every call but init
    Naive,
}

impl StudyArgs {
    /// The household, to be counted by this method.
    ///
    /// # Errors
    /// Values that contradict each other or are out of range.
    pub(super) fn simulation(
        &self,
        method: Method,
        limits: bool,
    ) -> Result<Simulation, CommandError> {
        let household = self.household.household()?;
        if self.time.0 == 0 || self.time.0 > MAX_YEARS * wear::YEAR {
            return Err(CommandError::Usage(format!(
                "--for {}: expected 1s to {MAX_YEARS} years",
                self.time
            )));
        }
        Ok(Simulation { household, seed: self.seed, seconds: self.time.0, method, limits })
    }

    /// Builds of dnsmasq.
    pub(super) fn builds(&self) -> Vec<Build> {
        self.rtc.unwrap_or(RtcChoice::Both).builds()
    }

    /// The scripts to count, in a household with leases of this length.
    pub(super) fn scripts(&self, lease_time: u32) -> Vec<Script> {
        let slack = self.slack.map_or(u64::from(lease_time), |slack| slack.0);
        let scripts = self.scripts.iter().map(|name| match name {
            ScriptName::Ours => Script::Ours { slack: 0 },
            ScriptName::Slack => Script::Ours { slack },
            ScriptName::Naive => Script::Naive,
        });
        let mut scripts: Vec<Script> = scripts.collect();
        scripts.dedup();
        scripts
    }
}

/// The error of a failed count: a usage error, unless the environment or a back end is the cause.
pub(super) fn error(error: WearError) -> CommandError {
    match error {
        WearError::Simulation(SimulationError::Backend(error)) => error.into(),
        WearError::Scenario(fault) => fault.into(),
        other => CommandError::usage(other),
    }
}
