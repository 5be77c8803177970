//! The command itself.

use std::fs;
use std::path::{Path, PathBuf};

use nvram_emu::Dialect;

use super::ci::Service;
use crate::cli::options::{check_script, dialect_names, router_names, shell_command};
use crate::cli::project::FILE_NAME;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report;
use crate::shown::Shown as _;

/// The arguments of `leaselab init`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The lease script [default: the only *.sh file of this folder]
    script: Option<PathBuf>,
    /// Command that runs the script, such as `busybox ash` [default: the script's `#!` line]
    #[arg(long, value_name = "CMD", value_parser = shell_command)]
    shell: Option<String>,
    /// Dialect of the router's nvram tool
    #[arg(long, value_name = "NAME", value_parser = dialect_names())]
    dialect: Option<String>,
    /// A well-known router, which determines the dialect
    #[arg(long, value_name = "NAME", value_parser = router_names())]
    router: Option<String>,
    /// Service whose job checks the script at each push
    #[arg(long, value_enum, default_value = "github")]
    ci: Service,
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, CommandError> {
    let script = match &args.script {
        Some(script) => script.clone(),
        None => only_script()?,
    };
    check_script(&script, args.shell.is_some())?;
    let project = project_file(args, &script.to_string_lossy());
    let mut created = write(Path::new(FILE_NAME), &project)?;
    if let Some((path, text)) = args.ci.job() {
        created |= write(Path::new(path), text)?;
    }
    if !created {
        return Err(CommandError::usage("nothing to write: all files exist already"));
    }
    outln!("next: leaselab check");
    Ok(Exit::Passed)
}

/// The only shell script of this folder.
fn only_script() -> Result<PathBuf, CommandError> {
    let is_script = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "sh");
    let entries = fs::read_dir(".").map_err(|error| CommandError::file(Path::new("."), error))?;
    let mut scripts: Vec<PathBuf> =
        entries.flatten().map(|entry| PathBuf::from(entry.file_name())).filter(is_script).collect();
    scripts.sort();
    match &scripts[..] {
        [only] => Ok(only.clone()),
        [] => Err(CommandError::usage("no *.sh file in this folder: name the script")),
        [first, second, ..] => Err(CommandError::Usage(format!(
            "several *.sh files in this folder ({}, {}): name the script",
            first.shown(),
            second.shown()
        ))),
    }
}

/// Writes a file unless it exists. Returns whether it was written.
fn write(path: &Path, text: &str) -> Result<bool, CommandError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        backend::create_folder(folder).map_err(|error| CommandError::file(folder, error))?;
    }
    let created = report::write_new(path, text.as_bytes())?;
    if created {
        outln!("created {}", path.shown());
    } else {
        errln!("not changed: {} exists already", path.shown());
    }
    Ok(created)
}

fn project_file(args: &Args, script: &str) -> String {
    let line = |key: &str, value: Option<&str>, example: &str| match value {
        Some(value) => format!("{key} = {}\n", toml::Value::from(value)),
        None => format!("# {key} = {}\n", toml::Value::from(example)),
    };
    let dialects: Vec<&str> = Dialect::ALL.iter().map(|dialect| dialect.name()).collect();
    let example = dialects.first().copied().unwrap_or_default();
    [
        "# Defaults of leaselab's options in this folder and below. The command line wins.\n\n".to_owned(),
        "# The lease script, relative to this file.\n".to_owned(),
        line("script", Some(script), ""),
        "\n# What runs the script. Without it, the script's #! line does.\n".to_owned(),
        line("shell", args.shell.as_deref(), "busybox ash"),
        "\n# A well-known router, which determines flash, NVRAM and dialect: see leaselab wear --list-routers\n"
            .to_owned(),
        line("router", args.router.as_deref(), "wrt54gl"),
        format!("\n# The dialect of the router's nvram tool: {}\n", dialects.join(", ")),
        line("dialect", args.dialect.as_deref(), example),
        "\n# The NVRAM variables that belong to the script.\n".to_owned(),
        "# owns = [\"dnsmasq_lease_*\"]\n".to_owned(),
    ]
    .concat()
}
