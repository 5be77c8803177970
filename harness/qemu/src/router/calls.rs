//! Script calls in a guest, as its script hook records them.

use nvram_emu::device::{Op, OpKind};
use rand::RngExt as _;

use super::lifecycle::Router;
use crate::erase_audit::Ending;
use crate::error::QemuError;
use crate::events::Event;
use crate::power_cut_on_erase::PowerCutOnErase;
use crate::shell_quote::shell_quote;
use backend::{CallEnd, CallOptions, CallResult, Disturbance, NvramCommand};
use dnsmasq_model::ScriptCall;
use scenario::{Point, Side};

/// How a call ended, with what the script printed.
struct Outcome {
    end: CallEnd,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Outcome {
    fn power_lost() -> Self {
        Self { end: CallEnd::PowerLost, stdout: Vec::new(), stderr: Vec::new() }
    }
}

/// What the guest recorded of a call.
#[derive(Debug, Default)]
struct Recorded {
    commands: Vec<Vec<Vec<u8>>>,
    operations: Vec<Op>,
}

impl Router<'_> {
    /// Runs the script without dnsmasq.
    pub(super) fn call_directly(
        &mut self,
        call: &ScriptCall,
        plan: &CallOptions,
    ) -> Result<CallResult, QemuError> {
        let variables: Vec<String> = call
            .env
            .iter()
            .map(|(name, value)| format!("{name}={}; export {name}; ", shell_quote(value)))
            .collect();
        let arguments: Vec<String> =
            call.argv.iter().skip(1).map(|argument| shell_quote(argument)).collect();
        let number = if plan.disturbance.is_some() { self.next_call_number()? } else { 0 };
        let power_cut = self.inject(number, plan)?;
        let script = format!(
            "{}LAB_DIRECT=1; export LAB_DIRECT; sh /lab/script-hook {} >/dev/null 2>&1 &",
            variables.concat(),
            arguments.join(" ")
        );
        let began = self.begin_directly(&script);
        self.follow(plan, power_cut, began)
    }

    fn begin_directly(&mut self, script: &str) -> Result<(), QemuError> {
        self.running_guest()?.run_checked(script)?;
        while !matches!(self.next_event()?, Event::Call(..)) {}
        Ok(())
    }

    /// Lets the next call of dnsmasq run, and records it until its end. `None` when dnsmasq is idle and makes no call.
    pub(super) fn call_of_dnsmasq(
        &mut self,
        plan: &CallOptions,
    ) -> Result<Option<(ScriptCall, CallResult)>, QemuError> {
        if self.guest.is_none() {
            return Ok(None);
        }
        while let Some(event) = self.next_event_or_idle()? {
            let Event::Call(number, mut call) = event else { continue };
            let power_cut = self.inject(number, plan)?;
            let wall = self.clock.wall;
            let go = format!("date -u -s @{wall} >/dev/null; echo >/tmp/lab/go-{number}");
            let began = self.running_guest()?.run_checked(&go).map(|_| ());
            call.argv[0].clone_from(&self.script_name);
            self.adjust_remaining_time(&mut call);
            let result = self.follow(plan, power_cut, began)?;
            return Ok(Some((call, result)));
        }
        Ok(None)
    }

    /// Replaces the remaining time in the call by the one at the scenario's clock. In a scenario no time passes between a lease
    /// and the call that reports it, but in the guest it does.
    fn adjust_remaining_time(&self, call: &mut ScriptCall) {
        const REMAINING: &str = "DNSMASQ_TIME_REMAINING";
        let number = |call: &ScriptCall, name: &str| -> Option<i64> {
            std::str::from_utf8(call.env.get(name)?).ok()?.parse().ok()
        };
        let (Some(remaining), Some(expires)) =
            (number(call, REMAINING), number(call, "DNSMASQ_LEASE_EXPIRES"))
        else {
            return;
        };
        let expected = expires - self.clock.wall;
        let tolerance = self.config.timeouts.command().as_secs() as i64;
        if (expected - tolerance..=expected).contains(&remaining) {
            call.env.insert(REMAINING.to_owned(), expected.to_string().into_bytes());
        }
    }

    fn next_call_number(&mut self) -> Result<u64, QemuError> {
        let text = self.running_guest()?.run_checked("cat /tmp/lab/number 2>/dev/null; :")?;
        let last: u64 = String::from_utf8_lossy(&text).trim().parse().unwrap_or(0);
        Ok(last + 1)
    }

    /// Prepares the fault of a call: the guest's nvram wrapper injects it, or a watcher of the flash chip.
    fn inject(
        &mut self,
        number: u64,
        plan: &CallOptions,
    ) -> Result<Option<PowerCutOnErase>, QemuError> {
        let Some(disturbance) = &plan.disturbance else { return Ok(None) };
        let (action, point) = match disturbance {
            Disturbance::Cut(point) => ("cut", point),
            Disturbance::Kill(point) => ("kill", point),
            Disturbance::Fail(command) => {
                let command = shell_quote(command.as_bytes());
                self.write_fault(&format!("{number} fail before {command} -"))?;
                return Ok(None);
            }
        };
        let place = match point {
            Point::Subcommand(side, command) => {
                format!("{} {} -", side.name(), shell_quote(command.as_bytes()))
            }
            Point::Command(side, nth) => format!("{} - {nth}", side.name()),
            // No guest runs a case with one.
            Point::FileChange { .. } => return Ok(None),
            Point::Within { .. } | Point::Operation { .. } | Point::Erase | Point::Program => {
                let chip = &self.config.flash;
                let blocks = chip.partition as u64 / u64::from(chip.erase);
                let nth = match point {
                    // Each block is erased, then programmed.
                    Point::Operation { op, .. } | Point::Within { op, .. } => {
                        u64::from(*op) / 2 + 1
                    }
                    _ => self.rng.random_range(1..=blocks),
                };
                let power = self.running_guest()?.power_switch()?;
                return PowerCutOnErase::arm(&self.path("trace"), nth, power).map(Some);
            }
        };
        self.write_fault(&format!("{number} {action} {place}"))?;
        Ok(None)
    }

