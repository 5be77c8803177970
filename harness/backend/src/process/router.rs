//! The back end of real processes: a real shell runs the real script, which runs the emulated `nvram` over a flash file.
//!
//! Each router has its own agent process and its own scratch folder:
//!
//! | entry of the folder | contents |
//! |---|---|
//! | `bin/` | the script, `nvram` and `lease-update` |
//! | `flash` | the flash, byte for byte; survives a power cut |
//! | `staging` | the NVRAM contents in RAM |
//! | `ram/` | the files in RAM: `/tmp`, `/run` and `/var` of a sandbox |
//! | `uptime` | `/proc/uptime` of a sandbox |
//! | `root/` | mount point of the root of a sandbox |
//! | `jffs/` | the journals, if there are any; survives a power cut |
//! | `operations` | log of the flash operations since the last call |
//! | `commands`, `ram-files` | log of the `nvram` commands of a call, and of the files in RAM around them |
//!
//! The persistent files are in the memory of the sandbox, because their size is limited; the agent reads and writes them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nvram_emu::Machine;
use nvram_emu::device::Op;

use sandbox::clock::Time;
use sandbox::{FileTree, InnerRoot, Isolation, read_plain, write_plain};

use super::agent::COMMAND_LOG;
use super::agent_client::AgentClient;
use super::environment::{environment_of, seen_scratch};
use super::files::{MAX_FILE, remove_if_exists, write_executable};
use super::interpreter::Interpreter;
use super::protocol::{
    Handshake, Octets, Program, ProgramEnd, ProgramResult, Ran, Request, Run, StartError,
};
use super::ram_files;
use super::script::{ScriptCommand, place_script, reject_absolute_nvram, start_failure};
use super::settings::Settings;
use super::shim;
use super::storage::Storage;
use crate::backend::Backend;
use crate::call::{CallEnd, CallOptions, CallResult, CommandResult, NvramCommand, Origin};
use crate::error::BackendError;
use crate::file_fault::FileFault;
use crate::file_history::FileHistory;
use crate::router_files::RouterFiles;
use crate::router_path::RouterPath;
use dnsmasq_model::{Clock, ScriptCall};
use scenario::{Disturbance, Unsynced};

/// A router whose script calls are real processes.
#[derive(Debug)]
pub struct Process {
    // Declared before `folder` and so dropped first: the agent must have ended when the folder is removed.
    pub(super) agent: AgentClient,
    pub(super) folder: scratch::Folder,
    /// The device as it was created: dialect and geometry do not change.
    template: Machine,
    script: Vec<String>,
    /// How the user names the script.
    pub(super) script_shown: String,
    /// What runs the script, until it is known to work.
    pub(super) unchecked_interpreter: Option<Interpreter>,
    environment: BTreeMap<String, String>,
    limit_ms: u64,
    pub(super) isolation: Isolation,
    storage: Arc<Storage>,
    /// Whether the agent records changes of persistent files.
    watches_files: bool,
    /// The clocks that scripts see.
    pub(super) time: Option<Time>,
    /// How the last call changed the persistent files.
    last_call: Option<FileHistory>,
    /// The changes of persistent files that a power cut can lose.
    unsynced: Option<FileHistory>,
    /// Whether processes sleep that calls have left running.
    sleeping: bool,
    /// Whether leases are kept in journals in the folder [`JOURNAL_FOLDER`].
    journal: bool,
}

/// Where a file of the router is.
#[derive(Debug)]
enum Place {
    /// In RAM: the path relative to the folder of the files in RAM.
    Ram(PathBuf),
    /// In a persistent folder: the path relative to the router's root.
    Persistent(String),
}

/// What scripts find as `service` and as `/etc/init.d/dnsmasq`. It signals the first process of the sandbox.
const SERVICE: &str = include_str!("service.sh");

/// The folder of the journals, which survives a power cut.
const JOURNAL_FOLDER: &str = "jffs";
/// The journals of DHCPv4 and DHCPv6.
const JOURNAL_NAMES: [&str; 2] = ["dhcpd.leases", "dhcpd6.leases"];

