//! Routers, sessions and implementations for the tests.

mod implementation;
mod router;
mod session;
mod simple_tool;
mod strace;

pub(crate) use implementation::{Implementation, on_path, script, shells};
pub(crate) use router::{Fault, Router};
pub(crate) use session::{Session, TestCall, lease, test_call};
pub(crate) use simple_tool::{FreeSpaceReport, SimpleTool};
pub(crate) use strace::{calls_from, traced};
