//! Workloads from recordings and scenarios.

use std::path::Path;

use super::router::Script;
use dnsmasq_model::{Build, Network, ScriptCall, ServerConfig};
use runner::{Fault, build_of, calls_of};
use scenario::Case;
use trace::{Recording, TraceError, find};
use trace::{Workload, WorkloadEvent};

/// The recordings at a path: a folder with one, a folder of such folders, or a file of one.
///
/// # Errors
/// A recording that cannot be read, or has a build that dnsmasq has not.
pub fn recordings(path: &Path) -> Result<Vec<Workload>, TraceError> {
    let folder = if path.is_file() {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new(".")).to_owned()
    } else {
        path.to_owned()
    };
    find(&folder)?.iter().map(|folder| recording(&Recording::read(folder)?)).collect()
}

fn recording(recording: &Recording) -> Result<Workload, TraceError> {
    let refuse = |file: &str, line: usize, message: String| TraceError::Value {
        path: recording.folder.join(file),
        line,
        message,
    };
    let build = match &*recording.meta.build {
        "rtc" => Build::Rtc,
        "no-rtc" => Build::NoRtc,
        other => {
            return Err(refuse("meta.json", 1, format!("build `{other}`: it is rtc or no-rtc")));
        }
    };
    // Before which call the router was rebooted, and when.
    let mut boots = Vec::new();
    let (mut made, mut last) = (0, 0.0_f64);
    for stimulus in &recording.stimuli {
        if stimulus.kind == "reboot" {
            boots.push((made, stimulus.t));
        }
        made = stimulus.calls.map_or(made, |(_, end)| end);
        last = last.max(stimulus.t + stimulus.dt.unwrap_or(0.0));
    }
    let mut boots = boots.into_iter().peekable();
    let mut events: Vec<(u64, WorkloadEvent)> = Vec::with_capacity(recording.calls.len());
    let found = recording.found();
    if !found.is_empty() {
        events.push((0, WorkloadEvent::Found(found)));
    }
    for (line, call) in (1..).zip(&recording.calls) {
        if !(0.0..1e12).contains(&call.t) {
            return Err(refuse("calls.jsonl", line, format!("time {} of a call", call.t)));
        }
        while let Some((_, t)) = boots.next_if(|(before, _)| *before <= call.seq) {
            events.push((t.max(0.0) as u64, WorkloadEvent::PowerOff));
        }
        let call_made = ScriptCall {
            argv: call.argv.iter().map(|word| word.0.clone()).collect(),
            env: call.env.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect(),
        };
        let earliest = events.last().map_or(0, |(second, _)| *second);
        events.push(((call.t as u64).max(earliest), WorkloadEvent::Call(call_made)));
        last = last.max(call.t);
    }
    Ok(Workload {
        label: recording.label(),
        build: Some(build),
        server: ServerConfig::default(),
        network: Network::default(),
        begin: recording.meta.wall0 as i64,
        seconds: last as u64,
        events,
    })
}

/// The calls that a scenario leads to with this script: commands of other programs and damage are left out, cuts inside
/// calls are power that goes after them.
///
/// # Errors
/// A scenario that cannot be run.
pub fn scenario(case: &Case, script: Script) -> Result<Workload, Fault> {
    let (calls, (begin, end)) = calls_of(case, script.function())?;
    let since = |truth: i64| u64::try_from(truth - begin).unwrap_or(0);
    let mut events: Vec<(u64, WorkloadEvent)> = Vec::with_capacity(calls.len());
    for call in calls {
        let event = call.call.map_or(WorkloadEvent::PowerOff, WorkloadEvent::Call);
        events.push((since(call.truth), event));
    }
    Ok(Workload {
        label: case.name(),
        build: Some(build_of(case.scenario.router.rtc)),
        server: ServerConfig::default(),
        network: Network::default(),
        begin,
        seconds: since(end),
        events,
    })
}

/// Where events come from that are no household's.
#[derive(Clone, Debug)]
pub enum Source {
    /// Lists of events, the same whatever the script does.
    Lists(Vec<Workload>),
    /// Scenario cases: what dnsmasq calls depends on what the script's `init` prints.
    Cases(Vec<Case>),
}

impl Source {
    /// What it was read from, for headings.
    pub fn labels(&self) -> Vec<String> {
        match self {
            Self::Lists(lists) => lists.iter().map(|list| list.label.clone()).collect(),
            Self::Cases(cases) => cases.iter().map(Case::name).collect(),
        }
    }
}
