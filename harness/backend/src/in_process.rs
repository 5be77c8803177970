//! The in-process back end: the script is a function that uses a device in memory.

use std::any::Any;
use std::borrow::Cow;
use std::cell::RefCell;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use lease_script::journal;
use lease_script::{
    Call, Config, Environment, IntentLog, Lock, MemoryIntentLog, Nvram, NvramOutput,
    OperationError, Outcome,
};
use nvram_emu::device::{Flash, Op};
use nvram_emu::dialect::FlashLoad;
use nvram_emu::{Exit, Machine};

use super::backend::Backend;
use super::call::{CallEnd, CallOptions, CallResult, CommandResult, NvramCommand, Origin};
use super::error::BackendError;
use super::external_script::{ExternalResult, ExternalScript};
use super::fault_injector::{FaultAction, FaultInjector};
use super::file_history::FileHistory;
use super::naive;
use super::process::FileTree;
use super::router_files::RouterFiles;
use super::router_path::RouterPath;
use disk_model::{Disk, WriteOrdering};
use dnsmasq_model::{Clock, ScriptCall};
use sandbox::{Node, Octets};
use scenario::digest;
use scenario::{Disturbance, Unsynced};

/// A script that runs in process.
#[derive(Clone, Debug)]
pub enum Function {
    /// `lease-update` with this configuration.
    LeaseUpdate(Config),
    /// The naive script, modelled on that of 2006.
    Naive,
    /// A function without an intent log.
    Custom(fn(&Call, &mut dyn Nvram) -> Outcome),
    /// A function with an intent log in RAM.
    CustomWithLog(fn(&Call, &mut dyn Nvram, &mut dyn IntentLog) -> Outcome),
    /// An external script.
    Process(Arc<ExternalScript>),
}

impl Function {
    /// Makes one call.
    pub fn invoke(
        &self,
        call: &Call,
        nvram: &mut dyn Nvram,
        intent_log: &mut dyn IntentLog,
    ) -> Outcome {
        match self {
            Self::LeaseUpdate(config) => lease_script::run(call, config, nvram, intent_log),
            Self::Naive => naive::run(call, nvram),
            Self::Custom(script) => script(call, nvram),
            Self::CustomWithLog(script) => script(call, nvram, intent_log),
            Self::Process(_) => {
                let stderr = b"an external script cannot be called as a function\n".to_vec();
                Outcome { stdout: Vec::new(), stderr, exit: u8::MAX, killed: false }
            }
        }
    }
}

/// A router in memory. Clones share unchanged state.
#[derive(Clone, Debug)]
pub struct InProcess {
    machine: Machine,
    intent_log: MemoryIntentLog,
    script: Arc<Function>,
    /// The files that an external script keeps.
    files: RouterFiles,
    /// How the last call changed the persistent files, if a power cut makes a difference.
    last_call: Option<Arc<FileHistory>>,
    /// The clocks that an external script sees.
    clock: Option<Clock>,
    ram_key: OnceLock<u64>,
    /// The folder of the journals, if leases are kept in journals.
    folder: Option<Disk>,
}

/// The journal of a router in memory.
const JOURNAL: &str = "dhcpd.leases";

impl InProcess {
    /// A router that has just booted.
    pub fn new(machine: Machine, script: Function) -> Self {
        Self::of(machine, MemoryIntentLog::default(), Arc::new(script))
    }

    /// `backend` as an in-process router, if it is one.
    pub fn downcast(backend: &dyn Backend) -> Option<&Self> {
        backend.as_any()?.downcast_ref()
    }

    /// Must be called before every change.
    fn begin(&mut self) {
        self.ram_key = OnceLock::new();
        self.machine.take_ops();
    }

    fn of(machine: Machine, intent_log: MemoryIntentLog, script: Arc<Function>) -> Self {
        let persistent = match &*script {
            Function::Process(script) => Arc::new(script.storage().first.clone()),
            _ => Arc::default(),
        };
        Self {
            machine,
            intent_log,
            script,
            files: RouterFiles { persistent, ..RouterFiles::default() },
            last_call: None,
            clock: None,
            ram_key: OnceLock::new(),
            folder: None,
        }
    }

    /// Keeps leases in journals instead of NVRAM.
    #[must_use]
    pub fn with_journal(mut self) -> Self {
        self.folder = Some(Disk::new(WriteOrdering::Reordering));
        self
    }

