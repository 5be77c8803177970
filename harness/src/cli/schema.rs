//! `leaselab schema`.

use super::Exit;

/// No arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args) -> Exit {
    anstream::print!("{}", scenario::json_schema());
    Exit::Held
}
