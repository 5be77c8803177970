//! Limits of the readers, and what they return.

/// Maximum size of a backup file or flash image in bytes.
pub const MAX_INPUT: usize = 64 << 20;
/// Maximum size of all names and values, and of what a compressed backup unpacks to.
pub const MAX_VARIABLES: usize = 1 << 20;

/// A variable: name and value.
pub type Variable = (Vec<u8>, Vec<u8>);
