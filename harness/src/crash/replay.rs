//! One schedule again, by the disturbances of the targets instead of the explorer's shortcuts.

use std::sync::Arc;

use super::boot::{Boot, views_of};
use super::explore::{Explorer, Options, doubt};
use super::recover::rebooted;
use super::schedule::{Id, IdError, Stop, Strike};
use super::strike::{after_kill, verdict};
use super::{Breach, Verdict};
use crate::dnsmasq::ScriptCall;
use crate::run::record::Moment;
use crate::run::store::changes;
use crate::run::{Fault, call_text, record};
use crate::scenario::Case;
use crate::target::{Function, InProcess, Plan, Target, TargetError};

/// What a replay showed.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The verdict after the last strike.
    pub verdict: Verdict,
    /// What was broken or lost.
    pub breaches: Vec<Breach>,
    /// One line for each event, call, command and flash operation.
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
) -> Result<Result<Replayed, IdError>, Fault> {
    let recording = match record(case, script)? {
        Ok(recording) => recording,
        Err(why) => return Ok(Err(IdError(why))),
    };
    let explorer = Explorer::new(case, &recording, Options::default());
    let moments = &recording.recorder.moments;
    let (Some(stop), rest) = (id.schedule.first(), id.schedule.get(1..).unwrap_or_default()) else {
        return Ok(Err(IdError("an id without a strike".to_owned())));
    };
    let Some(moment) = moments.get(stop.call as usize - 1) else {
        let text = format!("the run makes {} calls, none with number {}", moments.len(), stop.call);
        return Ok(Err(IdError(text)));
    };
    let next = moments.get(stop.call as usize).map(|moment| &moment.call);
    let mut story = Story { explorer, id, log: Vec::new() };
    let end = story.strike(moment, stop, rest, next)?;
    Ok(end.map(|(verdict, breaches)| Replayed { verdict, breaches, log: story.log }))
}

type End = Result<(Verdict, Vec<Breach>), IdError>;

struct Story<'s> {
    explorer: Explorer<'s>,
    id: &'s Id,
    log: Vec<String>,
}

impl Story<'_> {
    fn strike(
        &mut self,
        moment: &Moment,
        stop: &Stop,
        rest: &[Stop],
        next: Option<&Arc<ScriptCall>>,
    ) -> Result<End, TargetError> {
        let mut target = moment.target.clone();
        let mut expected = Arc::clone(&moment.expected);
        let mut torn = false;
        match stop.strike {
            Strike::Between => {}
            Strike::Ended => {
                let ended = self.perform(&mut target, &moment.call, &Plan::default())?;
                if ended {
                    Arc::make_mut(&mut expected).acknowledged(changes(&moment.call));
                } else {
                    doubt(&mut expected, changes(&moment.call));
                }
            }
            strike => {
                let trail = target.clone().trail(&moment.call);
                let (Strike::Cut(_, nth) | Strike::Kill(_, nth) | Strike::Within { nth, .. }) =
                    strike
                else {
                    return Ok(Err(IdError("no strike".to_owned())));
                };
                let Some(step) = trail.steps.get(nth as usize - 1) else {
                    let text = format!(
                        "`{}` makes {} nvram commands, none with number {nth}",
                        call_text(&moment.call),
                        trail.steps.len()
                    );
                    return Ok(Err(IdError(text)));
                };
                let plan = Plan { disturbance: strike.disturbance(), web_page: false };
                self.perform(&mut target, &moment.call, &plan)?;
                doubt(&mut expected, changes(&moment.call));
                let digest = |router: &InProcess| router.board().flash().digest();
                torn = matches!(strike, Strike::Within { .. })
                    && ![digest(&step.before), digest(&step.after)].contains(&digest(&target));
            }
        }
        self.line(moment, "STRIKE", &stop.to_string());
        let dark = target.rebooted();
        if let (Strike::Kill(..), Some(stop)) = (stop.strike, rest.first()) {
            let later = Moment {
                views: views_of(&target, self.explorer.prefix(), &moment.views),
                call: Arc::clone(after_kill(moment, next)),
                target,
                expected,
                ..moment.clone()
            };
            return self.strike(&later, stop, &rest[1..], None);
        }
        let wanted = self.explorer.wanted(moment, &expected);
        let boot = Boot::of(&dark, self.explorer.prefix());
        let broken = boot.judge(&wanted);
        let Some((stop, rest)) = rest.split_first() else {
            let breaches = broken.iter().map(|invariant| Breach {
                invariant: *invariant,
                text: boot.explain(*invariant, &wanted),
                step: moment.step,
                id: self.id.clone(),
            });
            return Ok(Ok((verdict(&broken, torn), breaches.collect())));
        };
        let mut start = Moment { target: dark, ..moment.clone() };
        rebooted(&mut start, &boot);
        self.recover(start, &boot, stop, rest)
    }

    /// Boots, and makes calls until the one that the next strike hits.
    fn recover(
        &mut self,
        start: Moment,
        boot: &Boot,
        stop: &Stop,
        rest: &[Stop],
    ) -> Result<End, TargetError> {
        let mut path = Vec::new();
        self.explorer.recover(start, boot, &mut |moment, ordinal, _| {
            path.push(moment.clone());
            self.explorer.undisturbed(moment);
            ordinal < stop.call
        });
        let Some((last, made)) =
            path.split_last().filter(|(_, made)| made.len() + 1 == stop.call as usize)
        else {
            let text = format!("only {} calls follow, none with number {}", path.len(), stop.call);
            return Ok(Err(IdError(text)));
        };
        for moment in made {
            self.perform(&mut moment.target.clone(), &moment.call, &Plan::default())?;
        }
        self.strike(last, stop, rest, None)
    }

    /// Makes a call and writes down what it did; whether it ended with 0.
    fn perform(
        &mut self,
        target: &mut InProcess,
        call: &ScriptCall,
        plan: &Plan,
    ) -> Result<bool, TargetError> {
        let result = target.call(call, plan)?;
        self.log.push(row("CALL", &format!("{} -> {:?}", call_text(call), result.end)));
        for command in &result.commands {
            let words: Vec<String> =
                command.iter().map(|word| word.escape_ascii().to_string()).collect();
            self.log.push(row("NVRAM", &words.join(" ")));
        }
        for operation in &result.operations {
            self.log.push(row("FLASH", &operation.to_string()));
        }
        Ok(result.end == crate::target::CallEnd::Exited(0))
    }

    fn line(&mut self, moment: &Moment, word: &str, text: &str) {
        let clock = moment.clocks.now();
        let step = moment.step;
        self.log.push(row(
            word,
            &format!("{text} (step {step}, wall {}, mono {})", clock.wall, clock.mono),
        ));
    }
}

fn row(word: &str, text: &str) -> String {
    format!("{word:<7}{text}")
}
