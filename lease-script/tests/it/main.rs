//! Tests that run over all implementations of the lease script.

mod support;

mod defaults;
mod fuzz_records;
mod hostile;
mod intent_log;
mod io_errors;
mod machines;
mod processes;
mod record;
mod shell;
mod slack;
mod stdin;
mod traces;
mod transcripts;
mod wrappers;
