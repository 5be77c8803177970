//! Runs a case on the back end that the command line chose.

use std::time::Instant;

use backend::{Backend as _, BackendError};
use live::{Live, LiveSettings};
use qemu::guest_pool::{self, GuestPool};
use runner::{
    CaseError, CaseReport, Finding, FindingKind, Observers, Options, Verdict, blank_report,
    build_of, check_environment, command, play, router,
};
use scenario::{Action, BackendKind, Case};

/// The back end of a run.
#[derive(Clone, Debug)]
pub enum BackendChoice {
    /// The modelled dnsmasq, with the target of the runner's options.
    Modelled,
    /// A real dnsmasq.
    Live(Box<LiveSettings>),
    /// A guest with its own dnsmasq.
    Qemu(GuestPool),
}

impl BackendChoice {
    fn kind(&self) -> BackendKind {
        match self {
            Self::Modelled => BackendKind::Modelled,
            Self::Live(_) => BackendKind::Live,
            Self::Qemu(_) => BackendKind::Guest,
        }
    }
}

/// Runs a case.
///
/// # Errors
/// A back end that fails. A scenario that cannot be carried out is a verdict.
pub fn run_case(
    case: &Case,
    options: &Options,
    backend: &BackendChoice,
) -> Result<CaseReport, BackendError> {
    let began = Instant::now();
    let mut report = blank_report(case);
    if let Some(reason) = case.incompatibility(backend.kind()) {
        report.verdict = Verdict::Skipped(reason.to_string());
        return Ok(report);
    }
    let played = match (&case.scenario.journal, backend) {
        (Some(lab), _) => {
            let unmet = |text| Finding::of_case(case, FindingKind::Unmet, text);
            report.failures =
                journal_lab::run_case(lab).deviations.into_iter().map(unmet).collect();
            Ok(())
        }
        (None, BackendChoice::Modelled) => return runner::run_case(case, options),
        (None, BackendChoice::Live(settings)) => run_live(case, options, settings, &mut report),
        (None, BackendChoice::Qemu(pool)) => run_in_guest(case, options, pool, &mut report),
    };
    report.conclude(case, &options.script, &options.gate, played)?;
    report.took = began.elapsed();
    Ok(report)
}

fn run_live(
    case: &Case,
    options: &Options,
    settings: &LiveSettings,
    report: &mut CaseReport,
) -> Result<(), CaseError> {
    let later = case.scenario.steps.iter().filter(|step| case.matches(&step.get_ref().when));
    let later = later.filter_map(|step| match &step.get_ref().action {
        Action::Boot(boot) => boot.rtc,
        _ => None,
    });
    let lacking = std::iter::once(case.scenario.router.rtc)
        .chain(later)
        .find_map(|rtc| settings.missing_build(build_of(rtc)));
    if let Some(why) = lacking {
        report.verdict = Verdict::Skipped(why.to_owned());
        return Ok(());
    }
    let server = &case.scenario.server.options;
    let server: Vec<String> = server.iter().map(|option| option.get_ref().clone()).collect();
    if let Some(why) = live::unsupported_option(&server, case.scenario.router.interface.get_ref()) {
        report.verdict = Verdict::Skipped(why);
        return Ok(());
    }
    let binary = settings.binaries.of(build_of(case.scenario.router.rtc));
    if let Some(why) = binary.and_then(|binary| binary.missing_part(&server)) {
        report.verdict = Verdict::Skipped(why);
        return Ok(());
    }
    let script = command(case, &options.script)?;
    let mut target = Live::new(router(case)?, &script, settings)?;
    let played = match play(case, &mut target, options, report, Observers::default()) {
        // The router could be set up, so other cases may pass.
        Err(CaseError::Backend(BackendError::Environment(text) | BackendError::Broken(text))) => {
            report.failures.push(Finding::of_case(case, FindingKind::Anomaly, text));
            Ok(())
        }
        other => other,
    };
    if played.is_err() || !report.failures.is_empty() {
        report.daemon_log = target.log()?;
    }
    played
}

/// How often a case is played if its guest stops answering. On a busy machine, a message on a guest's console is lost now
/// and then.
const GUEST_ATTEMPTS: usize = 2;

fn run_in_guest(
    case: &Case,
    options: &Options,
    pool: &GuestPool,
    report: &mut CaseReport,
) -> Result<(), CaseError> {
    check_environment(case)?;
    for _ in 1..GUEST_ATTEMPTS {
        let Some(why) = play_in_guest(case, options, pool, report)? else { return Ok(()) };
        errln!("{}: played again with a new guest: {why}", report.name);
        *report = blank_report(case);
    }
    if let Some(why) = play_in_guest(case, options, pool, report)? {
        report.failures.push(Finding::of_case(case, FindingKind::Anomaly, why));
    }
    Ok(())
}

/// Returns why the guest stopped answering, if it did.
fn play_in_guest(
    case: &Case,
    options: &Options,
    pool: &GuestPool,
    report: &mut CaseReport,
) -> Result<Option<String>, CaseError> {
    let mut session = pool.lock();
    let kept = session.folder_for_failed(&report.name);
    let case = match session.fit(case) {
        Ok(case) => case,
        Err(why) => {
            report.verdict = Verdict::Skipped(why.to_string());
            return Ok(None);
        }
    };
    let script = command(&case, &options.script)?;
    let machine = router(&case)?;
    let mut target = session.router(&machine, &script, options.seed).map_err(BackendError::from)?;
    let played = play(&case, &mut target, options, report, Observers::default());
    // Power off before the files are read, whether the case has passed or not.
    _ = target.power_off();
    let audit = target.audit().clone();
    let anomaly = |text| Finding::of_case(&case, FindingKind::Anomaly, text);
    report.failures.extend(audit.differences().iter().cloned().map(anomaly));
    let folder = target.folder().to_owned();
    if let (Some(kept), true) = (kept, played.is_err() || !report.failures.is_empty()) {
        guest_pool::keep(&folder, &kept).map_err(BackendError::from)?;
    }
    drop(target);
    match played {
        // One silent guest is a failed case; an image that has never booted ends the run.
        Err(CaseError::Backend(BackendError::Broken(why))) if session.has_booted() => Ok(Some(why)),
        other => {
            session.add(&audit);
            other.map(|()| None)
        }
    }
}
