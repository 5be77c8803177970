//! An undisturbed call with the state of the router around each of its commands.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use dnsmasq_model::ScriptCall;
use lease_script::{IntentLog, Lock, MemoryIntentLog, Nvram, NvramOutput, OperationError, Outcome};
use nvram_emu::device::{Flash, Op};
use nvram_emu::{Exit, Machine};

use super::call::{CallOptions, NvramCommand};
use super::error::BackendError;
use super::external_script::ExternalScript;
use super::file_history::FileHistory;
use super::function::Function;
use super::in_process::{InProcess, script_call};
use super::router_files::RouterFiles;

/// An undisturbed call of the script with the state of the router around each of its `nvram` commands.
#[derive(Clone, Debug)]
pub struct CallTrace {
    /// Output and exit code of the script.
    pub outcome: Outcome,
    /// The `nvram` commands of the script, in order.
    pub commands: Vec<CommandSnapshot>,
    /// How the script changed persistent files, if it did.
    pub history: Option<Arc<FileHistory>>,
}

/// One `nvram` command of a call.
#[derive(Clone, Debug)]
pub struct CommandSnapshot {
    /// The arguments of the command.
    pub arguments: Vec<Vec<u8>>,
    /// Its exit code; `None` if it did not end.
    pub code: Option<i32>,
    /// The router before the command.
    pub before: Arc<InProcess>,
    /// The router after the command; shared with `before` if nothing changed.
    pub after: Arc<InProcess>,
    /// The flash operations of the command.
    pub operations: Vec<Op>,
    /// The flash before each of the operations.
    pub flash_history: Vec<Flash>,
}

impl InProcess {
    /// Makes an undisturbed call, and keeps the state of the router before and after each command.
    pub fn trace_call(&mut self, call: &ScriptCall) -> CallTrace {
        if let Function::Process(script) = &*self.script {
            return self.trace_external_call(&Arc::clone(script), call);
        }
        let ram_key = std::mem::take(&mut self.ram_key);
        self.begin();
        let intent_log = Rc::new(RefCell::new(std::mem::take(&mut self.intent_log)));
        let mut nvram = RecordingNvram {
            machine: &mut self.machine,
            intent_log: intent_log.clone(),
            script: &self.script,
            ram_key,
            commands: Vec::new(),
        };
        let outcome = self.script.invoke(
            &script_call(call),
            &mut nvram,
            &mut SharedIntentLog(intent_log.clone()),
        );
        let commands = nvram.commands;
        self.intent_log = intent_log.take();
        if let Some(last) = commands.last().filter(|last| last.after.intent_log == self.intent_log)
        {
            self.ram_key = last.after.ram_key.clone();
        }
        CallTrace { outcome, commands, history: None }
    }

    /// [`InProcess::trace_call`] for an external script, whose commands are repeated on the device in memory.
    fn trace_external_call(&mut self, script: &ExternalScript, call: &ScriptCall) -> CallTrace {
        self.begin();
        let plan = CallOptions { record_files: true, ..CallOptions::default() };
        let done = match script.call((&self.machine, &self.files, self.clock), call, &plan) {
            Ok(done) => done,
            Err(fault) => {
                script.record_error(fault);
                return CallTrace {
                    outcome: Outcome { killed: true, ..Outcome::default() },
                    commands: Vec::new(),
                    history: None,
                };
            }
        };
        let history = done.history.clone().filter(|history| !history.is_empty()).map(Arc::new);
        let mut seen = Arc::clone(&self.files.persistent);
        let mut made = 0;
        let mut commands = Vec::new();
        for (nth, (NvramCommand { arguments, code }, (before, after))) in
            (1..).zip(done.result.commands.iter().zip(&done.ram_around_commands))
        {
            if let Some(history) = &history
                && history.before_command(nth) != made
            {
                made = history.before_command(nth);
                seen = Arc::new(history.seen_after(made));
            }
            let words: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
            self.files =
                RouterFiles { ram: Arc::new(before.clone()), persistent: Arc::clone(&seen) };
            let before = Arc::new(self.clone());
            self.machine.board_mut().flash.keep_history();
            self.machine.run(&words);
            let flash_history = self.machine.board_mut().flash.take_history();
            let operations = self.machine.take_ops();
            self.files.ram = Arc::new(after.clone());
            let after = Arc::new(self.clone());
            let arguments = arguments.clone();
            commands.push(CommandSnapshot {
                arguments,
                code: *code,
                before,
                after,
                operations,
                flash_history,
            });
        }
        if self.machine.flash_bytes() != done.machine.flash_bytes()
            || self.machine.ram_bytes() != done.machine.ram_bytes()
        {
            let text = "cannot reproduce the nvram commands of the script: it runs several at a time, or writes NVRAM in another way";
            script.record_error(BackendError::Script(text.to_owned()));
        }
        self.files = done.files.clone();
        CallTrace { outcome: done.outcome(), commands, history }
    }
}