    /// A call that keeps leases in journals; `None` if they are kept in NVRAM.
    fn journal_call(&mut self, call: &Call, web_page: bool) -> Option<CallResult> {
        let (Function::LeaseUpdate(config), Some(folder)) = (&*self.script, &mut self.folder)
        else {
            return None;
        };
        let mut run = |call: &Call| {
            let outcome = journal::run(call, config, JOURNAL.as_ref(), folder, 0);
            folder.close_all();
            let wrote = !folder.take_steps().iter().all(|step| step.text.starts_with("fsync"));
            (outcome, wrote)
        };
        let init = Call::new([b"init".to_vec()], Environment::default());
        let mut pages = Vec::new();
        let mut view_page = |run: &mut dyn FnMut(&Call) -> (Outcome, bool)| {
            if web_page {
                let (seen, _) = run(&init);
                pages.push((seen.stdout, Some(i32::from(seen.exit))));
            }
        };
        view_page(&mut run);
        let (outcome, wrote) = run(call);
        view_page(&mut run);
        let is_init = call.args.first().is_some_and(|word| word == b"init");
        Some(CallResult {
            end: CallEnd::Exited(i32::from(outcome.exit)),
            stdout: outcome.stdout,
            stderr: outcome.stderr,
            commands: Vec::new(),
            operations: Vec::new(),
            // The first `init` creates the file.
            wrote_journal: wrote && !is_init,
            stored_late: false,
            lost_delayed_writes: false,
            origin: Origin::Call,
            pages,
        })
    }

    /// The device: flash and NVRAM contents in RAM.
    pub fn device(&self) -> &Machine {
        &self.machine
    }

    /// The intent log of the script.
    pub fn intent_log(&self) -> &MemoryIntentLog {
        &self.intent_log
    }

    /// Keeps the error of a call of an external script, for [`ExternalScript::take_error`].
    pub fn record_error(&self, error: BackendError) {
        if let Function::Process(script) = &*self.script {
            script.record_error(error);
        }
    }

    /// This router after a reboot.
    #[must_use]
    pub fn rebooted(&self) -> Self {
        let mut machine = self.machine.clone();
        machine.reboot();
        machine.take_ops();
        let mut router = Self::of(machine, MemoryIntentLog::default(), Arc::clone(&self.script));
        router.files.persistent = Arc::clone(&self.files.persistent);
        router.clock = self.clock;
        router
    }

    /// This router with other persistent files, as a power cut may leave them.
    #[must_use]
    pub fn with_persistent_files(mut self, files: FileTree) -> Self {
        self.files.persistent = Arc::new(files);
        self
    }

    /// A fingerprint of what a power cut does not erase: the flash and the persistent files.
    pub fn medium_key(&self) -> u128 {
        let flash = self.machine.flash().fingerprint();
        match &*self.script {
            Function::Process(_) => digest::join(flash, digest::of(&self.files.persistent)),
            _ => flash,
        }
    }

    /// This router after a reboot with another flash.
    #[must_use]
    pub fn rebooted_with(&self, flash: &Flash) -> Self {
        let mut router = self.rebooted();
        router.machine.board_mut().flash = flash.clone();
        router.machine.board_mut().flash.power_on();
        router.machine.take_ops();
        router
    }

    /// A fingerprint of what a power cut erases: NVRAM contents in RAM, intent log, and files in RAM.
    pub fn ram_key(&self) -> u64 {
        *self.ram_key.get_or_init(|| {
            let ram = self
                .machine
                .board()
                .ram
                .fold(0, |sum, text| digest::join(sum, digest::of_bytes(text) as u64));
            digest::of(&(ram, &self.intent_log, &self.files.ram))
        })
    }

    /// The flash, for damaging it.
    pub fn flash_mut(&mut self) -> &mut Flash {
        &mut self.machine.board_mut().flash
    }

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

    /// This router with an external script instead of its own.
    #[must_use]
    pub fn with_script(&self, script: &Arc<ExternalScript>) -> Self {
        let function = Arc::new(Function::Process(Arc::clone(script)));
        let mut router = Self::of(self.machine.clone(), MemoryIntentLog::default(), function);
        router.clock = self.clock;
        match &*self.script {
            Function::Process(_) => router.files = self.files.clone(),
            Function::LeaseUpdate(config)
                if self.intent_log.clone().has_folder().is_ok_and(|has| has) =>
            {
                router.files.ram = Arc::new(empty_folder(&config.run_folder()));
            }
            _ => {}
        }
        router
    }

    /// Boots the device, from a flash whose cached load is `load`.
    pub fn boot(&mut self, load: Option<&FlashLoad>) {
        if let Some(load) = load {
            self.machine.cache_load(load);
        }
        self.machine.boot();
    }

