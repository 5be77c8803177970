//! `leaselab leases compact`.

use std::path::PathBuf;

use super::load::How;
use super::rewrite::{Out, write};
use crate::error::CommandError;
use crate::exit::Exit;

/// The arguments of `leaselab leases compact`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The lease file
    file: PathBuf,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    how: How,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    write(&args.file, &args.how, &args.out, None)
}
