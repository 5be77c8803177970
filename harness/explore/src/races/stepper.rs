//! Executes one step of one process.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use nvram_emu::device::Flash;
use nvram_emu::dialect::openwrt::OpenWrt;
use nvram_emu::dialect::{Board, Halt, OutputBuffers, Ram};
use nvram_emu::flsh::{HEADER_LEN, Header, find_magic};

use super::Locking;
use super::images::{ImageId, Images};
use super::program::{Arguments, Request, RequestTree, Response};
use super::state::{CommandEnd, Inode, Phase, ProcessState, State};

/// Exit code of a command that crashed, as a shell sees SIGSEGV.
const CRASHED: i32 = 139;
/// Exit code of a command that returns `-1`.
const FAILED: i32 = 255;

/// The result of loading a mapping and applying a command to it.
#[derive(Clone)]
struct Loaded {
    /// The number of its output and exit code.
    response: u32,
    commit: bool,
    /// The contents that the command writes to the mapping, or that a crash left in it; `None` if it writes nothing.
    image: Option<ImageId>,
    crashed: bool,
}

/// Executes steps, and caches the results of commands.
pub(super) struct Stepper {
    pub(super) images: Images,
    pub(super) trees: [RequestTree; 2],
    tool: &'static OpenWrt,
    pub(super) flash: Flash,
    lock: Locking,
    /// Responses by number.
    responses: Vec<Response>,
    numbers: HashMap<Response, u32>,
    loaded: HashMap<(Arguments, Option<ImageId>, ImageId), Loaded>,
}

impl Stepper {
    pub(super) fn new(
        tool: &'static OpenWrt,
        flash: Flash,
        lock: Locking,
        trees: [RequestTree; 2],
    ) -> Self {
        Self {
            images: Images::default(),
            trees,
            tool,
            flash,
            lock,
            responses: Vec::new(),
            numbers: HashMap::new(),
            loaded: HashMap::new(),
        }
    }

    /// The state after the next step of a process, and a description of the step; `None` if the process has
    /// exited, or waits for the other one.
    pub(super) fn step(&mut self, state: &State, process: usize) -> Option<(State, String)> {
        let request = self.trees[process].request(state.processes[process].node);
        let mut next = state.clone();
        let mut text = self.small_step(&mut next, process, &request)?;
        if self.lock == Locking::PerCommand {
            // A command holds the lock until it ends.
            while next.processes[process].phase != Phase::Begin
                && let Some(more) = self.small_step(&mut next, process, &request)
            {
                text = format!("{text}; {more}");
            }
        }
        let stepped = &mut next.processes[process];
        if stepped.phase == Phase::Begin
            && matches!(*self.trees[process].request(stepped.node), Request::Exit(_))
        {
            stepped.phase = Phase::Exited;
        }
        next.canonicalize();
        Some((next, text))
    }

    /// Executes one phase of a command, or another request.
    fn small_step(
        &mut self,
        state: &mut State,
        process: usize,
        request: &Rc<Request>,
    ) -> Option<String> {
        if state.processes[process].phase == Phase::Exited {
            return None;
        }
        let arguments = match &**request {
            Request::Command(arguments) => arguments,
            Request::Exit(_) => return None,
            other => return self.intent_log_step(state, process, other),
        };
        let (phase, text) = match state.processes[process].phase {
            Phase::Begin => self.begin_command(state, arguments),
            Phase::ReadFlash => {
                (Phase::Create { copy: state.shared.flash }, "read the partition".to_owned())
            }
            Phase::Create { copy } => {
                let (to, text) = match state.shared.staging {
                    Some(existing) => (existing, "open /tmp/.nvram, which now exists"),
                    None => (self.create(state), "create /tmp/.nvram, empty"),
                };
                (Phase::Copy { copy, to }, text.to_owned())
            }
            Phase::Copy { copy, to } => {
                state.shared.files[usize::from(to)] = copy;
                (Phase::Open, "write the copy of the partition to it".to_owned())
            }
            Phase::Open => match state.shared.staging {
                Some(file) => {
                    (Phase::Load { file: Some(file) }, "open and map /tmp/.nvram".to_owned())
                }
                None => {
                    // The message and exit code of the real tool.
                    let response = Response::Output {
                        stdout: Vec::new(),
                        stderr: b"Could not open nvram!\n".to_vec(),
                        code: 1,
                    };
                    self.respond(state, process, &response);
                    return Some("open /tmp/.nvram: no longer exists: exit 1".to_owned());
                }
            },
            Phase::Load { file } => return Some(self.load(state, process, arguments, file)),
            Phase::Clear { file, image, then } => {
                self.rewrite(state, file, image, |area, _| area.fill(0xFF));
                (Phase::First { file, image, then }, "clear the mapping".to_owned())
            }
            Phase::First { file, image, then } => {
                self.rewrite(state, file, image, |area, wanted| {
                    let half = half_of(wanted);
                    area[HEADER_LEN..half].copy_from_slice(&wanted[HEADER_LEN..half]);
                });
                (Phase::Second { file, image, then }, "write half of the variables".to_owned())
            }
            Phase::Second { file, image, then } => {
                self.rewrite(state, file, image, |area, wanted| {
                    let half = half_of(wanted);
                    area[half..].copy_from_slice(&wanted[half..]);
                });
                (Phase::Header { file, image, then }, "write the other half".to_owned())
            }
            Phase::Header { file, image, then } => {
                self.rewrite(state, file, image, |area, wanted| {
                    area[..HEADER_LEN].copy_from_slice(&wanted[..HEADER_LEN]);
                });
                if then.commit {
                    (Phase::ReadStaging { then }, "write length and CRC".to_owned())
                } else {
                    return Some(self.end_command(state, process, then, "write length and CRC"));
                }
            }
            Phase::ReadStaging { then } => {
                let size = self.images.get(state.shared.flash).len();
                match state.shared.staging.map(|file| state.shared.files[usize::from(file)]) {
                    Some(bytes) if self.images.get(bytes).len() >= size => (
                        Phase::WriteFlash { bytes, then },
                        "read /tmp/.nvram to commit it".to_owned(),
                    ),
                    _ => {
                        let text = self.fail_command(state, process, then, FAILED);
                        return Some(format!("read /tmp/.nvram: no longer exists: {text}"));
                    }
                }
            }
            Phase::WriteFlash { bytes, then } => {
                state.shared.flash = bytes;
                (Phase::Unlink { then }, "write it to the partition".to_owned())
            }
            Phase::Unlink { then } => {
                if state.shared.staging.take().is_some() {
                    return Some(self.end_command(state, process, then, "unlink /tmp/.nvram"));
                }
                let text = self.fail_command(state, process, then, 1);
                return Some(format!("unlink /tmp/.nvram: no longer exists: {text}"));
            }
            Phase::Exited => return None,
        };
        state.processes[process].phase = phase;
        Some(text)
    }

