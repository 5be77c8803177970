//! The in-process back end: the script is a function that uses a device in memory.

use std::any::Any;
use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use disk_model::{Disk, WriteOrdering};
use dnsmasq_model::{Clock, ScriptCall};
use lease_script::{Call, Environment, IntentLog as _, MemoryIntentLog, Outcome, journal};
use nvram_emu::device::Flash;
use nvram_emu::dialect::FlashLoad;
use nvram_emu::{Exit, Machine};
use sandbox::{Node, Octets};
use scenario::{Disturbance, Unsynced, digest};

use super::backend::Backend;
use super::call::{CallEnd, CallOptions, CallResult, CommandResult};
use super::error::BackendError;
use super::external_script::{ExternalResult, ExternalScript};
use super::faulty_nvram::{FaultyNvram, Page};
use super::file_history::FileHistory;
use super::function::Function;
use super::process::FileTree;
use super::read_counter::ReadCounter;
use super::router_files::RouterFiles;
use super::router_path::RouterPath;

/// A router in memory. Clones share unchanged state.
#[derive(Clone, Debug)]
pub struct InProcess {
    pub(crate) machine: Machine,
    pub(crate) intent_log: MemoryIntentLog,
    pub(crate) script: Arc<Function>,
    /// The files that an external script keeps.
    pub(crate) files: RouterFiles,
    /// How the last call changed the persistent files, if a power cut makes a difference.
    last_call: Option<Arc<FileHistory>>,
    /// The clocks that an external script sees.
    pub(crate) clock: Option<Clock>,
    pub(crate) ram_key: OnceLock<u64>,
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
    pub(crate) fn begin(&mut self) {
        self.ram_key = OnceLock::new();
        self.machine.take_ops();
    }

    pub(crate) fn of(machine: Machine, intent_log: MemoryIntentLog, script: Arc<Function>) -> Self {
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
            stdout: outcome.stdout,
            stderr: outcome.stderr,
            // The first `init` creates the file.
            wrote_journal: wrote && !is_init,
            pages,
            ..CallResult::ended(CallEnd::Exited(i32::from(outcome.exit)))
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

pub(crate) fn script_call(call: &ScriptCall) -> Call {
    let environment = call.env.iter().map(|(name, value)| (name.as_str(), value.clone()));
    Call::new(call.argv.iter().skip(1).cloned(), environment.collect())
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
            stdout: outcome.stdout,
            stderr: outcome.stderr,
            commands,
            operations: self.machine.take_ops(),
            pages,
            ..CallResult::ended(end)
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
