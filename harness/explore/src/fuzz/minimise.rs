//! Minimises a failing household: first fewer events (delta debugging), then simpler ones.

use std::num::NonZeroU32;

use super::subject::Subject;
use super::trial::Trial;
use runner::{CaseError, Finding, FindingKind};
use scenario::{
    Action, Boot, BootClock, Bytes, CallDisturbance, ClientMessage, Disturbance, Forgiven, Join,
    LeaseTime, Point, Router, Rtc, Scenario, Seconds, Server, Side, Step, unspanned,
};

/// Maximum number of trials.
const MAX_TRIALS: u32 = 4_000;
/// Maximum number of trials if each of them starts processes.
const MAX_SLOW_TRIALS: u32 = 250;

/// The smallest failing household that was found.
#[derive(Clone, Debug)]
pub struct Minimised {
    /// The household. It fails when it is played strictly.
    pub scenario: Scenario,
    /// What failed.
    pub finding: Finding,
    /// Number of households that were tried.
    pub trials: u32,
}

/// Minimises the household of a failed trial. The kind of its first failure stays the same.
///
/// # Errors
/// The back end fails.
///
/// # Panics
/// The trial did not fail.
pub fn minimise(subject: &Subject, failed: &Trial) -> Result<Minimised, CaseError> {
    let (kind, finding) = failed.failure().expect("a failed trial");
    let budget = if subject.is_slow() { MAX_SLOW_TRIALS } else { MAX_TRIALS };
    let mut shrinker = Shrinker {
        subject,
        kind,
        best: failed.executed_scenario(),
        finding: finding.clone(),
        trials: 0,
        budget,
    };
    loop {
        let before = size(&shrinker.best);
        shrinker.remove_events()?;
        shrinker.simplify()?;
        if size(&shrinker.best) == before || shrinker.trials >= budget {
            break;
        }
    }
    let Shrinker { best, finding, trials, .. } = shrinker;
    Ok(Minimised { scenario: best, finding, trials })
}

struct Shrinker<'s> {
    subject: &'s Subject,
    kind: FindingKind,
    best: Scenario,
    finding: Finding,
    trials: u32,
    budget: u32,
}

impl Shrinker<'_> {
    /// Keeps a household that fails with the same kind and is smaller. Returns whether it does.
    fn keep_if_failing(&mut self, scenario: Scenario) -> Result<bool, CaseError> {
        if self.trials >= self.budget {
            return Ok(false);
        }
        self.trials += 1;
        let trial = match self.subject.play_leniently(scenario) {
            Ok(trial) => trial,
            // A simpler router can be invalid.
            Err(CaseError::Source(_)) => return Ok(false),
            Err(fault) => return Err(fault),
        };
        match trial.failure() {
            Some((kind, finding)) if kind == self.kind => {
                let executed = trial.executed_scenario();
                let smaller = size(&executed) < size(&self.best);
                if smaller {
                    self.finding = finding.clone();
                    self.best = executed;
                }
                Ok(smaller)
            }
            _ => Ok(false),
        }
    }

    fn with_steps(&self, keep: impl Fn(usize) -> bool) -> Scenario {
        let steps = self.best.steps.iter().enumerate();
        let steps = steps.filter(|(at, _)| keep(*at)).map(|(_, step)| step.clone()).collect();
        Scenario { steps, ..self.best.clone() }
    }

    /// Removes chunks of events, from halves down to single events, until every event is needed.
    fn remove_events(&mut self) -> Result<(), CaseError> {
        let mut chunk = self.best.steps.len() / 2;
        while chunk > 0 {
            let mut removed = false;
            // From the end, because late events depend on early ones.
            let mut end = self.best.steps.len();
            while end > 0 {
                let start = end.saturating_sub(chunk);
                let shorter = self.with_steps(|at| !(start..end).contains(&at));
                if !shorter.steps.is_empty() && self.keep_if_failing(shorter)? {
                    removed = true;
                    end = start.min(self.best.steps.len());
                } else {
                    end = start;
                }
            }
            if chunk == 1 && !removed {
                break;
            }
            chunk = (chunk / 2).max(1);
        }
        Ok(())
    }

    /// Simplifies the router, the server, the script and each event.
    fn simplify(&mut self) -> Result<(), CaseError> {
        for simplify in SETUP_SIMPLIFICATIONS {
            let mut scenario = self.best.clone();
            simplify(&mut scenario);
            if to_text(&scenario) != to_text(&self.best) {
                self.keep_if_failing(scenario)?;
            }
        }
        let mut at = 0;
        while at < self.best.steps.len() {
            for simplify in STEP_SIMPLIFICATIONS {
                let Some(step) = self.best.steps.get(at) else { break };
                let mut simple = step.get_ref().clone();
                simplify(&mut simple);
                if format!("{simple:?}") == format!("{:?}", step.get_ref()) {
                    continue;
                }
                let mut scenario = self.best.clone();
                scenario.steps[at] = unspanned(simple);
                self.keep_if_failing(scenario)?;
            }
            at += 1;
        }
        Ok(())
    }
}

