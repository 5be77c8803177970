//! The project file `leaselab.toml`: defaults of options for a lease script and its router.

mod defaults;
mod file;

pub(super) use defaults::{concerns, with_defaults};
pub(super) use file::{FILE_NAME, Project};