    /// Looks for the staging file, which decides how a command continues.
    fn begin_command(&self, state: &State, arguments: &Arguments) -> (Phase, String) {
        let shown = arguments.iter().map(|argument| argument.escape_ascii().to_string());
        let shown: Vec<String> = shown.map(|argument| shorten(&argument)).collect();
        let (next, found) = match state.shared.staging {
            Some(_) => (Phase::Open, "exists"),
            None if self.tool.writes(&slices(arguments)) => (Phase::ReadFlash, "does not exist"),
            None => (Phase::Load { file: None }, "does not exist"),
        };
        (next, format!("nvram {}: stat /tmp/.nvram: {found}", shown.join(" ")))
    }

    /// A step on the script's intent log; `None` while the other process holds the lock.
    fn intent_log_step(
        &mut self,
        state: &mut State,
        process: usize,
        request: &Request,
    ) -> Option<String> {
        let other_runs = state.processes[1 - process].phase != Phase::Exited;
        let log = &mut state.shared.intent_log;
        let is_locked = other_runs && log.iter().any(|by| *by != process);
        let (response, text) = match request {
            Request::LookAtIntentLog => {
                (Response::HasEntries(!log.is_empty()), "look at the intent log")
            }
            Request::Lock | Request::WaitForLock if is_locked => return None,
            Request::Lock => {
                let is_owed = !log.is_empty();
                log.push(process);
                (Response::Locked(is_owed), "add an entry to the intent log")
            }
            Request::WaitForLock => (Response::Done, "no other call writes"),
            _ => {
                log.clear();
                (Response::Done, "empty the intent log")
            }
        };
        self.respond(state, process, &response);
        Some(text.to_owned())
    }

    /// Creates an empty staging file.
    fn create(&mut self, state: &mut State) -> Inode {
        let file = state.shared.files.len() as Inode;
        state.shared.files.push(self.images.intern(Vec::new()));
        state.shared.staging = Some(file);
        file
    }

    /// Reads the mapping, and applies the command to the variables.
    fn load(
        &mut self,
        state: &mut State,
        process: usize,
        arguments: &Arguments,
        file: Option<Inode>,
    ) -> String {
        let mapped = file.map(|file| state.shared.files[usize::from(file)]);
        let key = (arguments.clone(), mapped, state.shared.flash);
        let loaded = match self.loaded.get(&key) {
            Some(known) => known.clone(),
            None => {
                let fresh = self.load_uncached(arguments, mapped, state.shared.flash);
                self.loaded.insert(key, fresh.clone());
                fresh
            }
        };
        let then = CommandEnd { response: loaded.response, commit: loaded.commit };
        if loaded.crashed {
            state.processes[process].crashed = true;
            if let (Some(file), Some(image)) = (file, loaded.image) {
                state.shared.files[usize::from(file)] = image;
            }
            return self.end_command(state, process, then, "read the variables");
        }
        match (file, loaded.image) {
            (Some(file), Some(image)) => {
                state.processes[process].phase = Phase::Clear { file, image, then };
                "read the variables".to_owned()
            }
            _ if loaded.commit => {
                state.processes[process].phase = Phase::ReadStaging { then };
                "read the variables".to_owned()
            }
            _ => self.end_command(state, process, then, "read the variables"),
        }
    }

