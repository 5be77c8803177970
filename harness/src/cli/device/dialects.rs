//! `leaselab device dialects`.

use nvram_emu::Dialect;
use nvram_emu::dialect::markdown_table;

use crate::exit::Exit;

/// The arguments of `leaselab device dialects`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print a page in Markdown
    #[arg(long)]
    markdown: bool,
}

pub(super) fn run(args: &Args) -> Exit {
    if args.markdown {
        out!("# Dialects of the `nvram` tool\n\n{}", markdown_table());
        return Exit::Passed;
    }
    for dialect in Dialect::ALL {
        let info = dialect.info();
        let (against, not_run) = match info.verified {
            Some(verified) => (verified.against, verified.not_run),
            None => ("nothing, modelled from source code", "everything"),
        };
        let free = info.free_space.describe();
        outln!("{dialect}: {}", info.firmware);
        outln!("    verified against {against}");
        outln!("    not run, modelled from source only: {not_run}");
        outln!("    free space: {free}");
    }
    Exit::Passed
}
