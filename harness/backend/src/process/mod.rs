//! The target of real processes: a real shell runs the real script, which runs the fake `nvram` over
//! a flash file. One scratch folder and one agent for each run.

pub mod agent;
mod files;
mod private_root;
pub mod protocol;
pub mod shim;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use nvram_emu::Machine;
use nvram_emu::device::Op;
use tempfile::TempDir;

use super::{CallEnd, CallResult, CommandResult, Plan, Target, TargetError};
use dnsmasq_model::ScriptCall;
pub use files::Files;
pub use protocol::Root;
pub use protocol::{Done, End, Octets, Program};
use protocol::{Hello, Ready, Request};

/// The name under which `leaselab` is its own agent.
pub const AGENT_NAME: &str = "leaselab-agent";

/// The script under test, as a file and what runs it.
#[derive(Clone, Debug)]
pub struct ScriptCommand {
    /// What is written into the scratch folder and run.
    pub file: ScriptFile,
    /// The shell and its arguments; empty: the script's own first line decides.
    pub shell: Vec<String>,
    /// LEASE_* and whatever else the scenario sets.
    pub environment: BTreeMap<String, String>,
}

/// Where the script comes from.
#[derive(Clone, Debug)]
pub enum ScriptFile {
    /// A text of our own.
    BuiltIn(&'static str, &'static str),
    /// `leaselab` itself under the name `lease-update`.
    LeaseUpdate,
    /// A file.
    Path(PathBuf),
}

/// What the process target needs besides the script.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `leaselab` executable, which answers to `nvram`, `lease-update` and the agent's name.
    pub leaselab: PathBuf,
    /// After how many milliseconds a script is taken for hung.
    pub limit_ms: u64,
    /// Which view of the file system scripts get.
    pub root: Root,
}

/// A router made of processes.
#[derive(Debug)]
pub struct Process {
    // The agent ends before its folder goes.
    agent: Agent,
    folder: TempDir,
    /// As it was made: its configuration does not change.
    template: Machine,
    script: Vec<String>,
    environment: BTreeMap<String, String>,
    limit_ms: u64,
    /// Whether leases are kept in a journal in the folder [`JOURNALS`].
    journal: bool,
}

/// The folder of the journals: it survives a power cut.
const JOURNALS: &str = "jffs";
/// The journals in it.
const NAMES: [&str; 2] = ["dhcpd.leases", "dhcpd6.leases"];

impl Process {
    /// Makes the scratch folder and starts the agent.
    ///
    /// # Errors
    /// When the machine lacks what it takes, or the script cannot be read.
    pub fn new(
        machine: Machine,
        script: &ScriptCommand,
        settings: &Settings,
    ) -> Result<Self, TargetError> {
        let folder = scratch_folder().map_err(|e| environment("a scratch folder", &e))?;
        let path = folder.path();
        let made = (|| {
            fs::create_dir(path.join("bin"))?;
            fs::create_dir(path.join("tmp"))?;
            // One name for the executable, which the private root can mount over: it may lie below
            // the /tmp that scripts do not see.
            symlink(&settings.leaselab, path.join(private_root::LEASELAB))?;
            symlink("leaselab", path.join("bin/nvram"))?;
            symlink("leaselab", path.join("bin/lease-update"))
        })();
        made.map_err(|e: io::Error| environment("the scratch folder", &e))?;
        let file = place_script(&script.file, path)?;
        let agent = Agent::start(path, settings)?;
        if let Some(why) = &agent.refused {
            refuse_absolute_nvram(&file, why)?;
        }
        let mut words = script.shell.clone();
        words.push(file.to_string_lossy().into_owned());
        let environment = environment_of(&machine, path, script, agent.refused.is_some());
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

    /// The same with a folder for journals, in which leases are kept.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn with_journal(mut self) -> Result<Self, TargetError> {
        let folder = self.path(JOURNALS);
        fs::create_dir(&folder).map_err(|e| environment("the scratch folder", &e))?;
        let store = format!("journal:{}", folder.join(NAMES[0]).display());
        self.environment.insert("LEASE_STORE".to_owned(), store);
        self.journal = true;
        Ok(self)
    }