    fn load_uncached(
        &mut self,
        arguments: &Arguments,
        mapped: Option<ImageId>,
        flash: ImageId,
    ) -> Loaded {
        let ram = mapped.map_or(Ram::Empty, |id| Ram::File(Arc::clone(self.images.get(id))));
        let mut out = OutputBuffers::default();
        let mut board = board(&self.flash, self.images.get(flash), ram);
        let result = self.tool.prepare(&mut board, &slices(arguments), &mut out);
        let after = match (&board.ram, mapped) {
            (Ram::File(bytes), Some(before)) => {
                (**bytes != **self.images.get(before)).then(|| bytes.to_vec())
            }
            _ => None,
        };
        let (crashed, commit, code, rewritten) = match result {
            Ok(prepared) => {
                (false, prepared.commit, i32::from(prepared.exit), prepared.rewritten.is_some())
            }
            Err(Halt::Fault(_) | Halt::KernelCrash(_) | Halt::PowerLost) => {
                (true, false, CRASHED, false)
            }
        };
        let image = match (after, mapped) {
            (Some(bytes), _) => Some(self.images.intern(bytes)),
            // A rewrite with the same contents takes the same steps.
            (None, before) => before.filter(|_| rewritten),
        };
        let OutputBuffers { stdout, stderr } = out;
        let response = Response::Output { stdout, stderr, code };
        Loaded { response: self.number(response), commit, image, crashed }
    }

    /// Changes the contents of a file by `change`, which receives the old and the wanted contents.
    fn rewrite(
        &mut self,
        state: &mut State,
        file: Inode,
        image: ImageId,
        change: impl FnOnce(&mut [u8], &[u8]),
    ) {
        let wanted = Arc::clone(self.images.get(image));
        let at = usize::from(file);
        let mut bytes = self.images.get(state.shared.files[at]).to_vec();
        let offset = find_magic(&wanted, wanted.len()).unwrap_or(0);
        if bytes.len() == wanted.len() {
            change(&mut bytes[offset..], &wanted[offset..]);
        }
        state.shared.files[at] = self.images.intern(bytes);
    }

    /// The number of a response.
    fn number(&mut self, response: Response) -> u32 {
        let next = self.responses.len() as u32;
        let responses = &mut self.responses;
        *self.numbers.entry(response).or_insert_with_key(|response| {
            responses.push(response.clone());
            next
        })
    }

    /// Ends a command, and appends its result to the description of its last step.
    fn end_command(
        &mut self,
        state: &mut State,
        process: usize,
        then: CommandEnd,
        text: &str,
    ) -> String {
        let response = self.responses[then.response as usize].clone();
        self.respond(state, process, &response);
        match response {
            Response::Output { code: CRASHED, .. } => format!("{text}: crash"),
            Response::Output { code, .. } => format!("{text}: exit {code}"),
            Response::HasEntries(_) | Response::Locked(_) | Response::Done => text.to_owned(),
        }
    }

    /// Ends a command with another exit code.
    fn fail_command(
        &mut self,
        state: &mut State,
        process: usize,
        then: CommandEnd,
        code: i32,
    ) -> String {
        let mut response = self.responses[then.response as usize].clone();
        if let Response::Output { code: exit, .. } = &mut response {
            *exit = code;
        }
        self.respond(state, process, &response);
        format!("exit {code}")
    }

    /// Gives a process the response to its request.
    fn respond(&mut self, state: &mut State, process: usize, response: &Response) {
        let ProcessState { node, phase, .. } = &mut state.processes[process];
        *node = self.trees[process].after(*node, response);
        *phase = Phase::Begin;
    }
}

/// A router with this flash and RAM.
pub(super) fn board(flash: &Flash, bytes: &[u8], ram: Ram) -> Board {
    let mut flash = flash.clone();
    flash.overwrite(0, bytes);
    let space = flash.geometry().size;
    let mut board = Board::new(flash, space);
    board.ram = ram;
    board
}

fn slices(arguments: &Arguments) -> Vec<&[u8]> {
    arguments.iter().map(Vec::as_slice).collect()
}

/// The offset of the middle of the variables of an image.
fn half_of(image: &[u8]) -> usize {
    let len = Header::read(image).map_or(0, |header| header.len as usize);
    HEADER_LEN + len.clamp(HEADER_LEN, image.len()).saturating_sub(HEADER_LEN) / 2
}

/// Replaces a long value by an ellipsis.
fn shorten(argument: &str) -> String {
    match argument.split_once('=') {
        Some((name, value)) if value.len() > 12 => format!("{name}=…"),
        _ => argument.to_owned(),
    }
}