    fn write_fault(&mut self, fault: &str) -> Result<(), QemuError> {
        self.running_guest()?.run_checked(&format!("echo {fault} >/tmp/lab/fault")).map(|_| ())
    }

    /// Records a call until its end. `began` is the guest's answer that it has begun.
    fn follow(
        &mut self,
        plan: &CallOptions,
        power_cut: Option<PowerCutOnErase>,
        began: Result<(), QemuError>,
    ) -> Result<CallResult, QemuError> {
        let mut recorded = Recorded::default();
        let outcome = match began.and_then(|()| self.record_call(plan, &mut recorded)) {
            // The guest may have been killed before it answered that the call began.
            Err(_) if power_cut.as_ref().is_some_and(PowerCutOnErase::has_cut) => {
                Outcome::power_lost()
            }
            other => other?,
        };
        drop(power_cut);
        if outcome.end == CallEnd::PowerLost {
            self.after_power_cut(plan, &mut recorded)?;
        } else {
            self.after_call(plan, &recorded)?;
        }
        Ok(CallResult {
            stdout: outcome.stdout,
            stderr: outcome.stderr,
            commands: recorded
                .commands
                .into_iter()
                .map(|arguments| NvramCommand { arguments, code: None })
                .collect(),
            operations: recorded.operations,
            ..CallResult::ended(outcome.end)
        })
    }

    fn record_call(
        &mut self,
        plan: &CallOptions,
        recorded: &mut Recorded,
    ) -> Result<Outcome, QemuError> {
        let is_killed = matches!(plan.disturbance, Some(Disturbance::Kill(_)));
        loop {
            match self.next_event()? {
                Event::Command(_, arguments) => recorded.commands.push(arguments),
                Event::Operation(_, operation) => recorded.operations.push(operation),
                Event::Fault(_) if is_killed => {}
                Event::Fault(_) => return Ok(Outcome::power_lost()),
                Event::End(_, code, stdout, stderr) => {
                    let end = match code {
                        137 if is_killed => CallEnd::Killed(9),
                        code => CallEnd::Exited(code),
                    };
                    return Ok(Outcome { end, stdout, stderr });
                }
                Event::Call(..) => {
                    let text = "a call of the script began before the previous one had ended";
                    return Err(QemuError::Guest(text.to_owned()));
                }
            }
        }
    }

    fn after_power_cut(
        &mut self,
        plan: &CallOptions,
        recorded: &mut Recorded,
    ) -> Result<(), QemuError> {
        self.cut_power()?;
        match fault_place(plan) {
            Some(FaultPlace::Within) => {
                // The power cut may have come before the commit was recorded.
                let last = recorded.commands.last().and_then(|command| command.first());
                if last.is_none_or(|name| name != b"commit") {
                    recorded.commands.push(vec![b"commit".to_vec()]);
                }
            }
            Some(FaultPlace::Before) => {
                // The command was recorded, but did not run.
                recorded.commands.pop();
            }
            Some(FaultPlace::After) | None => {}
        }
        let erases = self.record_commands(&recorded.commands, Ending::PowerLost)?;
        let block = self.config.flash.erase;
        recorded.operations = erases
            .into_iter()
            .map(|offset| Op { kind: OpKind::Erase, offset: offset as u32, len: block })
            .collect();
        Ok(())
    }

    fn after_call(&mut self, plan: &CallOptions, recorded: &Recorded) -> Result<(), QemuError> {
        let mut ran = recorded.commands.clone();
        if let Some(Disturbance::Fail(name)) = &plan.disturbance {
            ran.retain(|command| command.first().is_none_or(|first| first != name.as_bytes()));
        }
        let is_killed = matches!(plan.disturbance, Some(Disturbance::Kill(_)));
        if is_killed && fault_place(plan) == Some(FaultPlace::Before) {
            ran.pop();
        }
        self.record_commands(&ran, Ending::Completed)?;
        let flash = self.flash()?;
        self.audit.compare(&flash);
        Ok(())
    }
}

/// Where a power cut or a kill happens, relative to an nvram command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FaultPlace {
    Before,
    Within,
    After,
}

fn fault_place(plan: &CallOptions) -> Option<FaultPlace> {
    let (Disturbance::Cut(point) | Disturbance::Kill(point)) = plan.disturbance.as_ref()? else {
        return None;
    };
    Some(match point {
        Point::Subcommand(Side::Before, _) | Point::Command(Side::Before, _) => FaultPlace::Before,
        Point::Subcommand(Side::After, _) | Point::Command(Side::After, _) => FaultPlace::After,
        Point::Within { .. } | Point::Operation { .. } | Point::Erase | Point::Program => {
            FaultPlace::Within
        }
        Point::FileChange { .. } => return None,
    })
}
