//! A router: a tool with its variables, and injected faults.

use lease_script::NvramOutput;
use nvram_emu::{Exit, Machine};

/// The `nvram` tool of a router.
pub(crate) trait Tool: Send {
    fn run(&mut self, args: &[&[u8]]) -> NvramOutput;
    fn variables(&self) -> Vec<(Vec<u8>, Vec<u8>)>;
    fn flash_variables(&self) -> Vec<(Vec<u8>, Vec<u8>)>;
    fn flash_ops(&self) -> usize;
    fn reboot(&mut self);
}

impl Tool for Machine {
    fn run(&mut self, args: &[&[u8]]) -> NvramOutput {
        let out = Machine::run(self, args);
        let Exit::Code(code) = out.exit else { panic!("power is on") };
        NvramOutput { stdout: out.stdout, stderr: out.stderr, code: code.into() }
    }

    fn variables(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.ram_variables().expect("a readable store")
    }

    fn flash_variables(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        Machine::flash_variables(self).expect("a readable image")
    }

    fn flash_ops(&self) -> usize {
        self.ops().len()
    }

    fn reboot(&mut self) {
        Machine::reboot(self);
    }
}

/// A fault in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The script is killed instead of this command.
    KillBefore(&'static str),
    /// The script is killed after this command.
    KillAfter(&'static str),
    /// This command fails with exit code 255 and does nothing.
    Fail(&'static str),
    /// This command crashes, as OpenWrt's tool does with a damaged image.
    Crash(&'static str),
}

pub(crate) struct Router {
    pub(crate) tool: Box<dyn Tool>,
    pub(crate) fault: Option<Fault>,
    /// The commands of the current call.
    pub(crate) commands: Vec<String>,
}

impl Router {
    pub(crate) fn new(tool: impl Tool + 'static) -> Self {
        Self { tool: Box::new(tool), fault: None, commands: Vec::new() }
    }

    /// Runs a command; `None` kills the script.
    pub(crate) fn command(&mut self, args: &[&[u8]]) -> Option<NvramOutput> {
        let word = String::from_utf8_lossy(args.first().copied().unwrap_or_default()).into_owned();
        self.commands.push(
            args.iter().map(|arg| arg.escape_ascii().to_string()).collect::<Vec<_>>().join(" "),
        );
        match &self.fault {
            Some(Fault::KillBefore(at)) if *at == word => None,
            Some(Fault::KillAfter(at)) if *at == word => {
                self.tool.run(args);
                None
            }
            Some(Fault::Fail(at)) if *at == word => Some(NvramOutput {
                stderr: b"it does not work\n".to_vec(),
                code: 255,
                ..NvramOutput::default()
            }),
            Some(Fault::Crash(at)) if *at == word => {
                Some(NvramOutput { code: 139, ..NvramOutput::default() })
            }
            _ => Some(self.tool.run(args)),
        }
    }
}
