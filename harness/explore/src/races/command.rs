//! One step of one process.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use nvram_emu::device::Flash;
use nvram_emu::dialect::openwrt::OpenWrt;
use nvram_emu::dialect::{Board, Halt, OutputBuffers, Ram};
use nvram_emu::flsh::{HEADER_LEN, Header, find_magic};

use super::Lock;
use super::images::{ImageId, Images};
use super::process::{Answer, Request, Tree, Words};
use super::state::{Ending, Inode, Phase, Running, State};

/// Exit code of a command that crashed, as a shell sees SIGSEGV.
const CRASHED: i32 = 139;
/// `-1`.
const FAILED: i32 = 255;

/// What loading a mapping and doing the words came to.
#[derive(Clone)]
struct Loaded {
    answer: u32,
    commit: bool,
    /// The mapping as the command means to leave it, or as a crash left it.
    image: Option<ImageId>,
    crashed: bool,
}

/// Runs steps, and remembers what they came to.
pub(super) struct Stepper {
    pub(super) images: Images,
    pub(super) trees: [Tree; 2],
    tool: &'static OpenWrt,
    pub(super) flash: Flash,
    lock: Lock,
    answers: Vec<Answer>,
    numbers: HashMap<Answer, u32>,
    loaded: HashMap<(Words, Option<ImageId>, ImageId), Loaded>,
}

impl Stepper {
    pub(super) fn new(tool: &'static OpenWrt, flash: Flash, lock: Lock, trees: [Tree; 2]) -> Self {
        Self {
            images: Images::default(),
            trees,
            tool,
            flash,
            lock,
            answers: Vec::new(),
            numbers: HashMap::new(),
            loaded: HashMap::new(),
        }
    }

    /// The state after the next step of process `who`, and what that step was; `None` when it is over.
    pub(super) fn step(&mut self, state: &State, who: usize) -> Option<(State, String)> {
        let request = self.trees[who].request(state.processes[who].node);
        let mut next = state.clone();
        let mut told = self.small_step(&mut next, who, &request)?;
        if self.lock == Lock::Held {
            // A command holds the lock to its end.
            while next.processes[who].phase != Phase::Begin
                && let Some(more) = self.small_step(&mut next, who, &request)
            {
                told = format!("{told}; {more}");
            }
        }
        let process = &mut next.processes[who];
        if process.phase == Phase::Begin
            && matches!(*self.trees[who].request(process.node), Request::End(_))
        {
            process.phase = Phase::Over;
        }
        next.tidy();
        Some((next, told))
    }