impl Process {
    /// Creates the scratch folder and starts the agent.
    ///
    /// # Errors
    /// If the scratch folder, the agent or its sandbox cannot be created, or the script cannot be read.
    pub fn new(
        machine: Machine,
        script: &ScriptCommand,
        settings: &Settings,
    ) -> Result<Self, BackendError> {
        let storage = &script.storage;
        let watches_files = storage.has_faults || storage.unsynced == Unsynced::Lost;
        Self::with_supervision(machine, script, settings, watches_files)
    }

    /// Like [`Self::new`]; [`Self::take_history`] then returns how each call changed the persistent files.
    ///
    /// # Errors
    /// See [`Self::new`].
    pub fn watching_files(
        machine: Machine,
        script: &ScriptCommand,
        settings: &Settings,
    ) -> Result<Self, BackendError> {
        Self::with_supervision(machine, script, settings, true)
    }

    fn with_supervision(
        machine: Machine,
        script: &ScriptCommand,
        settings: &Settings,
        watches_files: bool,
    ) -> Result<Self, BackendError> {
        let folder = scratch::Folder::new()
            .map_err(|e| BackendError::environment("a scratch folder", &e))?;
        let path = folder.path();
        let isolation = settings.isolation;
        let storage = Arc::clone(&script.storage);
        let made = (|| {
            fs::create_dir(path.join("bin"))?;
            fs::create_dir(path.join(sandbox::RAM_FOLDER))?;
            fresh_ram(&storage).write(&path.join(sandbox::RAM_FOLDER))?;
            let executable = path.join(sandbox::LEASELAB);
            match isolation {
                Isolation::None => symlink(&settings.leaselab, executable)?,
                // The sandbox mounts the executable over this file.
                Isolation::Full | Isolation::SharedNetwork => fs::write(executable, "")?,
            }
            for index in 0..settings.programs.len() {
                fs::write(path.join(sandbox::Root::program_name(index)), "")?;
            }
            if isolation == Isolation::Full {
                write_executable(&path.join("bin").join(sandbox::SERVICE), SERVICE.as_bytes())?;
            }
            symlink("leaselab", path.join("bin/nvram"))?;
            symlink("leaselab", path.join("bin/lease-update"))
        })();
        made.map_err(|e: io::Error| BackendError::environment("the scratch folder", &e))?;
        let placed = place_script(script, path)?;
        let copy = path.join("bin").join(&placed.name);
        if isolation == Isolation::None {
            reject_absolute_nvram(&copy)?;
        }
        let seen = seen_scratch(path, isolation);
        let script_path = match placed.original.as_deref().and_then(Path::file_name) {
            Some(name) if isolation != Isolation::None => sandbox::Root::script_path(name),
            _ => seen.join("bin").join(&placed.name),
        };
        let root = sandbox::Root {
            scratch: path.to_owned(),
            leaselab: settings.leaselab.clone(),
            persistent: storage.folders.clone(),
            // The files that exist at first do not count.
            size: storage.size.map(|size| size + storage.first.pages() * 4096),
            programs: settings.programs.clone(),
            script: placed.original.map(|original| (original, copy)),
        };
        let handshake = Handshake { isolation, root, watches_files, files: storage.first.clone() };
        let agent = AgentClient::start(&settings.leaselab, &handshake)?;
        let mut words = script.shell.clone();
        words.push(script_path.to_string_lossy().into_owned());
        let environment = environment_of(&machine, &seen, script, isolation);
        let mut process = Self {
            agent,
            folder,
            template: machine.clone(),
            script: words,
            script_shown: placed.shown,
            unchecked_interpreter: placed.interpreter,
            environment,
            limit_ms: settings.limit_ms,
            isolation,
            storage,
            watches_files: watches_files && isolation != Isolation::None,
            time: None,
            last_call: None,
            unsynced: None,
            sleeping: false,
            journal: false,
        };
        process.replace(machine)?;
        Ok(process)
    }

