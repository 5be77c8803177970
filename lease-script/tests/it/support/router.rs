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
    /// The script is killed instead of this command, after those before it in the same call of the tool.
    KillBefore(&'static str),
    /// The script is killed after this command.
    KillAfter(&'static str),
    /// This command fails with exit code 255 and does nothing; those before it are done.
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

    /// Runs the commands of one call of the tool; `None` kills the script.
    pub(crate) fn command(&mut self, args: &[&[u8]]) -> Option<NvramOutput> {
        self.commands.push(
            args.iter().map(|arg| arg.escape_ascii().to_string()).collect::<Vec<_>>().join(" "),
        );
        let word = self.fault.as_ref().map(|fault| match fault {
            Fault::KillBefore(word)
            | Fault::KillAfter(word)
            | Fault::Fail(word)
            | Fault::Crash(word) => *word,
        });
        let Some(hit) = word.and_then(|word| find_command(args, word)) else {
            return Some(self.tool.run(args));
        };
        let done =
            if matches!(self.fault, Some(Fault::KillAfter(_))) { hit.end } else { hit.start };
        if done > 0 {
            self.tool.run(&args[..done]);
        }
        let (stderr, code) = match self.fault {
            Some(Fault::Fail(_)) => (b"it does not work\n".to_vec(), 255),
            Some(Fault::Crash(_)) => (Vec::new(), 139),
            _ => return None,
        };
        Some(NvramOutput { stderr, code, ..NvramOutput::default() })
    }
}

/// The range of the first command with this word.
fn find_command(args: &[&[u8]], word: &str) -> Option<std::ops::Range<usize>> {
    let mut at = 0;
    while at < args.len() {
        let takes_argument = matches!(args[at], b"get" | b"set" | b"unset");
        let end = (at + 1 + usize::from(takes_argument)).min(args.len());
        if args[at] == word.as_bytes() {
            return Some(at..end);
        }
        at = end;
    }
    None
}
