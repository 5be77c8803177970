//! `leaselab leases convert`.

use std::path::PathBuf;

use super::load::{Form, How};
use super::rewrite::{Out, write};
use crate::error::CommandError;
use crate::exit::Exit;

/// The arguments of `leaselab leases convert`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The lease file
    file: PathBuf,
    /// The form to write
    #[arg(long, value_enum, value_name = "FORM")]
    to: Form,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    how: How,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    write(&args.file, &args.how, &args.out, Some(args.to.into()))
}