    /// What tells whether the journals were written to.
    fn journal_marks(&self) -> Vec<Option<(u64, u64)>> {
        let mark = |name: &&str| {
            let data = fs::metadata(self.path(JOURNALS).join(name)).ok()?;
            Some((data.ino(), data.len()))
        };
        if self.journal { NAMES.iter().map(mark).collect() } else { Vec::new() }
    }

    /// Why there is no private root, where one was asked for.
    pub fn refused_private_root(&self) -> Option<&str> {
        self.agent.refused.as_deref()
    }

    /// Another router in place of this one: flash, RAM, and the files in RAM.
    ///
    /// # Errors
    /// When the target's own files refuse.
    pub fn place(&mut self, machine: &Machine, files: &Files) -> Result<(), TargetError> {
        self.power_off()?;
        self.replace(machine.clone())?;
        files::write(&self.path("tmp"), files)
            .map_err(|e| environment("the RAM of the scratch folder", &e))
    }

    /// The files in RAM.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn files(&self) -> Result<Files, TargetError> {
        files::read(&self.path("tmp")).map_err(|e| environment("the RAM of the scratch folder", &e))
    }

    /// The files in RAM before and after each `nvram` command of the last call.
    pub fn take_beside(&self) -> Vec<(Files, Files)> {
        files::take_notes(&self.path("beside"))
    }

    /// The programs of a script call: the script, and the web page that looks on.
    pub fn programs(&self, call: &ScriptCall, plan: &Plan) -> Vec<Program> {
        let mut extra =
            vec![(shim::COMMANDS, self.path("commands").to_string_lossy().into_owned())];
        if let Some(disturbance) = &plan.disturbance {
            extra.push((shim::DISTURBANCE, disturbance.to_string()));
        }
        if plan.follow {
            extra.push((shim::FOLLOW, self.folder.path().to_string_lossy().into_owned()));
        }
        let mut programs = vec![self.script_program(call, &extra)];
        if plan.web_page {
            let init =
                ScriptCall { argv: vec![Vec::new(), b"init".to_vec()], ..Default::default() };
            programs.push(self.script_program(&init, &[]));
        }
        programs
    }

    /// What those programs did.
    ///
    /// # Errors
    /// When the script could not be started.
    pub fn result(&self, done: Vec<Done>, plan: &Plan) -> Result<CallResult, TargetError> {
        let mut done = done.into_iter();
        let script = done.next().ok_or_else(agent_fell_silent)?;
        let pages = done
            .map(|page| match page.end {
                Ok(End::Exited(code)) => (page.stdout.0, Some(code)),
                _ => (page.stdout.0, None),
            })
            .collect();
        let cut = matches!(plan.disturbance, Some(super::Disturbance::Cut(_)));
        let end = match script.end.map_err(|why| TargetError::Script(explain(&why)))? {
            End::Signalled(9) if cut => CallEnd::PowerLost,
            End::Exited(code) => CallEnd::Exited(code),
            End::Signalled(signal) => CallEnd::Killed(signal),
            End::Hung => CallEnd::Hung,
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

    /// A variable that every script gets from now on.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// The variables that every script gets.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// How long one call may take.
    pub fn limit_ms(&self) -> u64 {
        self.limit_ms
    }

    /// The scratch folder, or something in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a program that runs until it is killed, its output going to a file. Returns its process number.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, program: Program, log: &Path) -> Result<i32, TargetError> {
        let started: Result<i32, String> =
            self.agent.ask(&Request::Start(program, log.to_owned()))?;
        started.map_err(TargetError::Environment)
    }

    /// Sends a signal to the program started last.
    ///
    /// # Errors
    /// When the agent has gone.
    pub fn signal(&mut self, signal: i32) -> Result<(), TargetError> {
        self.agent.ask(&Request::Signal(signal))
    }

    /// How the program started last ended; waits for it.
    ///
    /// # Errors
    /// When the agent has gone.
    pub fn reap(&mut self) -> Result<Option<End>, TargetError> {
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

    fn take_operations(&self) -> Result<Vec<Op>, TargetError> {
        let path = self.path("operations");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(environment("the operation log", &error)),
        };
        fs::remove_file(&path).map_err(|e| environment("the operation log", &e))?;
        let operations: Option<Vec<Op>> = text.lines().map(shim::parse_operation).collect();
        operations.ok_or_else(|| {
            TargetError::Environment(format!("{}: not an operation log", path.display()))
        })
    }

    fn take_commands(&self) -> Vec<Vec<Vec<u8>>> {
        let path = self.path("commands");
        let commands = shim::read_commands(&path);
        _ = fs::remove_file(&path);
        commands
    }
}