    /// Keeps leases in journals instead of NVRAM, in a folder that survives power cuts.
    ///
    /// # Errors
    /// If the folder cannot be created.
    pub fn with_journal(mut self) -> Result<Self, BackendError> {
        let folder = self.path(JOURNAL_FOLDER);
        fs::create_dir(&folder).map_err(|e| BackendError::environment("the scratch folder", &e))?;
        let seen = self.seen(JOURNAL_FOLDER);
        let store = format!("journal:{}", seen.join(JOURNAL_NAMES[0]).display());
        self.environment.insert("LEASE_STORE".to_owned(), store);
        self.journal = true;
        Ok(self)
    }

    /// Where a file of the router is.
    fn place(&self, path: &str) -> Result<Place, BackendError> {
        let parsed = RouterPath::parse(path).map_err(BackendError::Message)?;
        let is_below = |folder: &String| {
            path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        if self.isolation != Isolation::None && self.storage.folders.iter().any(is_below) {
            return Ok(Place::Persistent(path[1..].to_owned()));
        }
        match parsed {
            RouterPath::Ram(name)
                if self.isolation != Isolation::None || name.starts_with("tmp/") =>
            {
                Ok(Place::Ram(PathBuf::from(name)))
            }
            _ if self.isolation == Isolation::None => Err(BackendError::Message(format!(
                "{path}: without a sandbox only files below /tmp can be written; leave out --no-sandbox"
            ))),
            _ => Err(BackendError::Message(format!(
                "{path}: neither in RAM nor in a persistent folder, which are {}; `persistent` in `[router]` names others",
                self.storage.folders.join(", ")
            ))),
        }
    }

    /// Inode and length of each journal, which change with every write.
    fn journal_versions(&self) -> Vec<Option<(u64, u64)>> {
        let version = |name: &&str| {
            let data = fs::metadata(self.path(JOURNAL_FOLDER).join(name)).ok()?;
            Some((data.ino(), data.len()))
        };
        if self.journal { JOURNAL_NAMES.iter().map(version).collect() } else { Vec::new() }
    }

    /// Why scripts see the machine's clock instead of the router's, if they do.
    pub fn machine_clock(&self) -> Option<&str> {
        match self.isolation {
            Isolation::None => Some("there is no sandbox"),
            Isolation::Full | Isolation::SharedNetwork => self.agent.clock_refused(),
        }
    }

    /// How far scripts are kept away from the machine.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Replaces the whole state of the router: flash, NVRAM contents in RAM, the files in RAM and the persistent files.
    ///
    /// # Errors
    /// If the files cannot be written.
    pub fn restore(&mut self, machine: &Machine, files: &RouterFiles) -> Result<(), BackendError> {
        self.agent.kill_stragglers(None)?;
        self.replace(machine.clone())?;
        self.write_ram(&files.ram)?;
        self.last_call = None;
        self.unsynced = None;
        if self.isolation != Isolation::None {
            self.agent.write_files(FileTree::clone(&files.persistent))?;
        }
        Ok(())
    }

    /// How the last call changed the persistent files, if the router watches them.
    pub fn take_history(&mut self) -> Option<FileHistory> {
        self.unsynced = None;
        self.last_call.take()
    }

    fn ram(&self) -> io::Result<InnerRoot> {
        InnerRoot::open(&self.path(sandbox::RAM_FOLDER))
    }

    fn write_ram(&self, files: &FileTree) -> Result<(), BackendError> {
        let mut all = fresh_ram(&self.storage);
        all.0.extend(files.0.iter().map(|(name, node)| (name.clone(), node.clone())));
        all.write(&self.path(sandbox::RAM_FOLDER))
            .map_err(|e| BackendError::environment("the files in RAM", &e))
    }

    /// The files in RAM before and after each `nvram` command of the last call.
    pub fn take_ram_files(&self) -> Vec<(FileTree, FileTree)> {
        ram_files::take_log(&self.path(ram_files::LOG))
    }

    /// The programs of a script call: the script, and the `init` call of the web page if there is one.
    pub fn programs(&self, call: &ScriptCall, options: &CallOptions) -> Vec<Program> {
        let mut extra =
            vec![(shim::COMMANDS, self.seen(COMMAND_LOG).to_string_lossy().into_owned())];
        if let Some(disturbance) = &options.disturbance {
            extra.push((shim::DISTURBANCE, disturbance.to_string()));
        }
        if options.record_files {
            extra.push((shim::SCRATCH, self.seen("").to_string_lossy().into_owned()));
        }
        let mut programs = vec![self.script_program(call, &extra)];
        if options.web_page {
            let init =
                ScriptCall { argv: vec![Vec::new(), b"init".to_vec()], ..Default::default() };
            programs.push(self.script_program(&init, &[]));
        }
        programs
    }

    /// Converts the results of the programs of a script call.
    ///
    /// # Errors
    /// If the script could not be started, or what runs it does not work.
    pub fn result(
        &mut self,
        done: Vec<ProgramResult>,
        options: &CallOptions,
    ) -> Result<CallResult, BackendError> {
        let mut done = done.into_iter();
        let script = done.next().ok_or_else(BackendError::no_agent)?;
        let pages = done
            .map(|page| match page.end {
                Ok(ProgramEnd::Exited(code)) => (page.stdout.0, Some(code)),
                _ => (page.stdout.0, None),
            })
            .collect();
        let cut = matches!(options.disturbance, Some(Disturbance::Cut(_)));
        let end = match script.end.map_err(|error| self.start_failure(error))? {
            ProgramEnd::Signalled(9) if cut => CallEnd::PowerLost,
            ProgramEnd::Exited(code) => CallEnd::Exited(code),
            ProgramEnd::Signalled(signal) => CallEnd::Killed(signal),
            ProgramEnd::TimedOut => CallEnd::TimedOut,
        };
        if matches!(end, CallEnd::Exited(1..)) {
            self.check_interpreter()?;
        }
        Ok(CallResult {
            stdout: script.stdout.0,
            stderr: script.stderr.0,
            commands: self.take_commands(),
            operations: self.take_operations()?,
            pages,
            ..CallResult::ended(end)
        })
    }

    /// Sets an environment variable for all later script calls.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// The environment variables of script calls, without those of dnsmasq.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// Time limit for a script call in milliseconds.
    pub fn limit_ms(&self) -> u64 {
        self.limit_ms
    }

    /// The path of an entry of the scratch folder, as scripts see it.
    pub fn seen(&self, name: &str) -> PathBuf {
        seen_scratch(self.folder.path(), self.isolation).join(name)
    }

    /// The path of an entry of the scratch folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Reads an entry of the scratch folder. A script may have replaced it: does not follow links, and waits for no pipe.
    ///
    /// # Errors
    /// If it cannot be read, or is not a regular file.
    pub fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        read_plain(&self.path(name), MAX_FILE)
    }

