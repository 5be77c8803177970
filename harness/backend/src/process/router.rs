//! The back end of real processes: a real shell runs the real script, which runs the emulated `nvram` over a flash file.
//!
//! Each router has its own agent process and its own scratch folder:
//!
//! | entry of the folder | contents |
//! |---|---|
//! | `bin/` | the script, `nvram` and `lease-update` |
//! | `flash` | the flash, byte for byte; survives a power cut |
//! | `staging` | the NVRAM contents in RAM |
//! | `tmp/` | the files in RAM, `/tmp` to scripts in a private root |
//! | `jffs/` | the journals, if there are any; survives a power cut |
//! | `operations` | log of the flash operations since the last call |
//! | `commands`, `ram-files` | log of the `nvram` commands of a call, and of the files in RAM around them |

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use nvram_emu::Machine;
use nvram_emu::device::Op;
use tempfile::TempDir;

use super::agent_client::AgentClient;
use super::private_root;
use super::protocol::{Octets, Program, ProgramEnd, ProgramResult, Request};
use super::ram_files::{self, RamFiles};
use super::scratch::{empty_folder, remove_if_exists, scratch_folder};
use super::script::{ScriptCommand, explain_start_failure, place_script, reject_absolute_nvram};
use super::settings::Settings;
use super::shim;
use crate::backend::Backend;
use crate::call::{CallEnd, CallOptions, CallResult, CommandResult, NvramCommand};
use crate::error::BackendError;
use crate::router_path::RouterPath;
use dnsmasq_model::ScriptCall;
use scenario::Disturbance;

/// A router whose script calls are real processes.
#[derive(Debug)]
pub struct Process {
    // Declared before `folder` and so dropped first: the agent must have ended when the folder is removed.
    agent: AgentClient,
    folder: TempDir,
    /// The device as it was created: dialect and geometry do not change.
    template: Machine,
    script: Vec<String>,
    environment: BTreeMap<String, String>,
    limit_ms: u64,
    /// Whether leases are kept in journals in the folder [`JOURNAL_FOLDER`].
    journal: bool,
}

/// The folder of the journals, which survives a power cut.
const JOURNAL_FOLDER: &str = "jffs";
/// The journals of DHCPv4 and DHCPv6.
const JOURNAL_NAMES: [&str; 2] = ["dhcpd.leases", "dhcpd6.leases"];

