//! Sources of events other than a household.

use std::path::{Path, PathBuf};

use crate::cli::options::RtcChoice;
use crate::cli::trace::{cost_line, read_events, seconds};
use crate::error::CommandError;
use crate::shown::Shown as _;
use crate::suite;
use dnsmasq_model::Release;
use scenario::{Overrides, Seconds};
use wear::{RouterSpec, Source, Workload};

/// A source of events, as arguments.
#[derive(Debug, clap::Args)]
pub(super) struct SourceArgs {
    /// Count the events of a scenario instead of a household's
    #[arg(long, value_name = "FILE", group = "source", conflicts_with_all = OF_A_HOUSEHOLD)]
    scenario: Option<PathBuf>,
    /// Count the calls of a recording of dnsmasq instead of a household's
    #[arg(long, value_name = "DIR", group = "source", conflicts_with_all = OF_A_HOUSEHOLD, conflicts_with = "dnsmasq_release")]
    trace: Option<PathBuf>,
    /// Count the events in a site's journals of ISC dhcpd (files, folders of generations, .tar.xz) instead of a
    /// household's
    #[arg(long, value_name = "PATH", group = "source", conflicts_with_all = OF_A_HOUSEHOLD, num_args = 1..)]
    journal: Vec<PathBuf>,
    /// Time after which the recording or scenario starts again [default: its length, at least a day]
    #[arg(long, value_name = "TIME", requires = "source")]
    pub(super) every: Option<Seconds>,
}

/// Options that describe a household.
const OF_A_HOUSEHOLD: [&str; 20] = [
    "clients",
    "lease_time",
    "jitter",
    "phones",
    "phone_home",
    "phone_away",
    "guests",
    "guest_stay",
    "reboots",
    "sighups",
    "power_cuts",
    "off",
    "random_macs",
    "pool",
    "lease_max",
    "quiet",
    "time",
    "seed",
    "rendered",
    "images",
];

impl SourceArgs {
    /// The chosen source, with the workloads of the chosen builds.
    pub(super) fn source(
        &self,
        rtc: Option<RtcChoice>,
        routers: &[RouterSpec],
        release: Option<Release>,
    ) -> Result<Option<Source>, CommandError> {
        if let Some(path) = &self.trace {
            let lists = wear::recordings(path).map_err(CommandError::usage)?;
            return Ok(Some(Source::Workloads(of_build(lists, rtc, path)?)));
        }
        if let Some(first) = self.journal.first() {
            let site = read_events(&self.journal)?;
            let label = format!("journal {}", first.shown());
            let mut list = trace::workload(&label, &site.events)
                .map_err(|error| CommandError::file(first, error))?;
            list.server.release = release.unwrap_or_default();
            outln!("{}", cost_line(&site.cost, seconds(&site)));
            return Ok(Some(Source::Workloads(vec![list])));
        }
        let Some(path) = &self.scenario else { return Ok(None) };
        let overrides = Overrides {
            rtc: rtc.map_or_else(Vec::new, RtcChoice::names),
            dialect: routers
                .first()
                .map(|spec| spec.dialect.name().to_owned())
                .into_iter()
                .collect(),
            chosen_script: false,
            dnsmasq: release.iter().map(Release::to_string).collect(),
        };
        let cases = suite::load(std::slice::from_ref(path), &overrides)?.cases;
        Ok(Some(Source::Cases(cases)))
    }
}

/// The workloads that can be counted with the chosen builds.
fn of_build(
    mut lists: Vec<Workload>,
    rtc: Option<RtcChoice>,
    path: &Path,
) -> Result<Vec<Workload>, CommandError> {
    lists.retain(Workload::has_calls);
    if lists.is_empty() {
        return Err(CommandError::file(path, "no script call to count"));
    }
    let Some(rtc) = rtc else { return Ok(lists) };
    let builds = rtc.builds();
    let found = lists[0].build;
    lists.retain(|list| list.build.is_none_or(|build| builds.contains(&build)));
    match found {
        Some(found) if lists.is_empty() => Err(CommandError::Usage(format!(
            "{}: recorded with the {} build of dnsmasq: use --rtc {}, or leave out --rtc",
            path.shown(),
            wear::build_name(found),
            wear::build_name(found),
        ))),
        _ => Ok(lists),
    }
}
