//! Options of an exploration.

/// How many faults an exploration injects, and where.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Maximum number of faults in a row.
    pub depth: u32,
    /// Whether to cut operations after every byte instead of after the first, before the last and at powers of two.
    pub every_byte: bool,
    /// Whether to judge known states again.
    pub repeat: bool,
    /// Whether to report every judged state with its verdict.
    pub list: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { depth: 2, every_byte: false, repeat: false, list: false }
    }
}
