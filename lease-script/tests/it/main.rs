//! One suite over all implementations of the lease script.

mod support;

mod hostile;
mod machines;
mod marker;
mod shell;
mod slack;
mod stories;
mod traces;
