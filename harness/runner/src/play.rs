//! Plays a case on a back end.

use super::bound;
use super::case_error::CaseError;
use super::client_ids::ClientIds;
use super::clocks::Clocks;
use super::configuration::{Configuration, build_of, configuration, release};
use super::demands::ReadMethod;
use super::findings::{FindingRules, Findings};
use super::judge::Judge;
use super::judge_rules::Rules;
use super::observers::Observers;
use super::options::{InitCalls, Options};
use super::report::{CaseReport, Verdict};
use super::router::Router;
use super::script::{
    ScriptOrigin, check_environment, environment, is_the_projects_own, origin, owned_variables,
    record_prefix,
};
use super::session::Session;
use super::steps::Player;
use backend::Backend;
use dnsmasq_model::{Engine, Release};
use scenario::{Action, Case, Moment, Store, unspanned};

/// Why a case cannot be played with a dnsmasq of this release: it names another one.
fn contradiction(case: &Case, real: Release) -> Result<Option<String>, CaseError> {
    let scenario = &case.scenario;
    let boots = scenario.steps.iter().filter_map(|step| match &step.get_ref().action {
        Action::Boot(boot) => boot.dnsmasq_release.as_ref(),
        _ => None,
    });
    for name in scenario.server.dnsmasq.iter().chain(boots) {
        let wanted = release(case, name)?;
        if wanted != real {
            return Ok(Some(format!("the scenario is about dnsmasq {wanted}, but this is {real}")));
        }
    }
    Ok(None)
}

/// The default of `LEASE_MAX`.
const DEFAULT_LEASE_MAX: usize = 1000;

/// Plays a case on a back end and completes its report.
///
/// # Errors
/// A scenario that cannot be carried out, with the place in its file, or a back end that fails.
pub fn play(
    case: &Case,
    target: &mut dyn Backend,
    options: &Options,
    report: &mut CaseReport,
    observers: Observers<'_>,
) -> Result<(), CaseError> {
    check_environment(case)?;
    let scenario = &case.scenario;
    let build = build_of(scenario.router.rtc);
    let mut server = scenario.server.clone();
    let real = target.daemon().map(|daemon| daemon.release(build)).transpose()?.flatten();
    if let Some(real) = real {
        if let Some(why) = contradiction(case, real)? {
            report.verdict = Verdict::Skipped(why);
            return Ok(());
        }
        server.dnsmasq = Some(unspanned(real.to_string()));
    }
    let configured = configuration(case, &server);
    if let (Some(_), Err(error)) = (real, &configured)
        && configuration(case, &scenario.server).is_ok()
    {
        report.verdict = Verdict::Skipped(error.message.clone());
        return Ok(());
    }
    let Configuration { config, network, command_line } = configured?;
    let mut engine = Engine::with_network(build, config, network);
    engine.set_call_time(scenario.script.call_time.map_or(0, |time| time.0 as i64));
    let truth = match scenario.router.date {
        Moment::At(second) => second,
        Moment::By(_) => {
            return Err(case
                .error(0..0, "invalid `date`: expected a date, for example 2026-01-31T12:00:00Z")
                .into());
        }
    };
    let environment = environment(case);
    let number = |name: &str| environment.get(name).and_then(|text| text.parse::<u64>().ok());
    let slack = number("LEASE_SLACK").unwrap_or(0);
    let lease_max =
        number("LEASE_MAX").and_then(|n| n.try_into().ok()).unwrap_or(DEFAULT_LEASE_MAX);
    let clocks = Clocks::new(truth, scenario.router.drift);
    let bound = bound::store(case, target, build, engine.network(), truth)?;
    let mut router = Router::new(target, engine, command_line, clocks);
    router.server.seed(options.seed);
    let decodes = options.init_calls == InitCalls::WhereNeeded
        && is_the_projects_own(case, &options.script)
        && scenario.router.store == Store::Nvram;
    let rules = Rules {
        owned: owned_variables(case, &options.script),
        record_prefix: record_prefix(case, &options.script),
        slack,
        lease_max,
        read_method: if decodes { ReadMethod::Records } else { ReadMethod::Init },
        release: router.engine().config().release,
        files_can_be_full: scenario.router.persistent_size.is_some(),
        forgive: &scenario.forgive,
    };
    let script = origin(case, &options.script);
    let finding_rules = FindingRules {
        gate: options.gate.clone(),
        demands_breaks: script == ScriptOrigin::Scenario,
    };
    let mut judge = Judge::new(&mut router, Findings::new(case, finding_rules), rules)?;
    judge.stored_before(&bound);
    let mut observers = observers;
    observers.log = options.log.then_some(&mut report.log);
    let ids = ClientIds::new(scenario.server.long_ids);
    let mut session = Session::new(router, judge, observers, ids, script);
    Player::new(case, server, &mut session)?.play()?;
    if let Some(recorder) = &mut session.observers.recorder {
        recorder.truth = (truth, session.router.clocks.truth());
    }
    report.total = session.observers.total();
    report.owned = session.judge.owned().clone();
    let unplayable = session.unplayable.take();
    let history = std::mem::take(&mut session.observers.history);
    let ids = session.client_ids();
    (report.failures, report.expected_violations) = session.judge.findings.finish();
    if ids.contradict_the_scenario() {
        report.failures.clear();
        report.verdict = Verdict::Skipped(
            "this dnsmasq does not pass long client-ids as `long-ids` says (fix of CVE-2026-4892)"
                .to_owned(),
        );
    }
    if let Some(why) = unplayable
        && options.gate.passes(&report.failures)
    {
        report.verdict =
            Verdict::Skipped(format!("the scenario cannot be played with this script: {why}"));
    }
    if !report.failures.is_empty() {
        report.history = history;
        report.machine = Some(target.machine()?.into_owned());
        report.files = target.files()?;
    }
    Ok(())
}