impl Target for Process {
    fn call(&mut self, call: &ScriptCall, plan: &Plan) -> Result<CallResult, TargetError> {
        let programs = self.programs(call, plan);
        let marks = self.journal_marks();
        let done = self.agent.run(programs)?;
        let mut result = self.result(done, plan)?;
        result.wrote_journal = call.action() != b"init" && marks != self.journal_marks();
        Ok(result)
    }

    fn nvram(&mut self, arguments: &[&[u8]]) -> Result<CommandResult, TargetError> {
        let nvram = self.path("bin/nvram");
        let mut argv = vec![Octets(nvram.to_string_lossy().into_owned().into_bytes())];
        argv.extend(arguments.iter().map(|word| Octets(word.to_vec())));
        let program = self.program(argv, &[]);
        let done = self.agent.run(vec![program])?.pop().ok_or_else(agent_fell_silent)?;
        let code = match done.end.map_err(TargetError::Environment)? {
            End::Exited(code) => Some(code),
            _ => None,
        };
        Ok(CommandResult {
            stdout: done.stdout.0,
            stderr: done.stderr.0,
            code,
            operations: self.take_operations()?,
        })
    }

    fn power_off(&mut self) -> Result<(), TargetError> {
        self.agent.kill_stragglers()?;
        let emptied = (|| {
            remove_if_there(&self.path("staging"))?;
            empty_directory(&self.path("tmp"))
        })();
        emptied.map_err(|e| environment("the RAM of the scratch folder", &e))
    }

    fn machine(&mut self) -> Result<Cow<'_, Machine>, TargetError> {
        let read = (|| {
            let flash = fs::read(self.path("flash"))?;
            let staging = match fs::read(self.path("staging")) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                other => Some(other?),
            };
            Ok((flash, staging))
        })();
        let (flash, staging) = read.map_err(|e: io::Error| environment("the flash file", &e))?;
        self.template
            .with_contents(&flash, staging)
            .map(Cow::Owned)
            .ok_or_else(|| TargetError::Environment("the flash file changed its size".to_owned()))
    }

    fn replace(&mut self, machine: Machine) -> Result<(), TargetError> {
        let written = (|| {
            fs::write(self.path("flash"), machine.flash_bytes())?;
            match machine.ram_bytes() {
                Some(ram) => fs::write(self.path("staging"), ram),
                None => remove_if_there(&self.path("staging")),
            }
        })();
        written.map_err(|e| environment("the flash file", &e))
    }
}

/// The harness's end of the agent.
#[derive(Debug)]
struct Agent {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    refused: Option<String>,
}