/// Access to NVRAM that keeps the state of the router around each command.
struct RecordingNvram<'a> {
    machine: &'a mut Machine,
    intent_log: Rc<RefCell<MemoryIntentLog>>,
    script: &'a Arc<Function>,
    /// The RAM key of the router before the first command.
    ram_key: OnceLock<u64>,
    commands: Vec<CommandSnapshot>,
}

impl RecordingNvram<'_> {
    /// The current router, or `before` if nothing has changed.
    fn keep(&mut self, before: Option<&Arc<InProcess>>) -> Arc<InProcess> {
        let intent_log = self.intent_log.borrow();
        let same = |before: &&Arc<InProcess>| {
            before.intent_log == *intent_log && before.machine.shares_state(self.machine)
        };
        match before.filter(same) {
            Some(before) => Arc::clone(before),
            None => {
                let (machine, script) = (self.machine.clone(), Arc::clone(self.script));
                let mut router = InProcess::of(machine, intent_log.clone(), script);
                router.ram_key = std::mem::take(&mut self.ram_key);
                Arc::new(router)
            }
        }
    }
}

impl Nvram for RecordingNvram<'_> {
    fn run(&mut self, arguments: &[&[u8]]) -> Result<NvramOutput, OperationError> {
        let last = self.commands.last().map(|command| Arc::clone(&command.after));
        let before = self.keep(last.as_ref());
        self.machine.board_mut().flash.keep_history();
        let outcome = self.machine.run(arguments);
        let flash_history = self.machine.board_mut().flash.take_history();
        let operations = self.machine.take_ops();
        let Exit::Code(code) = outcome.exit else { return Err(OperationError::Killed) };
        let arguments = arguments.iter().map(|word| word.to_vec()).collect();
        let after = self.keep(Some(&before));
        self.commands.push(CommandSnapshot {
            arguments,
            code: Some(i32::from(code)),
            before,
            after,
            operations,
            flash_history,
        });
        Ok(NvramOutput { stdout: outcome.stdout, stderr: outcome.stderr, code: i32::from(code) })
    }
}

/// The intent log of a call, which [`RecordingNvram`] copies while the script uses it.
struct SharedIntentLog(Rc<RefCell<MemoryIntentLog>>);

impl IntentLog for SharedIntentLog {
    fn has_folder(&mut self) -> Result<bool, OperationError> {
        self.0.borrow_mut().has_folder()
    }

    fn has_entries(&mut self) -> Result<bool, OperationError> {
        self.0.borrow_mut().has_entries()
    }

    fn lock(&mut self) -> Result<Lock, OperationError> {
        self.0.borrow_mut().lock()
    }

    fn wait(&mut self) -> Result<(), OperationError> {
        self.0.borrow_mut().wait()
    }

    fn clear(&mut self) -> Result<(), OperationError> {
        self.0.borrow_mut().clear()
    }
}
