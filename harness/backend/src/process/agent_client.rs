//! The connection to the agent process.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::protocol::{
    AGENT_NAME, Handshake, HandshakeReply, Program, ProgramResult, Request, Root,
};
use super::settings::Settings;
use crate::error::BackendError;

/// A running agent process. It is stopped when this is dropped.
#[derive(Debug)]
pub(super) struct AgentClient {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Why scripts have no private root, if they have none.
    refused: Option<String>,
}

impl AgentClient {
    pub(super) fn start(scratch: &Path, settings: &Settings) -> Result<Self, BackendError> {
        let mut child = Command::new(&settings.leaselab)
            .arg0(AGENT_NAME)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| BackendError::environment(&settings.leaselab.display().to_string(), &e))?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().ok_or_else(BackendError::no_agent)?);
        let mut agent = Self { child, requests, answers, refused: None };
        let reply: HandshakeReply = agent.ask(&Handshake {
            scratch: scratch.to_owned(),
            leaselab: settings.leaselab.clone(),
            root: settings.root,
        })?;
        agent.refused = match settings.root {
            Root::Shared => Some("no private root was requested".to_owned()),
            Root::Private | Root::Mounts => reply.refused,
        };
        Ok(agent)
    }

    /// Why scripts have no private root, if they have none.
    pub(super) fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
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

    pub(super) fn run(
        &mut self,
        programs: Vec<Program>,
    ) -> Result<Vec<ProgramResult>, BackendError> {
        self.ask(&Request::Run(programs))
    }

    pub(super) fn kill_stragglers(&mut self) -> Result<(), BackendError> {
        self.ask(&Request::KillStragglers)
    }
}

impl Drop for AgentClient {
    fn drop(&mut self) {
        // At the end of its input the agent kills all programs that are left, and exits.
        self.requests = None;
        _ = self.child.wait();
    }
}