impl Agent {
    fn start(scratch: &Path, settings: &Settings) -> Result<Self, TargetError> {
        let mut child = Command::new(&settings.leaselab)
            .arg0(AGENT_NAME)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| environment(&settings.leaselab.display().to_string(), &e))?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().ok_or_else(agent_fell_silent)?);
        let mut agent = Self { child, requests, answers, refused: None };
        let ready: Ready = agent.ask(&Hello {
            scratch: scratch.to_owned(),
            leaselab: settings.leaselab.clone(),
            root: settings.root,
        })?;
        agent.refused = match settings.root {
            Root::Shared => Some("no private root was asked for".to_owned()),
            Root::Private | Root::Mounts => ready.refused,
        };
        Ok(agent)
    }

    fn ask<Q: serde::Serialize, A: serde::de::DeserializeOwned>(
        &mut self,
        question: &Q,
    ) -> Result<A, TargetError> {
        let mut exchange = || -> io::Result<A> {
            let mut line = serde_json::to_vec(question)?;
            line.push(b'\n');
            let requests = self.requests.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
            requests.write_all(&line)?;
            requests.flush()?;
            line.clear();
            self.answers.read_until(b'\n', &mut line)?;
            Ok(serde_json::from_slice(&line)?)
        };
        exchange().map_err(|error| environment("the agent process", &error))
    }

    fn run(&mut self, programs: Vec<Program>) -> Result<Vec<Done>, TargetError> {
        self.ask(&Request::Run(programs))
    }

    fn kill_stragglers(&mut self) -> Result<(), TargetError> {
        self.ask(&Request::KillStragglers)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // At the end of its input the agent kills what is left and goes.
        self.requests = None;
        _ = self.child.wait();
    }
}

/// Why a script could not be started, with what to do about the usual reason.
fn explain(why: &str) -> String {
    if why.contains("Exec format error") {
        return format!("{why}: a script begins with a line such as #!/bin/sh, or takes --shell");
    }
    why.to_owned()
}

fn agent_fell_silent() -> TargetError {
    TargetError::Environment("the agent process fell silent".to_owned())
}

fn environment(what: &str, error: &io::Error) -> TargetError {
    TargetError::Environment(format!("{what}: {error}"))
}

/// A folder in memory where there is one, and never below /tmp, which scripts see another of.
fn scratch_folder() -> io::Result<TempDir> {
    let builder = || {
        let mut builder = tempfile::Builder::new();
        builder.prefix("leaselab-").permissions(fs::Permissions::from_mode(0o700));
        builder
    };
    let candidates = ["/dev/shm", "/run/shm", "/var/tmp"];
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for candidate in candidates {
        match builder().tempdir_in(candidate) {
            Ok(folder) => return Ok(folder),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn place_script(file: &ScriptFile, scratch: &Path) -> Result<PathBuf, TargetError> {
    let place = |name: &str, text: &[u8]| {
        let path = scratch.join("bin").join(name);
        fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)))
            .map_err(|e| environment("the scratch folder", &e))?;
        Ok(path)
    };
    match file {
        ScriptFile::BuiltIn(name, text) => place(name, text.as_bytes()),
        ScriptFile::LeaseUpdate => Ok(scratch.join("bin/lease-update")),
        ScriptFile::Path(path) => {
            let refuse = |e: &io::Error| TargetError::Script(format!("{}: {e}", path.display()));
            let metadata = fs::metadata(path).map_err(|e| refuse(&e))?;
            if metadata.is_dir() {
                return Err(TargetError::Script(format!("{} is a folder", path.display())));
            }
            // Outside the scratch folder it might lie below /tmp, which scripts see another of.
            let text = fs::read(path).map_err(|e| refuse(&e))?;
            let name = path.file_name().map_or("script".into(), |name| name.to_string_lossy());
            place(&format!("script-{name}"), &text)
        }
    }
}

/// Without a private root, a script that names `/usr/sbin/nvram` would run the machine's own, or none.
fn refuse_absolute_nvram(script: &Path, why: &str) -> Result<(), TargetError> {
    let text = fs::read(script).unwrap_or_default();
    let holds = |needle: &[u8]| text.windows(needle.len()).any(|window| window == needle);
    if holds(b"/usr/sbin/nvram") && !holds(b"LEASE_NVRAM") {
        return Err(TargetError::Environment(format!(
            "{} names /usr/sbin/nvram, which takes a private root, and there is none here: {why}. \
             Allow unprivileged user namespaces, or let the script read LEASE_NVRAM",
            script.file_name().unwrap_or_default().to_string_lossy()
        )));
    }
    Ok(())
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

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn empty_directory(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
