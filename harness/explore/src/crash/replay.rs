//! One schedule again, by the disturbances of the targets instead of the explorer's shortcuts.

use std::sync::Arc;

use super::boot::{Boot, Outputs, views_of};
use super::explore::{Explorer, Options, doubt};
use super::recover::rebooted;
use super::strike::{after_kill, verdict};
use super::{Breach, Verdict};
use backend::{
    Backend, BackendError, CallEnd, CallOptions, CallResult, ExternalScript, Function, InProcess,
};
use dnsmasq_model::ScriptCall;
use runner::expected::changes;
use runner::recorder::Snapshot;
use runner::{Fault, Recording, call_text, record};
use scenario::Case;
use scenario::{FaultPoint, Id, IdError, ScheduledFault};

/// What a replay showed.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The verdict after the last strike.
    pub verdict: Verdict,
    /// What was broken or lost.
    pub breaches: Vec<Breach>,
    /// One line for each event, call, command and flash operation, where they were asked for.
    pub log: Vec<String>,
}

/// Runs the schedule of an id on its case; `script` in place of the scenario's own.
///
/// # Errors
/// A schedule that leads nowhere in this case; a scenario that cannot be run.
pub fn replay(
    case: &Case,
    script: Option<Function>,
    id: &Id,
    verbose: bool,
) -> Result<Result<Replayed, IdError>, Fault> {
    let processes = match &script {
        Some(Function::Process(processes)) => Some(Arc::clone(processes)),
        _ => None,
    };
    let recording = match record(case, script)? {
        Ok(recording) => recording,
        Err(why) => return Ok(Err(IdError(why))),
    };
    let mut story = ScheduleReplayer::new(case, &recording, id, None);
    story.log = verbose.then(Vec::new);
    let end = story.tell()?;
    if let Some(fault) = processes.and_then(|processes| processes.take_error()) {
        return Err(fault.into());
    }
    let log = story.log.unwrap_or_default();
    Ok(end.map(|(verdict, breaches)| Replayed { verdict, breaches, log }))
}

type End = Result<(Verdict, Vec<Breach>), IdError>;

/// A schedule under way.
pub(super) struct ScheduleReplayer<'s> {
    explorer: Explorer<'s>,
    id: &'s Id,
    log: Option<Vec<String>>,
    /// Processes that do the last part of it, too.
    processes: Option<&'s Arc<ExternalScript>>,
    /// What they did differently.
    pub(super) differences: Vec<String>,
}

impl<'s> ScheduleReplayer<'s> {
    pub(super) fn new(
        case: &'s Case,
        recording: &'s Recording,
        id: &'s Id,
        processes: Option<&'s Arc<ExternalScript>>,
    ) -> Self {
        let explorer = Explorer::new(case, recording, Options::default());
        Self { explorer, id, log: None, processes, differences: Vec::new() }
    }

    /// Runs the schedule.
    pub(super) fn tell(&mut self) -> Result<End, BackendError> {
        let moments = &self.explorer.recording.recorder.snapshots;
        let Some((stop, rest)) = self.id.schedule.split_first() else {
            return Ok(Err(IdError("an id without a strike".to_owned())));
        };
        let (before, after) = moments.split_at((stop.call as usize - 1).min(moments.len()));
        let Some(moment) = after.first() else {
            let made = moments.len();
            let text = format!("the run makes {made} calls, none with number {}", stop.call);
            return Ok(Err(IdError(text)));
        };
        if self.log.is_some() {
            let mut events = 0;
            for earlier in before {
                self.events(earlier, &mut events);
                self.perform(&mut earlier.target.clone(), earlier, &CallOptions::default())?;
            }
            self.events(moment, &mut events);
        }
        self.strike(moment, None, stop, rest, after.get(1).map(|moment| &moment.call))
    }

    /// What clients did before a call.
    fn events(&mut self, moment: &Snapshot, told: &mut usize) {
        let events = &self.explorer.recording.recorder.events;
        for event in &events[*told..moment.event.min(events.len())] {
            let text = format!("{:?} {}", event.action, event.client.name).to_lowercase();
            self.line(moment, "EVENT", &text);
        }
        *told = moment.event;
    }

