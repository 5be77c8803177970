//! `leaselab man`.

use std::path::PathBuf;

use crate::error::CommandError;
use crate::exit::Exit;

/// The arguments of `leaselab man`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder for the pages of all commands, such as leaselab-wear-fleet.1 [default: print the page of leaselab]
    dir: Option<PathBuf>,
    /// Print the help texts of all commands as one Markdown page
    #[arg(long, conflicts_with = "dir")]
    markdown: bool,
}

/// Width of the help texts in the Markdown page: as much as a page of the book shows without scrolling.
const WIDTH: usize = 84;

pub(super) fn run(args: &Args, command: clap::Command) -> Result<Exit, CommandError> {
    if args.markdown {
        let mut command = command.term_width(WIDTH);
        command.build();
        outln!("# Command line");
        outln!("");
        outln!("The output of `leaselab man --markdown`.");
        print_markdown(&mut command, "leaselab");
        return Ok(Exit::Passed);
    }
    let Some(folder) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).map_err(CommandError::usage)?;
        out!("{}", String::from_utf8_lossy(&page));
        return Ok(Exit::Passed);
    };
    backend::create_folder(folder)
        .and_then(|opened| clap_mangen::generate_to(command, opened.path()))
        .map_err(|error| CommandError::file(folder, error))?;
    Ok(Exit::Passed)
}

/// Prints the help text of a command and those of its subcommands.
fn print_markdown(command: &mut clap::Command, name: &str) {
    outln!("");
    outln!("## {name}");
    outln!("");
    outln!("```text");
    for line in command.render_long_help().to_string().lines() {
        outln!("{}", line.trim_end());
    }
    outln!("```");
    let shown =
        |command: &&mut clap::Command| command.get_name() != "help" && !command.is_hide_set();
    for subcommand in command.get_subcommands_mut().filter(shown) {
        let name = format!("{name} {}", subcommand.get_name());
        print_markdown(subcommand, &name);
    }
}
