//! A file that a guest gets.

/// A file that a guest gets at each boot.
#[derive(Clone, Debug)]
pub(super) struct GuestFile {
    /// The path without its leading slash.
    pub(super) path: String,
    pub(super) mode: u32,
    pub(super) contents: Vec<u8>,
}

impl GuestFile {
    /// A program.
    pub(super) fn executable(path: impl Into<String>, contents: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), mode: 0o755, contents: contents.into() }
    }
}
