//! Routers, sessions and implementations for the tests.

mod implementation;
mod plain;
mod router;
mod session;

pub(crate) use implementation::{Implementation, on_path, script, shells};
pub(crate) use plain::{Plain, Telling};
pub(crate) use router::{Fault, Router};
pub(crate) use session::{Given, Session, lease, told};