    /// Why the script or what runs it could not be started.
    pub(super) fn start_failure(&self, error: StartError) -> BackendError {
        let path = if self.script.len() == 1 { self.script.last() } else { None };
        start_failure(error, path, &self.script_shown)
    }

    pub(super) fn program(&self, argv: Vec<Octets>, extra: &[(&str, String)]) -> Program {
        let octets = |text: &str| Octets(text.as_bytes().to_vec());
        let mut environment: BTreeMap<Octets, Octets> =
            self.environment.iter().map(|(k, v)| (octets(k), octets(v))).collect();
        environment.extend(extra.iter().map(|(k, v)| (octets(k), octets(v))));
        Program { argv, environment, limit_ms: self.limit_ms }
    }

    fn script_program(&self, call: &ScriptCall, extra: &[(&str, String)]) -> Program {
        let mut argv: Vec<Octets> =
            self.script.iter().map(|word| Octets(word.as_bytes().to_vec())).collect();
        argv.extend(call.argv.iter().skip(1).map(|word| Octets(word.clone())));
        let mut program = self.program(argv, extra);
        for (name, value) in &call.env {
            program.environment.insert(Octets(name.as_bytes().to_vec()), Octets(value.clone()));
        }
        program
    }

    /// A script that fails because the scratch folder is full has no fault.
    fn check_space(&self) -> Result<(), BackendError> {
        let place = self.folder.path();
        let full = scratch::is_full(place)
            .map_err(|error| BackendError::environment("the scratch folder", &error))?;
        if !full {
            return Ok(());
        }
        Err(BackendError::Environment(format!(
            "no space is left in {}, where the files of the router lie",
            place.parent().unwrap_or(place).display()
        )))
    }

