//! Which layouts of `init`'s output are accepted.

use super::init_output;
use super::lines::Lines;
use backend::{Backend, InProcess};

/// Which layouts of `init`'s output are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// The lines of the project's own scripts, to the letter.
    Exact,
    /// Everything that dnsmasq reads as it is meant.
    AsDnsmasqReads,
}

/// The output of `init` as it was read.
#[derive(Clone, Debug, Default)]
pub struct ReadOutput {
    /// The leases.
    pub lines: Lines,
    /// Words that dnsmasq skips.
    pub skipped: Vec<String>,
}

impl Grammar {
    /// The grammar for the output of a script.
    pub fn of_script(is_the_projects_own: bool) -> Self {
        if is_the_projects_own { Self::Exact } else { Self::AsDnsmasqReads }
    }

    /// The grammar for the script of a back end, if that decides it.
    pub(super) fn of_backend(backend: &dyn Backend) -> Option<Self> {
        let in_process = InProcess::downcast(backend)?;
        in_process.runs_external_script().then_some(Self::AsDnsmasqReads)
    }

    /// Reads the output of `init`.
    ///
    /// # Errors
    /// Why dnsmasq does not read it as it is meant.
    pub fn read(self, output: &[u8]) -> Result<ReadOutput, String> {
        match self {
            Self::Exact => {
                init_output::parse(output).map(|lines| ReadOutput { lines, skipped: Vec::new() })
            }
            Self::AsDnsmasqReads => init_output::read_as_dnsmasq(output)
                .map(|(lines, skipped)| ReadOutput { lines, skipped }),
        }
    }
}
