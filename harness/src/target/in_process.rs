//! The target of function calls: the script as a function over a machine in memory.

use std::borrow::Cow;

use lease_script::{Call, Config, Environment, MemoryMarker, Nvram, NvramOutput, killed};
use nvram_emu::{Exit, Machine};

use super::naive;
use super::plan::{Disturbance, Strike, Striker};
use super::{CallEnd, CallResult, CommandResult, Plan, Target, TargetError};
use crate::dnsmasq::ScriptCall;

/// A script that runs in process.
#[derive(Clone, Debug)]
pub enum Function {
    /// The project's own.
    Ours(Config),
    /// The naive one, after 2006.
    Naive,
}

/// A router in memory. `Clone` costs what changed.
#[derive(Clone, Debug)]
pub struct InProcess {
    machine: Machine,
    marker: MemoryMarker,
    script: Function,
}

impl InProcess {
    /// A router that has just booted.
    pub fn new(machine: Machine, script: Function) -> Self {
        Self { machine, marker: MemoryMarker::default(), script }
    }
}

/// One call's way to the machine.
struct Wire<'a> {
    machine: &'a mut Machine,
    striker: Striker<'a>,
    commands: Vec<Vec<Vec<u8>>>,
    /// What a web page would see after each command, where there is one.
    page: Option<Page<'a>>,
}

/// A web page that looks on: the script that it calls, and what it saw.
struct Page<'a> {
    script: &'a Function,
    seen: Vec<(Vec<u8>, Option<i32>)>,
}

impl Wire<'_> {
    fn look(&mut self) {
        if let Some(Page { script, seen }) = &mut self.page {
            let mut wire = Wire {
                machine: self.machine,
                striker: Striker::new(None, 0),
                commands: Vec::new(),
                page: None,
            };
            let call = Call::new([b"init".to_vec()], Environment::default());
            let outcome = invoke(script, &call, &mut wire, &mut MemoryMarker::default());
            seen.push((outcome.stdout, Some(i32::from(outcome.exit))));
        }
    }
}

impl Nvram for Wire<'_> {
    fn run(&mut self, arguments: &[&[u8]]) -> std::io::Result<NvramOutput> {
        self.look();
        self.commands.push(arguments.iter().map(|word| word.to_vec()).collect());
        let machine = &mut *self.machine;
        let strike = self.striker.next(arguments, || foretell(machine, arguments));
        match strike {
            Strike::Before => return Err(killed()),
            Strike::Fail => {
                let stderr = b"nvram: made to fail\n".to_vec();
                return Ok(NvramOutput { stdout: Vec::new(), stderr, code: 1 });
            }
            Strike::During(cut) => machine.arm_cut(cut.op, cut.byte),
            Strike::None | Strike::After => {}
        }
        let outcome = machine.run(arguments);
        let Exit::Code(code) = outcome.exit else { return Err(killed()) };
        if strike == Strike::After {
            return Err(killed());
        }
        self.look();
        Ok(NvramOutput { stdout: outcome.stdout, stderr: outcome.stderr, code: i32::from(code) })
    }
}

/// The flash operations that a command would make, the machine left as it is.
fn foretell(machine: &Machine, arguments: &[&[u8]]) -> Vec<nvram_emu::device::Op> {
    let mut fork = machine.clone();
    fork.take_ops();
    fork.run(arguments);
    fork.take_ops()
}

fn invoke(
    script: &Function,
    call: &Call,
    wire: &mut Wire<'_>,
    marker: &mut MemoryMarker,
) -> lease_script::Outcome {
    match script {
        Function::Ours(config) => lease_script::run(call, config, wire, marker),
        Function::Naive => naive::run(call, wire),
    }
}

impl Target for InProcess {
    fn call(&mut self, call: &ScriptCall, plan: &Plan) -> Result<CallResult, TargetError> {
        self.machine.take_ops();
        let environment = call.env.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let call = Call::new(call.argv.iter().skip(1).cloned(), environment.collect());
        let mut wire = Wire {
            machine: &mut self.machine,
            striker: Striker::new(plan.disturbance.as_ref(), 0),
            commands: Vec::new(),
            page: plan.web_page.then_some(Page { script: &self.script, seen: Vec::new() }),
        };
        let outcome = invoke(&self.script, &call, &mut wire, &mut self.marker);
        let (commands, pages) = (wire.commands, wire.page.map_or_else(Vec::new, |page| page.seen));
        let end = match (&plan.disturbance, outcome.killed) {
            (_, false) => CallEnd::Exited(i32::from(outcome.exit)),
            (Some(Disturbance::Cut(_)), true) => CallEnd::PowerLost,
            (_, true) => CallEnd::Killed(9),
        };
        Ok(CallResult {
            end,
            stdout: outcome.stdout,
            stderr: outcome.stderr,
            commands,
            operations: self.machine.take_ops(),
            pages,
        })
    }

    fn nvram(&mut self, arguments: &[&[u8]]) -> Result<CommandResult, TargetError> {
        self.machine.take_ops();
        let outcome = self.machine.run(arguments);
        Ok(CommandResult {
            stdout: outcome.stdout,
            stderr: outcome.stderr,
            code: match outcome.exit {
                Exit::Code(code) => Some(i32::from(code)),
                Exit::PowerLost => None,
            },
            operations: self.machine.take_ops(),
        })
    }

    fn power_off(&mut self) -> Result<(), TargetError> {
        self.machine.reboot();
        self.marker = MemoryMarker::default();
        Ok(())
    }

    fn machine(&mut self) -> Result<Cow<'_, Machine>, TargetError> {
        Ok(Cow::Borrowed(&self.machine))
    }

    fn replace(&mut self, machine: Machine) -> Result<(), TargetError> {
        self.machine = machine;
        Ok(())
    }
}
