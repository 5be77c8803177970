//! Errors of reproduction ids.

/// An id that cannot be read, or that names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IdError(pub String);
