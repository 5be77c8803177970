//! Workloads from recordings and scenarios.

use std::path::Path;

use super::script::Script;
use dnsmasq_model::{Network, ServerConfig};
use runner::{CaseError, build_of, calls_of};
use scenario::Case;
use trace::{Recording, TraceError, Workload, WorkloadEvent, find, is_archive, read_archive};

/// Workloads other than a household.
#[derive(Clone, Debug)]
pub enum Source {
    /// Lists of events that do not depend on the script.
    Workloads(Vec<Workload>),
    /// Cases of scenarios. Their calls depend on what the script's `init` prints.
    Cases(Vec<Case>),
}

impl Source {
    /// Returns the names of the workloads.
    pub fn labels(&self) -> Vec<String> {
        match self {
            Self::Workloads(workloads) => {
                workloads.iter().map(|workload| workload.label.clone()).collect()
            }
            Self::Cases(cases) => cases.iter().map(Case::name).collect(),
        }
    }
}

/// Reads the recordings at a path: the folder of a recording, a folder of such folders, a file of a recording, or a
/// `.tar.xz` archive of recordings.
///
/// # Errors
/// Returns an error if a recording cannot be read or has an invalid value.
pub fn recordings(path: &Path) -> Result<Vec<Workload>, TraceError> {
    if is_archive(path) {
        return read_archive(path)?.iter().map(recording).collect();
    }
    let folder = if path.is_file() {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new(".")).to_owned()
    } else {
        path.to_owned()
    };
    find(&folder)?.iter().map(|folder| recording(&Recording::read(folder)?)).collect()
}

fn recording(recording: &Recording) -> Result<Workload, TraceError> {
    // For each reboot: the number of the call that followed it, and its time.
    let mut reboots = Vec::new();
    let (mut calls, mut last) = (0, 0.0_f64);
    for stimulus in &recording.stimuli {
        if stimulus.kind == "reboot" {
            reboots.push((calls, stimulus.t));
        }
        calls = stimulus.calls.map_or(calls, |(_, end)| end);
        last = last.max(stimulus.t + stimulus.dt.unwrap_or(0.0));
    }
    let mut reboots = reboots.into_iter().peekable();
    let mut events: Vec<(u64, WorkloadEvent)> = Vec::with_capacity(recording.calls.len());
    let found = recording.stored_before();
    if !found.is_empty() {
        events.push((0, WorkloadEvent::Stored(found)));
    }
    for (line, call) in (1..).zip(&recording.calls) {
        if !(0.0..1e12).contains(&call.t) {
            let path = recording.folder.join("calls.jsonl");
            return Err(TraceError::CallTime { path, line, seconds: call.t });
        }
        while let Some((_, t)) = reboots.next_if(|(before, _)| *before <= call.seq) {
            events.push((t.max(0.0) as u64, WorkloadEvent::PowerOff));
        }
        let earliest = events.last().map_or(0, |(second, _)| *second);
        events.push(((call.t as u64).max(earliest), WorkloadEvent::Call(call.script_call())));
        last = last.max(call.t);
    }
    Ok(Workload {
        label: recording.label(),
        build: Some(recording.meta.build),
        server: ServerConfig::default(),
        network: Network::default(),
        begin: recording.meta.wall0 as i64,
        seconds: last as u64,
        events,
    })
}

/// Returns the calls of a scenario with this script. Commands of other programs and flash damage are omitted. A power
/// cut during a call is moved to the end of the call.
///
/// # Errors
/// Returns an error if the scenario cannot be run.
pub fn scenario(case: &Case, script: Script) -> Result<Workload, CaseError> {
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
