//! The properties of a dialect.

use super::tool::Tool;

/// Which output of a tool reports the free space of the NVRAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreeSpaceSource {
    /// The last line of `info` on stdout: `N bytes used / N bytes available`.
    Info,
    /// `show` on stderr: `size: N bytes (N left)`.
    ShowStderr,
    /// The last line of `show` on stdout: `N entries, N bytes used, N bytes free.`
    ShowStdout,
    /// The last line of `show` on stdout: `size: N bytes (N left)`.
    ShowStdoutSize,
    /// The tool does not report it.
    NotReported,
}

impl FreeSpaceSource {
    /// A short description for tables in documentation and help texts.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Info => "`info`: `N bytes used / N bytes available`",
            Self::ShowStderr => "`show`, on stderr: `size: N bytes (N left)`",
            Self::ShowStdout => {
                "`show`, last line of stdout: `N entries, N bytes used, N bytes free.`"
            }
            Self::ShowStdoutSize => "`show`, last line of stdout: `size: N bytes (N left)`",
            Self::NotReported => "not reported",
        }
    }
}

/// Recordings of the real tool and driver that agree with the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// What was run: repositories, revisions, files.
    pub against: &'static str,
    /// What was not run, so that the model follows the source code only.
    pub not_run: &'static str,
}

/// The properties of a dialect, and its tool.
pub struct DialectInfo {
    /// The name in `NVRAM_EMU_DIALECT`.
    pub name: &'static str,
    /// The firmware, and which of its generations.
    pub firmware: &'static str,
    /// The recordings that confirm the model; `None` if it was modelled from source code only.
    pub verified: Option<Verification>,
    /// Where the tool reports the free space.
    pub free_space: FreeSpaceSource,
    /// Whether the driver sets the NVRAM size (`NVRAM_EMU_SPACE`). Otherwise the NVRAM is the whole partition.
    pub driver_sets_size: bool,
    /// The emulated tool.
    pub tool: &'static dyn Tool,
}