impl Process {
    /// Creates the scratch folder and starts the agent.
    ///
    /// # Errors
    /// If the scratch folder or the agent cannot be created, or the script cannot be read.
    pub fn new(
        machine: Machine,
        script: &ScriptCommand,
        settings: &Settings,
    ) -> Result<Self, BackendError> {
        let folder =
            scratch_folder().map_err(|e| BackendError::environment("a scratch folder", &e))?;
        let path = folder.path();
        let made = (|| {
            fs::create_dir(path.join("bin"))?;
            fs::create_dir(path.join("tmp"))?;
            // The private root mounts the executable over this link, since the executable itself may lie below
            // the /tmp that scripts do not see.
            symlink(&settings.leaselab, path.join(private_root::LEASELAB))?;
            symlink("leaselab", path.join("bin/nvram"))?;
            symlink("leaselab", path.join("bin/lease-update"))
        })();
        made.map_err(|e: io::Error| BackendError::environment("the scratch folder", &e))?;
        let file = place_script(&script.file, path)?;
        let agent = AgentClient::start(path, settings)?;
        if let Some(why) = agent.refused() {
            reject_absolute_nvram(&file, why)?;
        }
        let mut words = script.shell.clone();
        words.push(file.to_string_lossy().into_owned());
        let environment = environment_of(&machine, path, script, agent.refused().is_some());
        let mut process = Self {
            agent,
            folder,
            template: machine.clone(),
            script: words,
            environment,
            limit_ms: settings.limit_ms,
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
        let store = format!("journal:{}", folder.join(JOURNAL_NAMES[0]).display());
        self.environment.insert("LEASE_STORE".to_owned(), store);
        self.journal = true;
        Ok(self)
    }

    /// The file at a path of the router.
    fn file(&self, path: &str) -> Result<PathBuf, BackendError> {
        match RouterPath::parse(path).map_err(BackendError::Message)? {
            RouterPath::Ram(name) => Ok(self.path("tmp").join(name)),
            RouterPath::Persistent(_) => Err(BackendError::Message(format!(
                "{path}: only files below /tmp can be written in this root"
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

    /// Why scripts have no private root, if they have none.
    pub fn refused_private_root(&self) -> Option<&str> {
        self.agent.refused()
    }

    /// Replaces the whole state of the router: flash, NVRAM contents in RAM, and the files in RAM.
    ///
    /// # Errors
    /// If the scratch folder cannot be written.
    pub fn restore(&mut self, machine: &Machine, files: &RamFiles) -> Result<(), BackendError> {
        self.power_off()?;
        self.replace(machine.clone())?;
        ram_files::write(&self.path("tmp"), files)
            .map_err(|e| BackendError::environment("the RAM of the scratch folder", &e))
    }

    /// The files in RAM.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn files(&self) -> Result<RamFiles, BackendError> {
        ram_files::read(&self.path("tmp"))
            .map_err(|e| BackendError::environment("the RAM of the scratch folder", &e))
    }

    /// The files in RAM before and after each `nvram` command of the last call.
    pub fn take_ram_files(&self) -> Vec<(RamFiles, RamFiles)> {
        ram_files::take_log(&self.path(ram_files::LOG))
    }

    /// The programs of a script call: the script, and the `init` call of the web page if there is one.
    pub fn programs(&self, call: &ScriptCall, options: &CallOptions) -> Vec<Program> {
        let mut extra =
            vec![(shim::COMMANDS, self.path("commands").to_string_lossy().into_owned())];
        if let Some(disturbance) = &options.disturbance {
            extra.push((shim::DISTURBANCE, disturbance.to_string()));
        }
        if options.record_ram_files {
            extra.push((shim::SCRATCH, self.folder.path().to_string_lossy().into_owned()));
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
    /// If the script could not be started.
    pub fn result(
        &self,
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
        let end =
            match script.end.map_err(|why| BackendError::Script(explain_start_failure(&why)))? {
                ProgramEnd::Signalled(9) if cut => CallEnd::PowerLost,
                ProgramEnd::Exited(code) => CallEnd::Exited(code),
                ProgramEnd::Signalled(signal) => CallEnd::Killed(signal),
                ProgramEnd::TimedOut => CallEnd::TimedOut,
            };
        Ok(CallResult {
            end,
            stdout: script.stdout.0,
            stderr: script.stderr.0,
            commands: self.take_commands(),
            operations: self.take_operations()?,
            wrote_journal: false,
            pages,
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

    /// The path of an entry of the scratch folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a program without a time limit, with its output going to the file `log`. Returns its process id.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(&mut self, program: Program, log: &Path) -> Result<i32, BackendError> {
        let started: Result<i32, String> =
            self.agent.ask(&Request::Start(program, log.to_owned()))?;
        started.map_err(BackendError::Environment)
    }

    /// Sends a signal to the program that [`Process::start`] started last.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub fn signal(&mut self, signal: i32) -> Result<(), BackendError> {
        self.agent.ask(&Request::Signal(signal))
    }

    /// Waits until the program that [`Process::start`] started last has ended. `None` if there is none.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub fn reap(&mut self) -> Result<Option<ProgramEnd>, BackendError> {
        self.agent.ask(&Request::Reap)
    }

    fn program(&self, argv: Vec<Octets>, extra: &[(&str, String)]) -> Program {
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

    fn take_operations(&self) -> Result<Vec<Op>, BackendError> {
        let path = self.path("operations");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
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
        let path = self.path("commands");
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
        let done = self.agent.run(programs)?;
        let mut result = self.result(done, options)?;
        result.wrote_journal =
            call.action() != b"init" && versions_before != self.journal_versions();
        Ok(result)
    }

    fn nvram(&mut self, arguments: &[&[u8]]) -> Result<CommandResult, BackendError> {
        let nvram = self.path("bin/nvram");
        let mut argv = vec![Octets(nvram.to_string_lossy().into_owned().into_bytes())];
        argv.extend(arguments.iter().map(|word| Octets(word.to_vec())));
        let program = self.program(argv, &[]);
        let done = self.agent.run(vec![program])?.pop().ok_or_else(BackendError::no_agent)?;
        let code = match done.end.map_err(BackendError::Environment)? {
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
        self.agent.kill_stragglers()?;
        let result = (|| {
            remove_if_exists(&self.path("staging"))?;
            empty_folder(&self.path("tmp"))
        })();
        result.map_err(|e| BackendError::environment("the RAM of the scratch folder", &e))
    }

    fn write_file(&mut self, path: &str, contents: Option<&[u8]>) -> Result<(), BackendError> {
        let file = self.file(path)?;
        let written = match contents {
            Some(contents) => write_replacing(&file, contents),
            None => remove_if_exists(&file),
        };
        written.map_err(|e| BackendError::environment(&format!("{path} of the router"), &e))
    }

    fn read_file(&mut self, path: &str) -> Result<Option<Vec<u8>>, BackendError> {
        match fs::read(self.file(path)?) {
            Ok(contents) => Ok(Some(contents)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BackendError::environment(&format!("{path} of the router"), &error)),
        }
    }

    fn machine(&mut self) -> Result<Cow<'_, Machine>, BackendError> {
        let read = (|| {
            let flash = fs::read(self.path("flash"))?;
            let staging = match fs::read(self.path("staging")) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                other => Some(other?),
            };
            Ok((flash, staging))
        })();
        let (flash, staging) =
            read.map_err(|e: io::Error| BackendError::environment("the flash file", &e))?;
        self.template.with_contents(&flash, staging).map(Cow::Owned).ok_or_else(|| {
            BackendError::Environment("the script changed the size of the flash file".to_owned())
        })
    }

    fn replace(&mut self, machine: Machine) -> Result<(), BackendError> {
        let written = (|| {
            fs::write(self.path("flash"), machine.flash_bytes())?;
            match machine.ram_bytes() {
                Some(ram) => fs::write(self.path("staging"), ram),
                None => remove_if_exists(&self.path("staging")),
            }
        })();
        written.map_err(|e| BackendError::environment("the flash file", &e))
    }
}

/// Writes a new file and renames it, as an editor does, so that a reader never sees a part of it.
fn write_replacing(file: &Path, contents: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    // The name begins with a dot, so that dnsmasq does not read it as a file of a `--dhcp-hostsdir`.
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let new = file.with_file_name(format!(".{name}.new"));
    fs::write(&new, contents)?;
    fs::rename(new, file)
}

fn environment_of(
    machine: &Machine,
    scratch: &Path,
    script: &ScriptCommand,
    shared_root: bool,
) -> BTreeMap<String, String> {
    let path = |name: &str| scratch.join(name).to_string_lossy().into_owned();
    let board = machine.board();
    let mut environment = BTreeMap::from([
        ("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", path("bin"))),
        ("LC_ALL", "C".to_owned()),
        ("LEASE_NVRAM", path("bin/nvram")),
        ("NVRAM_EMU_FLASH", path("flash")),
        ("NVRAM_EMU_STAGING", path("staging")),
        ("NVRAM_EMU_LOG", path("operations")),
        ("NVRAM_EMU_DIALECT", machine.dialect().name().to_owned()),
        ("NVRAM_EMU_ERASE", board.flash.geometry().erase_block.to_string()),
        ("NVRAM_EMU_SPACE", board.space.to_string()),
    ]);
    if shared_root {
        environment.insert("LEASE_RUN", path("tmp"));
        environment.insert("TMPDIR", path("tmp"));
    }
    environment
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .chain(script.environment.clone())
        .collect()
}
