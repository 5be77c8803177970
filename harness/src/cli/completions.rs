//! `leaselab completions`.

use clap_complete::Shell;

use crate::exit::Exit;

/// The arguments of `leaselab completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &Args, mut command: clap::Command) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "leaselab", &mut script);
    out!("{}", String::from_utf8_lossy(&script));
    Exit::Passed
}
