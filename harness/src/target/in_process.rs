//! The target of function calls: the script as a function over a machine in memory.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use lease_script::{
    Call, Config, Environment, Marker, MemoryMarker, Nvram, NvramOutput, Outcome, killed,
};
use nvram_emu::device::Op;
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
    /// A caller's own.
    Other(fn(&Call, &mut dyn Nvram) -> Outcome),
}

impl Function {
    /// Makes one call.
    pub fn invoke(&self, call: &Call, nvram: &mut dyn Nvram, marker: &mut dyn Marker) -> Outcome {
        match self {
            Self::Ours(config) => lease_script::run(call, config, nvram, marker),
            Self::Naive => naive::run(call, nvram),
            Self::Other(script) => script(call, nvram),
        }
    }
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

    /// Flash and RAM.
    pub fn board(&self) -> &Machine {
        &self.machine
    }

    /// The marker of the project's own script.
    pub fn marker(&self) -> &MemoryMarker {
        &self.marker
    }

    /// The same router with other bytes in its flash, power gone and back.
    #[must_use]
    pub fn rebooted_with(&self, changed: Option<(u32, &[u8])>) -> Self {
        let mut machine = self.machine.clone();
        if let Some((offset, bytes)) = changed {
            machine.board_mut().flash.overwrite(offset, bytes);
        }
        machine.reboot();
        machine.take_ops();
        Self { machine, marker: MemoryMarker::default(), script: self.script.clone() }
    }

    /// The router after a command in which power went.
    #[must_use]
    pub fn cut_in(&self, arguments: &[Vec<u8>], op: u64, byte: u32) -> Self {
        let mut cut = self.clone();
        let words: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
        cut.machine.arm_cut(op, byte);
        cut.machine.run(&words);
        cut.rebooted_with(None)
    }

    /// Makes a call undisturbed, and keeps the router as it was on both sides of each command.
    pub fn trail(&mut self, call: &ScriptCall) -> Trail {
        self.machine.take_ops();
        let marker = Rc::new(RefCell::new(std::mem::take(&mut self.marker)));
        let mut wire = TrailWire {
            machine: &mut self.machine,
            marker: marker.clone(),
            script: &self.script,
            steps: Vec::new(),
        };
        let outcome =
            self.script.invoke(&script_call(call), &mut wire, &mut SharedMarker(marker.clone()));
        let steps = wire.steps;
        self.marker = marker.take();
        Trail { outcome, steps }
    }

    /// `init` after a boot: its outcome, and the variables that it found. The image is loaded once for
    /// `show` and once for all `get`s, which a router does for each.
    pub fn read_init(&self) -> (Outcome, Option<Loaded>) {
        let mut wire = ReadingWire { machine: self.machine.clone(), variables: OnceCell::new() };
        let call = Call::new([b"init".to_vec()], Environment::default());
        let outcome = self.script.invoke(&call, &mut wire, &mut MemoryMarker::default());
        wire.load();
        (outcome, wire.variables.into_inner().flatten())
    }
}

/// The variables that a loaded image holds, by name.
pub type Loaded = HashMap<Vec<u8>, Vec<u8>>;

/// A call undisturbed, command by command.
#[derive(Clone, Debug)]
pub struct Trail {
    /// What the script printed and returned.
    pub outcome: Outcome,
    /// Its `nvram` commands.
    pub steps: Vec<TrailStep>,
}

/// One `nvram` command of a call.
#[derive(Clone, Debug)]
pub struct TrailStep {
    /// Its words.
    pub arguments: Vec<Vec<u8>>,
    /// The router before it.
    pub before: InProcess,
    /// The router after it.
    pub after: InProcess,
    /// Its flash operations.
    pub operations: Vec<Op>,
}

struct TrailWire<'a> {
    machine: &'a mut Machine,
    marker: Rc<RefCell<MemoryMarker>>,
    script: &'a Function,
    steps: Vec<TrailStep>,
}

impl TrailWire<'_> {
    fn keep(&self) -> InProcess {
        let (machine, marker) = (self.machine.clone(), self.marker.borrow().clone());
        InProcess { machine, marker, script: self.script.clone() }
    }
}

impl Nvram for TrailWire<'_> {
    fn run(&mut self, arguments: &[&[u8]]) -> std::io::Result<NvramOutput> {
        let before = self.keep();
        let outcome = self.machine.run(arguments);
        let operations = self.machine.take_ops();
        let Exit::Code(code) = outcome.exit else { return Err(killed()) };
        let arguments = arguments.iter().map(|word| word.to_vec()).collect();
        self.steps.push(TrailStep { arguments, before, after: self.keep(), operations });
        Ok(NvramOutput { stdout: outcome.stdout, stderr: outcome.stderr, code: i32::from(code) })
    }
}

struct SharedMarker(Rc<RefCell<MemoryMarker>>);

impl Marker for SharedMarker {
    fn read(&mut self) -> std::io::Result<Vec<Vec<u8>>> {
        self.0.borrow_mut().read()
    }

    fn note(&mut self, notes: &[Vec<u8>], keep: bool) -> std::io::Result<()> {
        self.0.borrow_mut().note(notes, keep)
    }

    fn clear(&mut self) -> std::io::Result<()> {
        self.0.borrow_mut().clear()
    }
}

/// A router that is only read: `get` of a variable that is there needs no second look at the image.
struct ReadingWire {
    machine: Machine,
    variables: OnceCell<Option<Loaded>>,
}

impl ReadingWire {
    fn load(&self) -> Option<&Loaded> {
        self.variables
            .get_or_init(|| Some(self.machine.ram_variables()?.into_iter().collect()))
            .as_ref()
    }
}

impl Nvram for ReadingWire {
    fn run(&mut self, arguments: &[&[u8]]) -> std::io::Result<NvramOutput> {
        if let [b"get", name] = arguments
            && let Some(value) = self.load().and_then(|variables| variables.get(*name))
            && !value.is_empty()
        {
            let stdout = [value, b"\n".as_slice()].concat();
            return Ok(NvramOutput { stdout, stderr: Vec::new(), code: 0 });
        }
        let outcome = self.machine.run(arguments);
        let Exit::Code(code) = outcome.exit else { return Err(killed()) };
        Ok(NvramOutput { stdout: outcome.stdout, stderr: outcome.stderr, code: i32::from(code) })
    }
}

fn script_call(call: &ScriptCall) -> Call {
    let environment = call.env.iter().map(|(name, value)| (name.as_str(), value.clone()));
    Call::new(call.argv.iter().skip(1).cloned(), environment.collect())
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
            let outcome = script.invoke(&call, &mut wire, &mut MemoryMarker::default());
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

impl Target for InProcess {
    fn call(&mut self, call: &ScriptCall, plan: &Plan) -> Result<CallResult, TargetError> {
        self.machine.take_ops();
        let call = script_call(call);
        let mut wire = Wire {
            machine: &mut self.machine,
            striker: Striker::new(plan.disturbance.as_ref(), 0),
            commands: Vec::new(),
            page: plan.web_page.then_some(Page { script: &self.script, seen: Vec::new() }),
        };
        let outcome = self.script.invoke(&call, &mut wire, &mut self.marker);
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

    fn in_process(&self) -> Option<&InProcess> {
        Some(self)
    }

    fn machine(&mut self) -> Result<Cow<'_, Machine>, TargetError> {
        Ok(Cow::Borrowed(&self.machine))
    }

    fn replace(&mut self, machine: Machine) -> Result<(), TargetError> {
        self.machine = machine;
        Ok(())
    }
}
