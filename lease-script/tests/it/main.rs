//! One suite over all implementations of the lease script.

mod support;

mod defaults;
mod hostile;
mod machines;
mod marker;
mod record;
mod shell;
mod slack;
mod stories;
mod traces;
