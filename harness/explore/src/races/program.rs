//! The programs of a race, and their requests as a function of the responses so far.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use lease_script::{Call, IntentLog, Lock, Nvram, NvramOutput, OperationError};

use backend::Function;

/// The arguments of an `nvram` command.
pub(super) type Arguments = Vec<Vec<u8>>;

/// The program of a process.
#[derive(Clone, Debug)]
pub(super) enum Program {
    /// `nvram` commands, one after the other, regardless of their exit codes.
    Commands(Vec<Arguments>),
    /// A call of a lease script.
    Script(Function, Call),
}

/// A request of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Command(Arguments),
    /// Whether the intent log has entries.
    LookAtIntentLog,
    /// Adds an entry to the intent log, once the other process has none.
    Lock,
    /// Waits until the other process has no entry in the intent log.
    WaitForLock,
    ClearIntentLog,
    Exit(Exit),
}

/// How a process exited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exit {
    /// Whether its exit code is 0; for commands, that of each.
    pub(super) success: bool,
    pub(super) stdout: Vec<u8>,
}

/// The response to a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Response {
    Output {
        stdout: Vec<u8>,
        stderr: Vec<u8>,
        code: i32,
    },
    HasEntries(bool),
    /// The lock is acquired. Whether a process has ended without emptying the log.
    Locked(bool),
    Done,
}

struct Node {
    responses: Vec<Response>,
    request: Rc<Request>,
}

/// The requests of a program, by the responses before them.
pub(super) struct RequestTree {
    program: Program,
    nodes: Vec<Node>,
    children: HashMap<(u32, Response), u32>,
}

impl RequestTree {
    pub(super) fn new(program: Program) -> Self {
        let request = Rc::new(next_request(&program, &[]));
        let root = Node { responses: Vec::new(), request };
        Self { program, nodes: vec![root], children: HashMap::new() }
    }

    pub(super) fn request(&self, node: u32) -> Rc<Request> {
        Rc::clone(&self.nodes[node as usize].request)
    }

    /// The node after a further response.
    pub(super) fn after(&mut self, node: u32, response: &Response) -> u32 {
        let key = (node, response.clone());
        if let Some(known) = self.children.get(&key) {
            return *known;
        }
        let mut responses = self.nodes[node as usize].responses.clone();
        responses.push(response.clone());
        let request = Rc::new(next_request(&self.program, &responses));
        let id = self.nodes.len() as u32;
        self.nodes.push(Node { responses, request });
        self.children.insert(key, id);
        id
    }
}

/// Runs the program from its start with these responses, up to its next request.
fn next_request(program: &Program, responses: &[Response]) -> Request {
    match program {
        Program::Commands(commands) => match commands.get(responses.len()) {
            Some(words) => Request::Command(words.clone()),
            None => Request::Exit(Exit {
                success: responses
                    .iter()
                    .all(|response| matches!(response, Response::Output { code: 0, .. })),
                stdout: Vec::new(),
            }),
        },
        Program::Script(function, call) => {
            let recorded = RefCell::new(RecordedResponses { responses, request: None });
            let outcome = function.invoke(
                call,
                &mut ReplayedNvram(&recorded),
                &mut ReplayedIntentLog(&recorded),
            );
            let exit = Exit { success: outcome.exit == 0, stdout: outcome.stdout };
            recorded.into_inner().request.unwrap_or(Request::Exit(exit))
        }
    }
}

/// Recorded responses. The first request without one is stored, and the program is killed.
struct RecordedResponses<'a> {
    responses: &'a [Response],
    request: Option<Request>,
}

impl RecordedResponses<'_> {
    fn next(&mut self, request: impl FnOnce() -> Request) -> Result<Response, OperationError> {
        if self.request.is_some() {
            return Err(OperationError::Killed);
        }
        match self.responses.split_first() {
            Some((response, rest)) => {
                self.responses = rest;
                Ok(response.clone())
            }
            None => {
                self.request = Some(request());
                Err(OperationError::Killed)
            }
        }
    }
}

struct ReplayedNvram<'a, 'b>(&'a RefCell<RecordedResponses<'b>>);

impl Nvram for ReplayedNvram<'_, '_> {
    fn run(&mut self, arguments: &[&[u8]]) -> Result<NvramOutput, OperationError> {
        let owned = || arguments.iter().map(|word| word.to_vec()).collect();
        match self.0.borrow_mut().next(|| Request::Command(owned()))? {
            Response::Output { stdout, stderr, code } => Ok(NvramOutput { stdout, stderr, code }),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

struct ReplayedIntentLog<'a, 'b>(&'a RefCell<RecordedResponses<'b>>);

impl IntentLog for ReplayedIntentLog<'_, '_> {
    fn has_entries(&mut self) -> Result<bool, OperationError> {
        let response = self.0.borrow_mut().next(|| Request::LookAtIntentLog)?;
        Ok(response == Response::HasEntries(true))
    }

    fn lock(&mut self) -> Result<Lock, OperationError> {
        match self.0.borrow_mut().next(|| Request::Lock)? {
            Response::Locked(uncommitted) => Ok(Lock::Acquired { uncommitted, waited: false }),
            _ => Ok(Lock::Unusable),
        }
    }

    fn wait(&mut self) -> Result<(), OperationError> {
        self.0.borrow_mut().next(|| Request::WaitForLock).map(|_| ())
    }

    fn clear(&mut self) -> Result<(), OperationError> {
        self.0.borrow_mut().next(|| Request::ClearIntentLog).map(|_| ())
    }
}
