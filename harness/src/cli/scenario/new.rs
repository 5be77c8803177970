//! `leaselab scenario new`.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::CommandError;
use crate::exit::Exit;
use crate::shown::Shown as _;

/// The first scenario.
const FIRST: &str = include_str!("first.toml");
/// The file of the schema, to which the first line of the scenario refers.
const SCHEMA: &str = "scenario.schema.json";

/// Arguments of `leaselab scenario new`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The new file. It must not exist
    #[arg(value_name = "FILE", default_value = "first.toml")]
    path: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Exit, CommandError> {
    let path = &args.path;
    if path.extension().is_none_or(|extension| extension != "toml") {
        return Err(CommandError::file(path, "the name of a scenario ends in .toml"));
    }
    if let Some(folder) = path.parent() {
        backend::create_folder(folder).map_err(|error| CommandError::file(folder, error))?;
    }
    create(path, FIRST.as_bytes()).map_err(|error| CommandError::file(path, error))?;
    outln!("wrote {}", path.shown());
    let schema = path.with_file_name(SCHEMA);
    match create(&schema, scenario::json_schema().as_bytes()) {
        Ok(()) => outln!("wrote {} for editors with TOML support", schema.shown()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(CommandError::file(&schema, error)),
    }
    outln!("run it: leaselab run {}", path.shown());
    outln!("test a script of your own: leaselab run {} --script ./SCRIPT", path.shown());
    Ok(Exit::Passed)
}

fn create(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    File::create_new(path)?.write_all(contents)
}
