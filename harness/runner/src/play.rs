//! Plays a case on a back end.

use super::clocks::Clocks;
use super::configuration::{self, build_of};
use super::fault::Fault;
use super::findings::Findings;
use super::observers::Observers;
use super::options::Options;
use super::report::{CaseReport, Verdict};
use super::script::{environment, prefix};
use super::steps::Player;
use super::world::World;
use backend::Target;
use scenario::{Case, Forgiven, LongIds, Moment};

/// Plays a case on a back end and completes its report.
///
/// # Errors
/// A scenario that cannot be carried out, with the place in its file, or a back end that fails.
pub fn play(
    case: &Case,
    target: &mut dyn Target,
    options: &Options,
    report: &mut CaseReport,
    observers: Observers<'_>,
) -> Result<(), Fault> {
    let scenario = &case.scenario;
    let build = build_of(scenario.router.rtc);
    let (engine, command_line) = configuration::engine(case, build, scenario.server.lease_limit)?;
    let truth = match scenario.router.date {
        Moment::At(second) => second,
        Moment::By(_) => {
            return Err(case.error(0..0, "`date` is a date, as 2026-01-31T12:00:00Z").into());
        }
    };
    let environment = environment(case);
    let slack = environment.get("LEASE_SLACK").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut world = World::new(
        target,
        (engine, command_line),
        Clocks::new(truth, scenario.router.drift),
        Findings::new(case),
        prefix(&environment),
        slack,
    )?;
    world.log = options.log.then_some(&mut report.log);
    world.seed(options.seed);
    world.torn_may_lose = scenario.forgive.contains(&Forgiven::TornWrite);
    world.commit_may_repeat = scenario.forgive.contains(&Forgiven::RepeatedCommit);
    world.cuts_ids = scenario.server.long_ids == Some(LongIds::Cut);
    world.fixed_ids = scenario.server.long_ids.is_some();
    world.recorder = observers.recorder;
    world.lenient_log = observers.lenient_log;
    Player::new(case, &mut world).play()?;
    if let Some(recorder) = &mut world.recorder {
        recorder.truth = (truth, world.clocks.truth());
    }
    let mut total = world.total.clone();
    total.add(&world.step);
    let other_ids = world.other_ids;
    (report.failures, report.foreseen) = world.findings.finish();
    if other_ids {
        report.failures.clear();
        report.verdict = Verdict::Skipped(
            "its `long-ids` is not how this dnsmasq tells long client-ids (fix of CVE-2026-4892)"
                .to_owned(),
        );
    }
    if !report.failures.is_empty() {
        report.machine = Some(target.machine()?.into_owned());
    }
    report.total = total;
    Ok(())
}
