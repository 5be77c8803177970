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
            Self::NotReported => "not reported",
        }
    }
}

/// The properties of a dialect, and its tool.
pub struct DialectInfo {
    /// The name in `NVRAM_EMU_DIALECT`.
    pub name: &'static str,
    /// Whether recordings of the real tool confirm the model. Otherwise it was modelled from source code only.
    pub verified: bool,
    /// Where the tool reports the free space.
    pub free_space: FreeSpaceSource,
    /// Whether the driver sets the NVRAM size (`NVRAM_EMU_SPACE`). Otherwise the NVRAM is the whole partition.
    pub driver_sets_size: bool,
    /// The source code that was modelled.
    pub source: &'static str,
    /// The emulated tool.
    pub tool: &'static dyn Tool,
}