    fn small_step(
        &mut self,
        state: &mut State,
        who: usize,
        request: &Rc<Request>,
    ) -> Option<String> {
        if state.processes[who].phase == Phase::Over {
            return None;
        }
        let words = match &**request {
            Request::Command(words) => words,
            Request::End(_) => return None,
            other => return Some(self.marker(state, who, other)),
        };
        let writes = self.tool.writes(&slices(words));
        let (phase, told) = match state.processes[who].phase {
            Phase::Begin => {
                let shown = words.iter().map(|word| word.escape_ascii().to_string());
                let shown: Vec<String> = shown.map(|word| shorten(&word)).collect();
                let next = match (state.world.staging, writes) {
                    (Some(_), _) => Phase::Open,
                    (None, true) => Phase::ReadFlash,
                    (None, false) => Phase::Load { file: None },
                };
                let found = if state.world.staging.is_some() { "is there" } else { "is not there" };
                (next, format!("nvram {}: stat /tmp/.nvram: {found}", shown.join(" ")))
            }
            Phase::ReadFlash => {
                (Phase::Create { copy: state.world.flash }, "read the partition".to_owned())
            }
            Phase::Create { copy } => {
                let (to, told) = match state.world.staging {
                    Some(there) => (there, "open /tmp/.nvram, which is there by now"),
                    None => (self.create(state), "create /tmp/.nvram, empty"),
                };
                (Phase::Copy { copy, to }, told.to_owned())
            }
            Phase::Copy { copy, to } => {
                state.world.files[usize::from(to)] = copy;
                (Phase::Open, "write the partition's copy to it".to_owned())
            }
            Phase::Open => match state.world.staging {
                Some(file) => {
                    (Phase::Load { file: Some(file) }, "open and map /tmp/.nvram".to_owned())
                }
                None => {
                    // As the tool's "Could not open nvram!".
                    let answer = Answer::Output {
                        stdout: Vec::new(),
                        stderr: b"Could not open nvram!\n".to_vec(),
                        code: 1,
                    };
                    self.answer(state, who, &answer);
                    return Some("open /tmp/.nvram: gone by now: exit 1".to_owned());
                }
            },
            Phase::Load { file } => return Some(self.load(state, who, words, file)),
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
                    return Some(self.end(state, who, then, "write length and CRC"));
                }
            }
            Phase::ReadStaging { then } => {
                let size = self.images.get(state.world.flash).len();
                match state.world.staging.map(|file| state.world.files[usize::from(file)]) {
                    Some(bytes) if self.images.get(bytes).len() >= size => (
                        Phase::WriteFlash { bytes, then },
                        "read /tmp/.nvram to commit it".to_owned(),
                    ),
                    _ => {
                        let told = self.fail(state, who, then, FAILED);
                        return Some(format!("read /tmp/.nvram: gone by now: {told}"));
                    }
                }
            }
            Phase::WriteFlash { bytes, then } => {
                state.world.flash = bytes;
                (Phase::Unlink { then }, "write it to the partition".to_owned())
            }
            Phase::Unlink { then } => {
                if state.world.staging.take().is_some() {
                    return Some(self.end(state, who, then, "unlink /tmp/.nvram"));
                }
                let told = self.fail(state, who, then, 1);
                return Some(format!("unlink /tmp/.nvram: gone by now: {told}"));
            }
            Phase::Over => return None,
        };
        state.processes[who].phase = phase;
        Some(told)
    }

    /// A step at the script's marker, as `FileIntentLog` takes them: notes of the living do not count.
    fn marker(&mut self, state: &mut State, who: usize, request: &Request) -> String {
        let other_is_over = state.processes[1 - who].phase == Phase::Over;
        let marker = &mut state.world.marker;
        let (answer, told) = match request {
            Request::ReadMarker => {
                let dead = marker.iter().filter(|(by, _)| *by != who && other_is_over);
                let notes: Vec<_> = dead.map(|(_, note)| note.clone()).collect();
                let told = format!("read the marker: {} notes of the dead", notes.len());
                (Answer::Notes(notes), told)
            }
            Request::Note { notes, keep } => {
                if !keep {
                    marker.clear();
                }
                marker.extend(notes.iter().map(|note| (who, note.clone())));
                (Answer::Done, "note in the marker what is to change".to_owned())
            }
            _ => {
                marker.clear();
                (Answer::Done, "empty the marker".to_owned())
            }
        };
        self.answer(state, who, &answer);
        told
    }

    fn create(&mut self, state: &mut State) -> Inode {
        let file = state.world.files.len() as Inode;
        state.world.files.push(self.images.intern(Vec::new()));
        state.world.staging = Some(file);
        file
    }

    fn load(
        &mut self,
        state: &mut State,
        who: usize,
        words: &Words,
        file: Option<Inode>,
    ) -> String {
        let mapped = file.map(|file| state.world.files[usize::from(file)]);
        let key = (words.clone(), mapped, state.world.flash);
        let loaded = match self.loaded.get(&key) {
            Some(known) => known.clone(),
            None => {
                let fresh = self.load_anew(words, mapped, state.world.flash);
                self.loaded.insert(key, fresh.clone());
                fresh
            }
        };
        let then = Ending { answer: loaded.answer, commit: loaded.commit };
        if loaded.crashed {
            state.processes[who].crashed = true;
            if let (Some(file), Some(image)) = (file, loaded.image) {
                state.world.files[usize::from(file)] = image;
            }
            return self.end(state, who, then, "read the variables");
        }
        match (file, loaded.image) {
            (Some(file), Some(image)) => {
                state.processes[who].phase = Phase::Clear { file, image, then };
                "read the variables".to_owned()
            }
            _ if loaded.commit => {
                state.processes[who].phase = Phase::ReadStaging { then };
                "read the variables".to_owned()
            }
            _ => self.end(state, who, then, "read the variables"),
        }
    }

    fn load_anew(&mut self, words: &Words, mapped: Option<ImageId>, flash: ImageId) -> Loaded {
        let ram = mapped.map_or(Ram::Empty, |id| Ram::File(Arc::clone(self.images.get(id))));
        let mut out = OutputBuffers::default();
        let mut board = board(&self.flash, self.images.get(flash), ram);
        let result = self.tool.prepare(&mut board, &slices(words), &mut out);
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
            Err(Halt::Fault(_) | Halt::PowerLost) => (true, false, CRASHED, false),
        };
        let image = match (after, mapped) {
            (Some(bytes), _) => Some(self.images.intern(bytes)),
            // Rewritten with what is there already: still in steps.
            (None, before) => before.filter(|_| rewritten),
        };
        let OutputBuffers { stdout, stderr } = out;
        let answer = Answer::Output { stdout, stderr, code };
        Loaded { answer: self.number(answer), commit, image, crashed }
    }

    fn rewrite(
        &mut self,
        state: &mut State,
        file: Inode,
        image: ImageId,
        change: impl FnOnce(&mut [u8], &[u8]),
    ) {
        let wanted = Arc::clone(self.images.get(image));
        let at = usize::from(file);
        let mut bytes = self.images.get(state.world.files[at]).to_vec();
        let offset = find_magic(&wanted, wanted.len()).unwrap_or(0);
        if bytes.len() == wanted.len() {
            change(&mut bytes[offset..], &wanted[offset..]);
        }
        state.world.files[at] = self.images.intern(bytes);
    }

    fn number(&mut self, answer: Answer) -> u32 {
        let fresh = self.answers.len() as u32;
        let answers = &mut self.answers;
        *self.numbers.entry(answer).or_insert_with_key(|answer| {
            answers.push(answer.clone());
            fresh
        })
    }

    /// The command is over.
    fn end(&mut self, state: &mut State, who: usize, then: Ending, told: &str) -> String {
        let answer = self.answers[then.answer as usize].clone();
        self.answer(state, who, &answer);
        match answer {
            Answer::Output { code: CRASHED, .. } => format!("{told}: crash"),
            Answer::Output { code, .. } => format!("{told}: exit {code}"),
            Answer::Notes(_) | Answer::Done => told.to_owned(),
        }
    }

    fn fail(&mut self, state: &mut State, who: usize, then: Ending, code: i32) -> String {
        let mut answer = self.answers[then.answer as usize].clone();
        if let Answer::Output { code: exit, .. } = &mut answer {
            *exit = code;
        }
        self.answer(state, who, &answer);
        format!("exit {code}")
    }

    fn answer(&mut self, state: &mut State, who: usize, answer: &Answer) {
        let Running { node, phase, .. } = &mut state.processes[who];
        *node = self.trees[who].after(*node, answer);
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

fn slices(words: &Words) -> Vec<&[u8]> {
    words.iter().map(Vec::as_slice).collect()
}

/// The middle of the variables of an image.
fn half_of(image: &[u8]) -> usize {
    let len = Header::read(image).map_or(0, |header| header.len as usize);
    HEADER_LEN + len.clamp(HEADER_LEN, image.len()).saturating_sub(HEADER_LEN) / 2
}

fn shorten(word: &str) -> String {
    match word.split_once('=') {
        Some((name, value)) if value.len() > 12 => format!("{name}=…"),
        _ => word.to_owned(),
    }
}
