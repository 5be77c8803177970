//! The values of a project file as the defaults of options, so that the command line wins.

use clap::builder::ArgPredicate;
use clap::{ArgMatches, Command};

use super::Project;

/// The keys of a project file that are defaults of a command's options, as far as it has such options.
///
/// `replay` and the commands of printed reproductions name every option that has an effect, so that they do not depend on
/// the project. `claims` measures the project's own scripts. `wear` counts them, and runs another script only on request.
fn keys(command: &str) -> &'static [&'static str] {
    match command {
        "" | "replay" | "claims" | "init" => &[],
        "wear" | "wear fleet" => &["dialect", "router"],
        _ => &["script", "shell", "dialect", "router", "owns"],
    }
}

/// Whether a project file has an effect on a command.
pub(in crate::cli) fn concerns(matches: &ArgMatches) -> bool {
    let mut path = String::new();
    let mut leaf = matches;
    while let Some((name, sub)) = leaf.subcommand() {
        path = join(&path, name);
        leaf = sub;
    }
    keys(&path).iter().any(|key| leaf.try_contains_id(key).is_ok())
}

/// The definition of the command line with the defaults of a project.
pub(in crate::cli) fn with_defaults(project: &Project, command: Command) -> Command {
    add("", project, command)
}

fn add(path: &str, project: &Project, mut command: Command) -> Command {
    let has = |command: &Command, key: &str| {
        command.get_arguments().any(|argument| argument.get_id() == key)
    };
    let chooses_router = has(&command, "router");
    for key in keys(path) {
        let values = project.values(key, chooses_router);
        if values.is_empty() || !has(&command, key) {
            continue;
        }
        command = command.mut_arg(key, |argument| {
            let argument = argument.required(false);
            match (*key, &project.values("script", false)[..], &values[..]) {
                // The shell does not apply to a script that the command line names.
                ("shell", [script], [shell]) => {
                    argument.default_value_if("script", ArgPredicate::from(*script), *shell)
                }
                _ => argument.default_values(values),
            }
        });
    }
    let names: Vec<String> =
        command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |sub| add(&join(path, name), project, sub))
    })
}

fn join(path: &str, name: &str) -> String {
    format!("{path} {name}").trim_start().to_owned()
}

impl Project {
    /// The values of a key. The router determines the dialect where nothing else does.
    fn values(&self, key: &str, chooses_router: bool) -> Vec<&'static str> {
        let router = self.router.filter(|_| !chooses_router);
        let text = |text: &str| -> &'static str { text.to_owned().leak() };
        match key {
            "script" => self.script.iter().map(|path| text(&path.to_string_lossy())).collect(),
            "shell" => self.shell.iter().map(|shell| text(shell)).collect(),
            "dialect" => {
                let dialect = self.dialect.or(router.map(|router| router.dialect));
                dialect.iter().map(|dialect| dialect.name()).collect()
            }
            "router" => self.router.iter().map(|router| router.name.as_str()).collect(),
            "owns" => self.owns.iter().map(|pattern| text(pattern)).collect(),
            _ => Vec::new(),
        }
    }
}