    fn take_operations(&self) -> Result<Vec<Op>, BackendError> {
        let path = self.path("operations");
        let text = match read_plain(&path, MAX_FILE) {
            Ok(text) => String::from_utf8_lossy(&text).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(BackendError::environment("the operation log", &error)),
        };
        fs::remove_file(&path).map_err(|e| BackendError::environment("the operation log", &e))?;
        let operations: Option<Vec<Op>> = text.lines().map(shim::parse_operation).collect();
        operations.ok_or_else(|| {
            BackendError::Environment(format!("{}: not a log of flash operations", path.display()))
        })
    }

    fn take_commands(&self) -> Vec<NvramCommand> {
        let path = self.path(COMMAND_LOG);
        let commands = shim::read_commands(&path);
        _ = fs::remove_file(&path);
        commands
    }
}

impl Backend for Process {
    fn call(
        &mut self,
        call: &ScriptCall,
        options: &CallOptions,
    ) -> Result<CallResult, BackendError> {
        let programs = self.programs(call, options);
        let versions_before = self.journal_versions();
        let origin = if self.sleeping || self.path("operations").exists() {
            Origin::CallOrEarlierProcesses
        } else {
            Origin::Call
        };
        let fault = FileFault::of(options.disturbance.as_ref());
        if fault.is_some() && self.isolation == Isolation::None {
            let text =
                "power cuts and kills at changes of files need the sandbox; leave out --no-sandbox";
            return Err(BackendError::Message(text.to_owned()));
        }
        let before = if self.watches_files
            && (options.record_files || fault.is_some() || self.storage.unsynced == Unsynced::Lost)
        {
            Some(self.agent.read_files()?)
        } else {
            None
        };
        let stop = fault.map(FileFault::changes);
        let run = Run { programs, time: self.time, watch: before.is_some(), stop };
        let Ran { results, mut changes, stored_late, sleeping, left_running, signals } =
            self.agent.run(run)?;
        self.sleeping = sleeping;
        let stopped = stop.map(|stop| stop as usize).filter(|stop| changes.len() >= *stop);
        let is_ahead = stopped.is_some_and(|stop| changes.len() > stop);
        changes.truncate(stopped.unwrap_or(changes.len()));
        let ordering = self.storage.ordering;
        self.last_call = before.map(|before| FileHistory::new(before, changes, ordering));
        // An `init` call that only reads can be the lab's own, at the same moment as the call before it.
        if let Some(history) = &self.last_call
            && self.storage.unsynced == Unsynced::Lost
            && (call.action() != b"init" || !history.is_empty())
        {
            self.unsynced = Some(history.clone());
        }
        let mut result = self.result(results, options)?;
        result.stored_late = stored_late;
        result.left_running = left_running;
        result.signals = signals;
        result.origin = origin;
        if let (Some(fault), Some(_), Some(history)) = (fault, stopped, &self.last_call) {
            let left = fault.files_left(history);
            result.end = fault.end();
            result.lost_delayed_writes = left.needs_delayed_writes;
            if result.end == CallEnd::PowerLost {
                self.unsynced = None;
            }
            if is_ahead || fault.loses_changes() {
                self.agent.write_files(left.files)?;
            }
        }
        if result.end != CallEnd::Exited(0) {
            self.check_space()?;
        }
        result.wrote_journal =
            call.action() != b"init" && versions_before != self.journal_versions();
        Ok(result)
    }

    fn nvram(&mut self, arguments: &[&[u8]]) -> Result<CommandResult, BackendError> {
        let nvram = self.seen("bin/nvram");
        let mut argv = vec![Octets(nvram.to_string_lossy().into_owned().into_bytes())];
        argv.extend(arguments.iter().map(|word| Octets(word.to_vec())));
        let program = self.program(argv, &[]);
        let run = Run { programs: vec![program], time: self.time, watch: false, stop: None };
        let done = self.agent.run(run)?.results.pop().ok_or_else(BackendError::no_agent)?;
        let code = match done.end.map_err(|error| BackendError::Environment(error.to_string()))? {
            ProgramEnd::Exited(code) => Some(code),
            _ => None,
        };
        Ok(CommandResult {
            stdout: done.stdout.0,
            stderr: done.stderr.0,
            code,
            operations: self.take_operations()?,
        })
    }