    /// The result of `init` after a boot, and the number of its commands if all of them only read. The image is loaded only
    /// once, whereas a router loads it for each command.
    pub fn read_init(&self) -> (Outcome, Option<u32>) {
        // The load is cached in the machine, and shared by its clones.
        self.machine.load_flash();
        if let Function::Process(script) = &*self.script {
            let init =
                ScriptCall { argv: vec![Vec::new(), b"init".to_vec()], ..ScriptCall::default() };
            let state = (&self.machine, &self.files, self.clock);
            let done = script.call(state, &init, &CallOptions::default());
            let outcome = done.map_or_else(
                |fault| {
                    script.record_error(fault);
                    Outcome { killed: true, ..Outcome::default() }
                },
                ExternalResult::outcome,
            );
            return (outcome, None);
        }
        let call = Call::new([b"init".to_vec()], Environment::default());
        let mut nvram = ReadCounter { machine: self.machine.clone(), commands: 0, reads: true };
        let mut intent_log = self.intent_log.clone();
        let outcome = self.script.invoke(&call, &mut nvram, &mut intent_log);
        let reads = nvram.reads && intent_log == self.intent_log;
        (outcome, reads.then_some(nvram.commands))
    }
}

/// A folder below one of the folders in RAM.
fn empty_folder(path: &Path) -> FileTree {
    let mut tree = FileTree::default();
    let below_root = path.strip_prefix("/").unwrap_or(path);
    // The folder in RAM itself is there after a boot.
    for folder in below_root.ancestors().filter(|folder| folder.components().count() > 1) {
        tree.0.insert(Octets(folder.as_os_str().as_bytes().to_vec()), Node::folder());
    }
    tree
}

/// NVRAM access that counts commands and records whether all of them only read.
struct ReadCounter {
    machine: Machine,
    commands: u32,
    reads: bool,
}

/// Whether an `nvram` command only reads, by its first word.
pub fn is_reading(word: &[u8]) -> bool {
    matches!(word, b"get" | b"show" | b"info")
}

impl Nvram for ReadCounter {
    fn run(&mut self, arguments: &[&[u8]]) -> Result<NvramOutput, OperationError> {
        self.commands += 1;
        self.reads &= arguments.first().is_none_or(|word| is_reading(word));
        let outcome = self.machine.run(arguments);
        let Exit::Code(code) = outcome.exit else { return Err(OperationError::Killed) };
        Ok(NvramOutput { stdout: outcome.stdout, stderr: outcome.stderr, code: i32::from(code) })
    }
}

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

fn script_call(call: &ScriptCall) -> Call {
    let environment = call.env.iter().map(|(name, value)| (name.as_str(), value.clone()));
    Call::new(call.argv.iter().skip(1).cloned(), environment.collect())
}

/// NVRAM access of a call, with fault injection.
struct FaultyNvram<'a> {
    machine: &'a mut Machine,
    injector: FaultInjector<'a>,
    commands: Vec<NvramCommand>,
    /// The web page that calls `init` around each command, if there is one.
    page: Option<Page<'a>>,
}

/// A web page that calls `init`, and the results of its calls: output and exit code.
struct Page<'a> {
    script: &'a Function,
    seen: Vec<(Vec<u8>, Option<i32>)>,
}

impl<'a> FaultyNvram<'a> {
    fn new(machine: &'a mut Machine, disturbance: Option<&'a Disturbance>) -> Self {
        Self {
            machine,
            injector: FaultInjector::new(disturbance, 0),
            commands: Vec::new(),
            page: None,
        }
    }

    /// Records the exit code of the last command.
    fn record_code(&mut self, code: i32) {
        if let Some(last) = self.commands.last_mut() {
            last.code = Some(code);
        }
    }

    fn view_page(&mut self) {
        if let Some(Page { script, seen }) = &mut self.page {
            let mut nvram = FaultyNvram::new(self.machine, None);
            let call = Call::new([b"init".to_vec()], Environment::default());
            let outcome = script.invoke(&call, &mut nvram, &mut MemoryIntentLog::default());
            seen.push((outcome.stdout, Some(i32::from(outcome.exit))));
        }
    }
}

