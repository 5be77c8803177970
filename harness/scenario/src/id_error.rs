//! Errors of reproduction ids.

/// An invalid id, or an id of a case or call that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IdError(pub String);