    /// `shadow` is the router of processes that has come here with the last kill.
    fn strike(
        &mut self,
        moment: &Snapshot,
        shadow: Option<InProcess>,
        stop: &ScheduledFault,
        rest: &[ScheduledFault],
        next: Option<&Arc<ScriptCall>>,
    ) -> Result<End, BackendError> {
        let mut target = moment.target.clone();
        let mut expected = Arc::clone(&moment.expected);
        let mut torn = false;
        let last_boot = rest.is_empty() || matches!(stop.strike, FaultPoint::Kill(..));
        let mut shadow = shadow.or_else(|| {
            let processes = self.processes.filter(|_| last_boot)?;
            Some(target.with_script(processes))
        });
        let plan = CallOptions { disturbance: stop.strike.disturbance(), ..CallOptions::default() };
        match stop.strike {
            FaultPoint::Between => {}
            FaultPoint::Ended => {
                let ended = self.perform(&mut target, moment, &plan)?;
                self.shadow(&mut shadow, &target, moment, (&plan, &ended))?;
                if ended.end == CallEnd::Exited(0) {
                    Arc::make_mut(&mut expected).acknowledged(changes(&moment.call));
                } else {
                    doubt(&mut expected, changes(&moment.call));
                }
            }
            FaultPoint::Cut(_, nth) | FaultPoint::Kill(_, nth) | FaultPoint::Within { nth, .. } => {
                let trail = target.clone().trail(&moment.call);
                let Some(step) = trail.steps.get(nth as usize - 1) else {
                    let text = format!(
                        "`{}` makes {} nvram commands, none with number {nth}",
                        call_text(&moment.call),
                        trail.steps.len()
                    );
                    return Ok(Err(IdError(text)));
                };
                let struck = self.perform(&mut target, moment, &plan)?;
                self.shadow(&mut shadow, &target, moment, (&plan, &struck))?;
                doubt(&mut expected, changes(&moment.call));
                let digest = |router: &InProcess| router.board().flash().fingerprint();
                torn = matches!(stop.strike, FaultPoint::Within { .. })
                    && ![digest(&step.before), digest(&step.after)].contains(&digest(&target));
            }
        }
        self.line(moment, "STRIKE", &stop.to_string());
        let dark = target.rebooted();
        if let (FaultPoint::Kill(..), Some((stop, rest))) = (stop.strike, rest.split_first()) {
            let later = Snapshot {
                nvram: views_of(&target, self.explorer.prefix(), &moment.nvram),
                call: Arc::clone(after_kill(moment, next)),
                target,
                expected,
                ..moment.clone()
            };
            return self.strike(&later, shadow, stop, rest, None);
        }
        let wanted = self.explorer.wanted(moment, &expected);
        let boot = Boot::of(&dark, self.explorer.prefix(), &mut Outputs::default());
        let broken = boot.judge(&wanted);
        if let Some(shadow) = shadow {
            let (init, _) = shadow.rebooted().read_init();
            if (&init.stdout, init.exit) != (&boot.output.stdout, boot.output.exit) {
                self.differences.push("`init` prints something else".to_owned());
            }
        }
        let Some((stop, rest)) = rest.split_first() else {
            let verdict = verdict(&broken, torn);
            let leases = boot.output.leases.lines().len();
            let breaches = broken.iter().map(|invariant| Breach {
                invariant: *invariant,
                text: boot.explain(*invariant, &wanted),
                step: moment.step,
                id: self.id.clone(),
            });
            let breaches: Vec<Breach> = breaches.collect();
            for breach in &breaches {
                self.line(
                    moment,
                    "CHECK",
                    &format!("{}: {}", breach.invariant.name(), breach.text),
                );
            }
            self.line(moment, "CHECK", &format!("{verdict}: init prints {leases} lines"));
            return Ok(Ok((verdict, breaches)));
        };
        let mut start = Snapshot { target: dark, ..moment.clone() };
        rebooted(&mut start, &boot);
        self.line(moment, "BOOT", "power is back");
        self.recover(start, &boot, stop, rest)
    }

    /// Boots, and makes calls until the one that the next strike hits.
    fn recover(
        &mut self,
        start: Snapshot,
        boot: &Boot,
        stop: &ScheduledFault,
        rest: &[ScheduledFault],
    ) -> Result<End, BackendError> {
        let mut path = Vec::new();
        let keep_all = self.log.is_some();
        let mut made = 0;
        self.explorer.recover(start, boot, &mut |moment, ordinal, _| {
            made = ordinal;
            if keep_all || ordinal == stop.call {
                path.push(moment.clone());
            }
            if ordinal < stop.call {
                self.explorer.undisturbed(moment);
            }
            ordinal < stop.call
        });
        let Some((last, earlier)) = path.split_last().filter(|_| made == stop.call) else {
            let text = format!("only {made} calls follow, none with number {}", stop.call);
            return Ok(Err(IdError(text)));
        };
        let mut events = earlier.first().unwrap_or(last).event;
        for moment in earlier {
            self.events(moment, &mut events);
            self.perform(&mut moment.target.clone(), moment, &CallOptions::default())?;
        }
        if self.log.is_some() {
            self.events(last, &mut events);
        }
        self.strike(last, None, stop, rest, None)
    }

    /// Makes a call and writes down what it did.
    fn perform(
        &mut self,
        target: &mut InProcess,
        moment: &Snapshot,
        plan: &CallOptions,
    ) -> Result<CallResult, BackendError> {
        let result = target.call(&moment.call, plan)?;
        if self.log.is_some() {
            self.line(moment, "CALL", &format!("{} -> {:?}", call_text(&moment.call), result.end));
            for command in &result.commands {
                let words: Vec<String> =
                    command.iter().map(|word| word.escape_ascii().to_string()).collect();
                self.line(moment, "NVRAM", &words.join(" "));
            }
            for operation in &result.operations {
                self.line(moment, "FLASH", &operation.to_string());
            }
        }
        Ok(result)
    }

    /// The same call by processes, which must end alike and leave the same.
    fn shadow(
        &mut self,
        shadow: &mut Option<InProcess>,
        target: &InProcess,
        moment: &Snapshot,
        (plan, expected): (&CallOptions, &CallResult),
    ) -> Result<(), BackendError> {
        let Some(shadow) = shadow else { return Ok(()) };
        let found = shadow.call(&moment.call, plan)?;
        let (ours, theirs) = (target.board(), shadow.board());
        let power_stays = found.end != CallEnd::PowerLost;
        let same = [
            (expected.end == found.end, "how the call ends"),
            (expected.commands == found.commands, "nvram commands"),
            (expected.operations == found.operations, "flash operations"),
            (ours.flash_bytes() == theirs.flash_bytes(), "the flash"),
            (!power_stays || ours.ram_bytes() == theirs.ram_bytes(), "RAM"),
        ];
        for (_, what) in same.into_iter().filter(|(same, _)| !same) {
            self.differences.push(format!("{what} differs after `{}`", call_text(&moment.call)));
        }
        Ok(())
    }

    fn line(&mut self, moment: &Snapshot, word: &str, text: &str) {
        let Some(log) = &mut self.log else { return };
        let clock = moment.clocks.now();
        let step = moment.step;
        log.push(format!("{step:>4} {:>10} {:>8} {word:<6} {text}", clock.wall, clock.mono));
    }
}
