//! Where script calls go.

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
