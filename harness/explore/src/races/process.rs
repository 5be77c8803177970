//! What a process asks for next, given the answers that it has had.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use lease_script::{Call, IntentLog, Nvram, NvramOutput, OperationError};

use backend::Function;

/// The words of a command.
pub(super) type Words = Vec<Vec<u8>>;

/// A process.
#[derive(Clone, Debug)]
pub(super) enum Program {
    /// Commands of `nvram`, one after the other, whatever they return.
    Commands(Vec<Words>),
    /// A call of a lease script.
    Script(Function, Call),
}

/// What it asks of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Command(Words),
    ReadMarker,
    Note { notes: Vec<Vec<u8>>, keep: bool },
    ClearMarker,
    End(End),
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// Whether it said that all was well.
    pub(super) content: bool,
    pub(super) stdout: Vec<u8>,
}

/// What the world answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Answer {
    Output { stdout: Vec<u8>, stderr: Vec<u8>, code: i32 },
    Notes(Vec<Vec<u8>>),
    Done,
}

struct Node {
    answers: Vec<Answer>,
    request: Rc<Request>,
}

/// A program's requests after every row of answers that it has had in some interleaving.
pub(super) struct Tree {
    program: Program,
    nodes: Vec<Node>,
    children: HashMap<(u32, Answer), u32>,
}

impl Tree {
    pub(super) fn new(program: Program) -> Self {
        let request = Rc::new(ask(&program, &[]));
        let root = Node { answers: Vec::new(), request };
        Self { program, nodes: vec![root], children: HashMap::new() }
    }

    pub(super) fn request(&self, node: u32) -> Rc<Request> {
        Rc::clone(&self.nodes[node as usize].request)
    }

    /// The node after one more answer.
    pub(super) fn after(&mut self, node: u32, answer: &Answer) -> u32 {
        let key = (node, answer.clone());
        if let Some(known) = self.children.get(&key) {
            return *known;
        }
        let mut answers = self.nodes[node as usize].answers.clone();
        answers.push(answer.clone());
        let request = Rc::new(ask(&self.program, &answers));
        let id = self.nodes.len() as u32;
        self.nodes.push(Node { answers, request });
        self.children.insert(key, id);
        id
    }
}

/// Runs the program from its start with the answers so far, up to what it asks next.
fn ask(program: &Program, answers: &[Answer]) -> Request {
    match program {
        Program::Commands(commands) => match commands.get(answers.len()) {
            Some(words) => Request::Command(words.clone()),
            None => Request::End(End {
                content: answers
                    .iter()
                    .all(|answer| matches!(answer, Answer::Output { code: 0, .. })),
                stdout: Vec::new(),
            }),
        },
        Program::Script(function, call) => {
            let tape = RefCell::new(Tape { answers, asked: None });
            let outcome = function.invoke(call, &mut Wire(&tape), &mut Notes(&tape));
            let end = End { content: outcome.exit == 0, stdout: outcome.stdout };
            tape.into_inner().asked.unwrap_or(Request::End(end))
        }
    }
}

/// Recorded answers; who asks for more is stopped there.
struct Tape<'a> {
    answers: &'a [Answer],
    asked: Option<Request>,
}

impl Tape<'_> {
    fn next(&mut self, request: impl FnOnce() -> Request) -> Result<Answer, OperationError> {
        if self.asked.is_some() {
            return Err(OperationError::Killed);
        }
        match self.answers.split_first() {
            Some((answer, rest)) => {
                self.answers = rest;
                Ok(answer.clone())
            }
            None => {
                self.asked = Some(request());
                Err(OperationError::Killed)
            }
        }
    }
}

struct Wire<'a, 'b>(&'a RefCell<Tape<'b>>);

impl Nvram for Wire<'_, '_> {
    fn run(&mut self, arguments: &[&[u8]]) -> Result<NvramOutput, OperationError> {
        let words = || arguments.iter().map(|word| word.to_vec()).collect();
        match self.0.borrow_mut().next(|| Request::Command(words()))? {
            Answer::Output { stdout, stderr, code } => Ok(NvramOutput { stdout, stderr, code }),
            Answer::Notes(_) | Answer::Done => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

struct Notes<'a, 'b>(&'a RefCell<Tape<'b>>);

impl IntentLog for Notes<'_, '_> {
    fn read(&mut self) -> Result<Vec<Vec<u8>>, OperationError> {
        match self.0.borrow_mut().next(|| Request::ReadMarker)? {
            Answer::Notes(notes) => Ok(notes),
            _ => Ok(Vec::new()),
        }
    }

    fn append(&mut self, entries: &[Vec<u8>], keep: bool) -> Result<(), OperationError> {
        self.0.borrow_mut().next(|| Request::Note { notes: entries.to_vec(), keep }).map(|_| ())
    }

    fn clear(&mut self) -> Result<(), OperationError> {
        self.0.borrow_mut().next(|| Request::ClearMarker).map(|_| ())
    }
}
