//! Where script calls go.

use crate::words::Words;
use backend::process::Isolation;

/// Where the script calls of a run go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum TargetChoice {
    /// A real shell, a real script and the emulated nvram tool
    #[default]
    Process,
    /// Functions over a simulated device
    InProcess,
    /// Both, and compare them
    Both,
}

impl TargetChoice {
    /// The value of `--target`.
    pub(in crate::cli) fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::InProcess => "in-process",
            Self::Both => "both",
        }
    }
}

/// Where script calls go, for commands that use one target at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum SingleTarget {
    /// A real shell, a real script and the emulated nvram tool
    Process,
    /// Functions over a simulated device
    InProcess,
}

impl From<SingleTarget> for TargetChoice {
    fn from(target: SingleTarget) -> Self {
        match target {
            SingleTarget::Process => Self::Process,
            SingleTarget::InProcess => Self::InProcess,
        }
    }
}

/// Which file system scripts see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct Root {
    /// Let scripts see and change the machine's own files, processes, network and clock
    #[arg(long)]
    no_sandbox: bool,
}

impl Root {
    /// How far scripts are kept away from the machine.
    pub(in crate::cli) fn isolation(self) -> Isolation {
        if self.no_sandbox { Isolation::None } else { Isolation::Full }
    }

    /// The option as a word of a command line.
    pub(in crate::cli) fn add_to(self, words: &mut Words) {
        words.flag("--no-sandbox", self.no_sandbox);
    }
}
