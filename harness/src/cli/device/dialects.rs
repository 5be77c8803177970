//! `leaselab device dialects`.

use nvram_emu::Dialect;

use crate::exit::Exit;

/// The arguments of `leaselab device dialects`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print a table in Markdown with the names, the firmware and the free space
    #[arg(long)]
    markdown: bool,
}

pub(super) fn run(args: &Args) -> Exit {
    if args.markdown {
        outln!("| dialect | firmware | verified against | not run | free space |");
        outln!("|---|---|---|---|---|");
    }
    for dialect in Dialect::ALL {
        let info = dialect.info();
        let (against, not_run) = match info.verified {
            Some(verified) => (verified.against, verified.not_run),
            None => ("nothing, modelled from source code", "everything"),
        };
        let free = info.free_space.describe();
        if args.markdown {
            outln!("| `{dialect}` | {} | {against} | {not_run} | {free} |", info.firmware);
        } else {
            outln!("{dialect}: {}", info.firmware);
            outln!("    verified against {against}");
            outln!("    not run: {not_run}");
            outln!("    free space: {free}");
        }
    }
    Exit::Passed
}