    fn power_off(&mut self) -> Result<(), BackendError> {
        self.agent.kill_stragglers(self.time)?;
        remove_if_exists(&self.path("staging"))
            .map_err(|e| BackendError::environment("the RAM of the scratch folder", &e))?;
        self.write_ram(&FileTree::default())?;
        self.last_call = None;
        if let Some(history) = self.unsynced.take()
            && !history.is_empty()
        {
            self.agent.write_files(history.synced())?;
        }
        Ok(())
    }

    fn set_clock(&mut self, clock: Clock) {
        let time = Time { wall: clock.wall, mono: clock.mono };
        self.time = Some(time);
        if self.sleeping {
            // An agent that does not answer now does not answer the next request, either.
            let _answer: Result<(), _> = self.agent.ask(&Request::SetClock(time));
        }
    }

    fn write_file(&mut self, path: &str, contents: Option<&[u8]>) -> Result<(), BackendError> {
        match self.place(path)? {
            Place::Ram(file) => {
                let written = self.ram().and_then(|ram| match contents {
                    Some(contents) => ram.replace(&file, contents),
                    None => ram.remove(&file),
                });
                written.map_err(|e| BackendError::environment(&format!("{path} of the router"), &e))
            }
            Place::Persistent(name) => {
                let mut files = self.agent.read_files()?;
                files.set(&name, contents);
                self.unsynced = None;
                self.agent.write_files(files)
            }
        }
    }

    fn files(&mut self) -> Result<RouterFiles, BackendError> {
        let ram = FileTree::read(&self.path(sandbox::RAM_FOLDER))
            .map_err(|e| BackendError::environment("the files in RAM", &e))?;
        let persistent = match self.isolation {
            Isolation::None => FileTree::default(),
            Isolation::Full | Isolation::SharedNetwork => self.agent.read_files()?,
        };
        Ok(RouterFiles { ram: Arc::new(ram), persistent: Arc::new(persistent) })
    }

    fn read_file(&mut self, path: &str) -> Result<Option<Vec<u8>>, BackendError> {
        match self.place(path)? {
            Place::Ram(file) => match self.ram().and_then(|ram| ram.read(&file, MAX_FILE)) {
                Ok(contents) => Ok(Some(contents)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => {
                    Err(BackendError::environment(&format!("{path} of the router"), &error))
                }
            },
            Place::Persistent(name) => {
                Ok(self.agent.read_files()?.contents(&name).map(<[u8]>::to_vec))
            }
        }
    }

    fn machine(&mut self) -> Result<Cow<'_, Machine>, BackendError> {
        let read = (|| {
            let flash = self.read("flash")?;
            let staging = match self.read("staging") {
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                other => Some(other?),
            };
            Ok((flash, staging))
        })();
        let (flash, staging) =
            read.map_err(|e: io::Error| BackendError::environment(FLASH_FILE, &e))?;
        self.template.with_contents(&flash, staging).map(Cow::Owned).ok_or_else(|| {
            BackendError::Environment("the script changed the size of the flash file".to_owned())
        })
    }

    fn replace(&mut self, machine: Machine) -> Result<(), BackendError> {
        let written = (|| {
            write_plain(&self.path("flash"), &machine.flash_bytes())?;
            match machine.ram_bytes() {
                Some(ram) => write_plain(&self.path("staging"), &ram),
                None => remove_if_exists(&self.path("staging")),
            }
        })();
        written.map_err(|e| BackendError::environment(FLASH_FILE, &e))
    }
}

/// The flash file in an error message: only a script that has changed the folder makes it unreadable.
const FLASH_FILE: &str = "the flash file in /.leaselab, a folder that scripts must not change";

fn fresh_ram(storage: &Storage) -> FileTree {
    sandbox::fresh_ram(storage.folders.iter().map(String::as_str))
}
