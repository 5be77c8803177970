//! Coverage: how often each kind of event, cut, kill, dialect and build was exercised.

use std::collections::BTreeMap;
use std::fmt;

use super::hostile_inputs::HOST_NAMES;
use super::trial::Trial;
use scenario::{Action, DaemonAction, Disturbance, Join, Point, Step, V6};

/// How often each kind was exercised, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<String, u64>,
}

/// The kinds that every long session must exercise, on any routers.
const REQUIRED: [&str; 64] = [
    "boot",
    "boot after a while off",
    "shutdown",
    "power-cut",
    "advance",
    "set-clock",
    "ntp",
    "drift",
    "dnsmasq start",
    "dnsmasq stop",
    "dnsmasq kill",
    "dnsmasq sighup",
    "join",
    "join bootp",
    "join v6 na",
    "join v6 ta",
    "join with a hostile host name",
    "join with a long client-id",
    "request",
    "renew",
    "rebind",
    "init-reboot",
    "rename",
    "inform",
    "release",
    "decline",
    "silence",
    "call",
    "nvram",
    "nvram set with a line break",
    "damage",
    "web-page",
    "cut before get",
    "cut after get",
    "cut before set",
    "cut after set",
    "cut before unset",
    "cut after unset",
    "cut before show",
    "cut after show",
    "cut before commit",
    "cut after commit",
    "cut before command N",
    "cut after command N",
    "cut in the erase",
    "cut in the program",
    "cut in operation N",
    "cut in operation N of command N",
    "kill before get",
    "kill after get",
    "kill before set",
    "kill after set",
    "kill before unset",
    "kill after unset",
    "kill before show",
    "kill after show",
    "kill before commit",
    "kill after commit",
    "kill before command N",
    "kill after command N",
    "fail set",
    "fail unset",
    "fail show",
    "fail commit",
];

impl Coverage {
    /// Counts the kinds that a household exercised.
    pub fn add_trial(&mut self, trial: &Trial) {
        let router = &trial.scenario.router;
        self.count(format!("router {} rtc={}", router.dialect.get_ref(), router.rtc.name()));
        if router.free.is_some() || router.neighbours.0 * 2 > router.space.0 {
            self.count("router with little room".to_owned());
        }
        if trial.scenario.script.slack.is_some() {
            self.count("script with slack".to_owned());
        }
        for (step, outcome) in trial.executed_steps() {
            if let Some(kind) = kind_of(&step.action) {
                self.count(kind);
            }
            for kind in special_kinds(step) {
                self.count(kind.to_owned());
            }
            if outcome.fault_occurred {
                self.count(fault_of(step));
            }
        }
    }

    /// Adds the counts of another household.
    pub fn add(&mut self, other: &Self) {
        for (kind, count) in &other.counts {
            *self.counts.entry(kind.clone()).or_default() += count;
        }
    }

    fn count(&mut self, kind: String) {
        *self.counts.entry(kind).or_default() += 1;
    }

    /// The required kinds that were not exercised. `routers` are the required routers, as `DIALECT rtc=BUILD`.
    pub fn missing(&self, routers: impl Iterator<Item = String>) -> Vec<String> {
        let kinds = REQUIRED.iter().map(|kind| (*kind).to_owned());
        kinds
            .chain(routers.map(|router| format!("router {router}")))
            .filter(|kind| !self.counts.contains_key(kind))
            .collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, count) in &self.counts {
            writeln!(f, "{kind:<40}{count:>10}")?;
        }
        Ok(())
    }
}

fn kind_of(action: &Action) -> Option<String> {
    let kind = match action {
        Action::Dnsmasq(action) => return Some(format!("dnsmasq {}", action_name(*action))),
        Action::Join(join) if join.bootp => "join bootp",
        Action::Join(Join { v6: Some(V6::Na), .. }) => "join v6 na",
        Action::Join(Join { v6: Some(V6::Ta), .. }) => "join v6 ta",
        action => action.key()?,
    };
    Some(kind.to_owned())
}

fn action_name(action: DaemonAction) -> &'static str {
    match action {
        DaemonAction::Start => "start",
        DaemonAction::Stop => "stop",
        DaemonAction::Kill => "kill",
        DaemonAction::Restart => "restart",
        DaemonAction::Sighup => "sighup",
    }
}

/// The kinds of a step that depend on more than its action.
fn special_kinds(step: &Step) -> Vec<&'static str> {
    let mut kinds = Vec::new();
    match &step.action {
        Action::Join(join) => {
            if join.hostname.as_deref().is_some_and(|name| HOST_NAMES.contains(&name)) {
                kinds.push("join with a hostile host name");
            }
            if join.client_id.as_ref().is_some_and(|id| id.get_ref().len() > 200) {
                kinds.push("join with a long client-id");
            }
        }
        Action::Boot(boot) if boot.off.is_some() => kinds.push("boot after a while off"),
        Action::Nvram(commands) if commands.iter().flatten().any(|word| word.contains(r"\x0a")) => {
            kinds.push("nvram set with a line break");
        }
        _ => {}
    }
    if step.web_page {
        kinds.push("web-page");
    }
    kinds
}

fn fault_of(step: &Step) -> String {
    match step.disturbance.as_ref().map(|disturbed| &disturbed.disturbance) {
        Some(Disturbance::Cut(point)) => format!("cut {}", point_text(point)),
        Some(Disturbance::Kill(point)) => format!("kill {}", point_text(point)),
        Some(Disturbance::Fail(word)) => format!("fail {word}"),
        None => "nothing".to_owned(),
    }
}

fn point_text(point: &Point) -> String {
    match point {
        Point::Subcommand(side, name) => format!("{} {name}", side.name()),
        Point::Command(side, _) => format!("{} command N", side.name()),
        Point::Erase => "in the erase".to_owned(),
        Point::Program => "in the program".to_owned(),
        Point::Operation { .. } => "in operation N".to_owned(),
        Point::Within { .. } => "in operation N of command N".to_owned(),
        Point::FileChange { state: 0, .. } => "at file change N".to_owned(),
        Point::FileChange { .. } => "at file change N, losing changes".to_owned(),
    }
}
