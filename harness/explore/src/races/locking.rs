//! Whether `nvram` commands exclude each other.

/// Whether `nvram` commands exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locking {
    /// They do not, as with the real OpenWrt tool.
    None,
    /// Each command holds the emulator's lock, and is a single step.
    PerCommand,
}
