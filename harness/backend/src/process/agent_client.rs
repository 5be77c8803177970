//! The connection to the agent process.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use sandbox::FileTree;
use sandbox::clock::Time;

use super::files::spawn;
use super::protocol::{
    AGENT_NAME, FilesError, Handshake, HandshakeReply, Ran, Refusal, Request, Run,
};
use crate::error::BackendError;

/// A running agent process. It is stopped when this is dropped.
#[derive(Debug)]
pub(super) struct AgentClient {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Why scripts see the machine's clock, if they do.
    clock_refused: Option<String>,
}

impl AgentClient {
    pub(super) fn start(leaselab: &Path, handshake: &Handshake) -> Result<Self, BackendError> {
        let mut child = spawn(
            Command::new(leaselab)
                .arg0(AGENT_NAME)
                .env_clear()
                // Ctrl-C is for leaselab, which then kills the agent and what it has started.
                .process_group(0)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped()),
        )
        .map_err(|e| BackendError::environment(&leaselab.display().to_string(), &e))?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().ok_or_else(BackendError::no_agent)?);
        let mut agent = Self { child, requests, answers, clock_refused: None };
        let reply: HandshakeReply = agent.ask(handshake)?;
        if let Some(why) = reply.refused {
            return Err(explain_refusal(why));
        }
        agent.clock_refused = reply.clock_refused;
        Ok(agent)
    }

    /// The process id of the agent that was started. In a sandbox, this process only waits for the one that serves requests.
    pub(super) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Why scripts see the machine's clock, if they do.
    pub(super) fn clock_refused(&self) -> Option<&str> {
        self.clock_refused.as_deref()
    }

    /// Sends a request and reads the answer.
    pub(super) fn ask<Q: serde::Serialize, A: serde::de::DeserializeOwned>(
        &mut self,
        question: &Q,
    ) -> Result<A, BackendError> {
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
        exchange().map_err(|error| BackendError::environment("the agent process", &error))
    }

    pub(super) fn run(&mut self, run: Run) -> Result<Ran, BackendError> {
        self.ask(&Request::Run(run))
    }

    /// The persistent files.
    pub(super) fn read_files(&mut self) -> Result<FileTree, BackendError> {
        let files: Result<FileTree, String> = self.ask(&Request::ReadFiles)?;
        files.map_err(|why| BackendError::Environment(format!("the persistent files: {why}")))
    }

    /// Replaces the persistent files.
    pub(super) fn write_files(&mut self, files: FileTree) -> Result<(), BackendError> {
        let written: Result<(), FilesError> = self.ask(&Request::WriteFiles(files))?;
        written.map_err(explain_files_error)
    }

    pub(super) fn kill_stragglers(&mut self, time: Option<Time>) -> Result<(), BackendError> {
        self.ask(&Request::KillStragglers(time))
    }
}

fn explain_refusal(refusal: Refusal) -> BackendError {
    match refusal {
        Refusal::Namespaces(why) => BackendError::Environment(format!(
            "cannot create a sandbox for the script: {why}. Allow unprivileged user namespaces (sysctl \
             user.max_user_namespaces, kernel.unprivileged_userns_clone or \
             kernel.apparmor_restrict_unprivileged_userns; in a container: --privileged), or run the script with the \
             machine's own files, processes, network and clock: --no-sandbox"
        )),
        Refusal::FileSystems(why) => BackendError::Environment(format!(
            "cannot set up the file systems of a sandbox for the script in {}: {why}",
            std::env::temp_dir().display()
        )),
        Refusal::Files(error) => explain_files_error(error),
    }
}

fn explain_files_error(error: FilesError) -> BackendError {
    match error {
        FilesError::Full(why) => BackendError::Storage(format!(
            "the persistent folders cannot hold these files: {why}; increase `persistent-size`"
        )),
        FilesError::Other(why) => BackendError::Environment(format!("the persistent files: {why}")),
    }
}

impl Drop for AgentClient {
    fn drop(&mut self) {
        // At the end of its input the agent kills all programs that are left, and exits.
        self.requests = None;
        _ = self.child.wait();
    }
}