impl Nvram for FaultyNvram<'_> {
    fn run(&mut self, arguments: &[&[u8]]) -> Result<NvramOutput, OperationError> {
        self.view_page();
        let words = arguments.iter().map(|word| word.to_vec()).collect();
        self.commands.push(NvramCommand { arguments: words, code: None });
        let machine = &mut *self.machine;
        let fault = self.injector.next(arguments, || dry_run(machine, arguments));
        match fault {
            FaultAction::Kill(done) => {
                if done > 0
                    && let Exit::Code(code) = machine.run(&arguments[..done]).exit
                {
                    self.record_code(i32::from(code));
                }
                return Err(OperationError::Killed);
            }
            FaultAction::Fail(done) => {
                if done > 0 {
                    machine.run(&arguments[..done]);
                }
                let stderr = b"nvram: made to fail\n".to_vec();
                self.record_code(1);
                return Ok(NvramOutput { stdout: Vec::new(), stderr, code: 1 });
            }
            FaultAction::During(cut) => machine.arm_cut(cut.op, cut.byte),
            FaultAction::None => {}
        }
        let outcome = machine.run(arguments);
        // A cut that this command did not reach must not affect the next one.
        machine.board_mut().flash.arm(None);
        let Exit::Code(code) = outcome.exit else { return Err(OperationError::Killed) };
        self.record_code(i32::from(code));
        self.view_page();
        Ok(NvramOutput { stdout: outcome.stdout, stderr: outcome.stderr, code: i32::from(code) })
    }
}

/// The flash operations that a command would make, without changing the machine.
fn dry_run(machine: &Machine, arguments: &[&[u8]]) -> Vec<nvram_emu::device::Op> {
    let mut fork = machine.clone();
    fork.take_ops();
    fork.run(arguments);
    fork.take_ops()
}

impl Backend for InProcess {
    fn call(&mut self, call: &ScriptCall, plan: &CallOptions) -> Result<CallResult, BackendError> {
        self.begin();
        if let Function::Process(script) = &*self.script {
            let done = script.call((&self.machine, &self.files, self.clock), call, plan)?;
            (self.machine, self.files) = (done.machine, done.files);
            self.last_call = done.history.map(Arc::new);
            return Ok(done.result);
        }
        let call = script_call(call);
        if let Some(result) = self.journal_call(&call, plan.web_page) {
            return Ok(result);
        }
        let mut nvram = FaultyNvram::new(&mut self.machine, plan.disturbance.as_ref());
        nvram.page = plan.web_page.then_some(Page { script: &self.script, seen: Vec::new() });
        let outcome = self.script.invoke(&call, &mut nvram, &mut self.intent_log);
        let (commands, pages) =
            (nvram.commands, nvram.page.map_or_else(Vec::new, |page| page.seen));
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
            wrote_journal: false,
            stored_late: false,
            lost_delayed_writes: false,
            origin: Origin::Call,
            pages,
        })
    }

    fn nvram(&mut self, arguments: &[&[u8]]) -> Result<CommandResult, BackendError> {
        self.begin();
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

    fn power_off(&mut self) -> Result<(), BackendError> {
        self.begin();
        self.machine.reboot();
        self.intent_log = MemoryIntentLog::default();
        self.files.ram = Arc::default();
        let last_call = self.last_call.take();
        if let (Function::Process(script), Some(history)) = (&*self.script, last_call)
            && script.storage().unsynced == Unsynced::Lost
            && !history.is_empty()
        {
            self.files.persistent = Arc::new(history.synced());
        }
        if let Some(folder) = &mut self.folder {
            folder.lose_power();
        }
        Ok(())
    }

    fn set_clock(&mut self, clock: Clock) {
        self.clock = Some(clock);
    }

    fn write_file(&mut self, path: &str, contents: Option<&[u8]>) -> Result<(), BackendError> {
        let path = RouterPath::parse(path).map_err(BackendError::Message)?;
        self.begin();
        let (files, name) = match path {
            RouterPath::Ram(name) => (&mut self.files.ram, name),
            RouterPath::Persistent(name) => (&mut self.files.persistent, name),
        };
        Arc::make_mut(files).set(&name, contents);
        Ok(())
    }

    fn files(&mut self) -> Result<RouterFiles, BackendError> {
        Ok(self.files.clone())
    }

    fn read_file(&mut self, path: &str) -> Result<Option<Vec<u8>>, BackendError> {
        let path = RouterPath::parse(path).map_err(BackendError::Message)?;
        let (files, name) = match &path {
            RouterPath::Ram(name) => (&self.files.ram, name),
            RouterPath::Persistent(name) => (&self.files.persistent, name),
        };
        Ok(files.contents(name).map(<[u8]>::to_vec))
    }

    fn peek_init(&self) -> Option<Vec<u8>> {
        if self.folder.is_some() || matches!(*self.script, Function::Process(_)) {
            return None;
        }
        let (outcome, commands) = self.read_init();
        (commands.is_some() && outcome.exit == 0 && !outcome.killed).then_some(outcome.stdout)
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }

    fn machine(&mut self) -> Result<Cow<'_, Machine>, BackendError> {
        Ok(Cow::Borrowed(&self.machine))
    }

    fn replace(&mut self, machine: Machine) -> Result<(), BackendError> {
        self.begin();
        self.machine = machine;
        Ok(())
    }
}
