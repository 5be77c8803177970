//! The number of `nvram` commands for each kind of call.

/// The number of `nvram` commands that a script executes for each kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandCounts {
    /// `init` without leases.
    pub init_empty: u64,
    /// `init` with one lease.
    pub init_one: u64,
    /// Additional commands for each further lease that `init` prints.
    pub init_each: u64,
    /// `add` of a record that differs from the stored one, or `old` if it is the first change since the last boot.
    pub set: u64,
    /// `old` of a record that differs from the stored one, after the first change since the last boot.
    pub replace: u64,
    /// `old` of a record that is already stored, before the first change since the last boot.
    pub same_after_boot: u64,
    /// `old` of a record that is already stored, after the first change since the last boot.
    pub same: u64,
    /// `del` of a record that is stored.
    pub unset: u64,
    /// `del` of a record that is not stored.
    pub absent: u64,
    /// Any other call, such as `arp-add`.
    pub other: u64,
}

impl CommandCounts {
    /// Returns the number of commands of `init` with this number of leases.
    pub fn init(&self, leases: u64) -> u64 {
        match leases.checked_sub(1) {
            None => self.init_empty,
            Some(further) => self.init_one + self.init_each * further,
        }
    }
}