/// The measure that decreases with each success: the number of events, then the length of the text.
fn size(scenario: &Scenario) -> (usize, usize) {
    (scenario.steps.len(), to_text(scenario).len())
}

fn to_text(scenario: &Scenario) -> String {
    scenario::to_toml(scenario, "")
}

const SETUP_SIMPLIFICATIONS: [fn(&mut Scenario); 23] = [
    |s| {
        let Router { rtc, dialect, .. } = s.router.clone();
        s.router = Router { rtc, dialect, ..Router::default() };
    },
    |s| {
        let Server { dnsmasq, .. } = s.server.clone();
        s.server = Server { dnsmasq, ..Server::default() };
    },
    |s| s.server.dnsmasq = None,
    |s| s.script.slack = None,
    |s| s.forgive.clear(),
    |s| s.forgive.retain(|forgiven| *forgiven == Forgiven::TornWrite),
    |s| s.forgive.retain(|forgiven| *forgiven == Forgiven::RepeatedCommit),
    |s| s.router.drift = 0,
    |s| s.router.clock = BootClock::Kept,
    |s| s.router.variables.clear(),
    |s| {
        s.router.free = None;
        s.router.neighbours = Router::default().neighbours;
    },
    |s| {
        s.router.space = Router::default().space;
        s.router.erase = Router::default().erase;
    },
    |s| s.router.erase = Router::default().erase,
    |s| s.router.neighbours = Bytes(0),
    |s| s.router.neighbours = Router::default().neighbours,
    |s| s.server.options.clear(),
    |s| s.server.range6 = None,
    |s| s.server.lease_limit = None,
    |s| s.server.lease_time = Server::default().lease_time,
    |s| s.server.range = Server::default().range,
    |s| s.server.lease_time = LeaseTime::Finite(Seconds(3600)),
    |s| s.router.rtc = Rtc::Good,
    |s| s.router.dialect = Router::default().dialect,
];

const STEP_SIMPLIFICATIONS: [fn(&mut Step); 17] = [
    |s| s.disturbance = None,
    |s| s.web_page = false,
    |s| {
        if let Some(disturbed) = &mut s.disturbance {
            disturbed.call = NonZeroU32::MIN;
        }
    },
    |s| edit_boot(s, |boot| *boot = Boot::default()),
    |s| edit_boot(s, |boot| boot.off = None),
    |s| edit_boot(s, |boot| boot.clock = None),
    |s| edit_join(s, |join| (join.hostname, join.client_id, join.mac) = (None, None, None)),
    |s| edit_join(s, |join| join.hostname = None),
    |s| edit_join(s, |join| join.client_id = None),
    |s| edit_join(s, |join| (join.mac, join.lease_time) = (None, None)),
    |s| edit_join(s, |join| (join.address, join.iaid) = (None, None)),
    |s| {
        edit_join(s, |join| {
            if join.v6.is_none() {
                join.client = unspanned("pc-1".to_owned());
            }
        });
    },
    |s| {
        if let Action::Client(ClientMessage::Rename, event) = &mut s.action {
            event.client_id = None;
            event.hostname = event.hostname.as_ref().map(|_| "desk".to_owned());
        }
    },
    |s| edit_advance(s, |_| Seconds(60)),
    |s| edit_advance(s, |Seconds(n)| Seconds((n / 3600).max(1) * 3600)),
    |s| {
        if let Action::Nvram(commands) = &mut s.action {
            commands.truncate(1);
        }
    },
    |s| {
        if let Some(CallDisturbance { disturbance: Disturbance::Cut(point), .. }) =
            &mut s.disturbance
        {
            *point = Point::Subcommand(Side::Before, "commit".to_owned());
        }
    },
];

fn edit_boot(step: &mut Step, edit: impl Fn(&mut Boot)) {
    if let Action::Boot(boot) = &mut step.action {
        edit(boot);
    }
}

fn edit_join(step: &mut Step, edit: impl Fn(&mut Join)) {
    if let Action::Join(join) = &mut step.action {
        edit(join);
    }
}

fn edit_advance(step: &mut Step, edit: impl Fn(Seconds) -> Seconds) {
    if let Action::Advance(time) = &mut step.action {
        *time = edit(*time);
    }
}
