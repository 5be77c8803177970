//! A series of calls on a router, and its transcript.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use lease_script::{Call, Environment, MemoryIntentLog, Outcome};
use tempfile::TempDir;

use super::implementation::{Implementation, in_child_process, in_process};
use super::router::{Fault, Router, Tool};

pub(crate) struct Session {
    implementation: Implementation,
    pub(crate) router: Router,
    intent_log: MemoryIntentLog,
    directory: TempDir,
    transcript: String,
}

/// A call with its environment and an optional fault.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestCall {
    args: Vec<Vec<u8>>,
    env: Vec<(String, Vec<u8>)>,
    fault: Option<Fault>,
}

/// A call without an environment.
pub(crate) fn test_call<A: AsRef<[u8]>>(args: impl IntoIterator<Item = A>) -> TestCall {
    TestCall {
        args: args.into_iter().map(|arg| arg.as_ref().to_vec()).collect(),
        ..TestCall::default()
    }
}

/// A call for a DHCPv4 lease with an expiry.
pub(crate) fn lease(action: &str, last: u8, host: &str, expiry: &str) -> TestCall {
    let mac = format!("02:aa:00:00:00:{last:02x}");
    let address = format!("192.168.1.{last}");
    let mut args = vec![action.to_owned(), mac, address];
    if !host.is_empty() {
        args.push(host.to_owned());
    }
    test_call(args).with("DNSMASQ_LEASE_EXPIRES", expiry)
}

impl TestCall {
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.env.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn with_fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }
}

impl Session {
    pub(crate) fn new(implementation: Implementation, tool: impl Tool + 'static) -> Self {
        // The path appears in messages, so it has the same length everywhere.
        let directory =
            tempfile::Builder::new().prefix("lease").tempdir_in("/tmp").expect("a directory");
        fs::create_dir(directory.path().join("run")).expect("a directory");
        Self {
            implementation,
            router: Router::new(tool),
            intent_log: MemoryIntentLog::default(),
            directory,
            transcript: String::new(),
        }
    }

    /// Makes a call and adds it to the transcript.
    pub(crate) fn call(&mut self, call: TestCall) -> Outcome {
        let outcome = self.call_without_transcript(&call);
        let mut line = String::from("$");
        for (name, value) in &call.env {
            write!(line, " {name}={}", value.escape_ascii()).expect("memory");
        }
        for arg in &call.args {
            write!(line, " {}", arg.escape_ascii()).expect("memory");
        }
        let fault = call.fault.map_or_else(String::new, |fault| format!("    # {fault:?}"));
        writeln!(self.transcript, "{line}{fault}").expect("memory");
        for command in &self.router.commands {
            writeln!(self.transcript, "  nvram {command}").expect("memory");
        }
        for (stream, text) in [("out", &outcome.stdout), ("err", &outcome.stderr)] {
            for text in text.split_inclusive(|c| *c == b'\n') {
                let text = text.strip_suffix(b"\n").expect("whole lines").escape_ascii();
                writeln!(self.transcript, "  {stream}: {text}").expect("memory");
            }
        }
        match outcome {
            Outcome { killed: true, .. } => self.transcript.push_str("  killed\n"),
            Outcome { exit: 0, .. } => {}
            Outcome { exit, .. } => writeln!(self.transcript, "  exit {exit}").expect("memory"),
        }
        outcome
    }

    /// Makes a call without adding it to the transcript.
    pub(crate) fn call_without_transcript(&mut self, call: &TestCall) -> Outcome {
        self.call_of(self.implementation.command(), call)
    }

    /// Makes a call of a program, or of the library, without adding it to the transcript.
    pub(crate) fn call_of(&mut self, program: Option<Command>, call: &TestCall) -> Outcome {
        let mut env: Environment =
            call.env.iter().map(|(name, value)| (name.as_bytes(), value.clone())).collect();
        env.set("LEASE_RUN", self.run_directory());
        let script_call = Call::new(call.args.clone(), env);
        self.router.fault.clone_from(&call.fault);
        self.router.commands.clear();
        match program {
            None => in_process(&mut self.router, &mut self.intent_log, &script_call),
            Some(command) => {
                in_child_process(&mut self.router, command, &script_call, self.directory.path())
            }
        }
    }

    pub(crate) fn run_directory(&self) -> String {
        self.directory.path().join("run").to_str().expect("plain text").to_owned()
    }

    /// Restarts the router: RAM and the intent log are lost.
    pub(crate) fn reboot(&mut self) {
        self.router.tool.reboot();
        self.intent_log = MemoryIntentLog::default();
        fs::remove_dir_all(self.run_directory()).expect("a directory");
        fs::create_dir(self.run_directory()).expect("a directory");
        self.transcript.push_str("-- reboot\n");
    }

    /// Runs the tool as another program would.
    pub(crate) fn other(&mut self, args: &[&[u8]]) {
        let output = self.router.tool.run(args);
        let text: Vec<String> = args.iter().map(|arg| arg.escape_ascii().to_string()).collect();
        writeln!(self.transcript, "-- another program: nvram {}", text.join(" ")).expect("memory");
        assert_eq!(output.code, 0, "{output:?}");
    }

    /// Uses another implementation for further calls.
    pub(crate) fn change_implementation(&mut self, implementation: Implementation) {
        self.implementation = implementation;
    }

    /// The variables in RAM, sorted.
    pub(crate) fn ram(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        sorted(self.router.tool.variables())
    }

    /// The variables in flash, sorted.
    pub(crate) fn flash(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        sorted(self.router.tool.flash_variables())
    }

    pub(crate) fn flash_ops(&self) -> usize {
        self.router.tool.flash_ops()
    }

    pub(crate) fn transcript(&self) -> &str {
        &self.transcript
    }
}

fn sorted(mut variables: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<(Vec<u8>, Vec<u8>)> {
    variables.sort();
    variables
}
