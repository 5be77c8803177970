//! The script of a case: which program, its environment, and how a back end runs it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lease_script::{Config, DEFAULT_PREFIX, Environment};

use super::case_error::{CaseError, InProcessError};
use super::owned_variables::{NamePattern, OwnedVariables};
use super::storage::storage;
use backend::process::{ScriptCommand, ScriptFile};
use backend::{BackendError, Function};
use scenario::diagnostics::SourceError;
use scenario::{Case, Store, did_you_mean};

const SHELL_SCRIPT: &str = include_str!("../../../lease-script/lease_update.sh");
const NAIVE_SCRIPT: &str = include_str!("../../../scenarios/scripts/naive.sh");

/// The names of the scripts that a scenario can use without a path.
const BUILT_IN: [&str; 3] = ["shell", "rust", "naive"];

/// The script that the command line chooses.
#[derive(Clone, Debug, Default)]
pub struct ScriptChoice {
    /// `--script`: replaces the project's own scripts, `shell` and `rust`.
    pub path: Option<PathBuf>,
    /// `--shell`, split into words.
    pub shell: Vec<String>,
    /// `--owns`: the NVRAM variables that belong to the script. If empty, those that begin with the script's prefix.
    pub owns: Vec<NamePattern>,
}

impl ScriptChoice {
    /// The script for commands that run without a scenario.
    pub fn command(&self) -> ScriptCommand {
        let file = match &self.path {
            Some(path) => ScriptFile::Path(path.clone()),
            None => ScriptFile::BuiltIn("lease_update.sh", SHELL_SCRIPT),
        };
        ScriptCommand {
            file,
            shell: self.shell.clone(),
            environment: BTreeMap::new(),
            storage: Arc::default(),
        }
    }
}

/// The program that a case runs, with the choices of the command line applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program<'a> {
    /// `lease_update.sh`.
    Shell,
    /// `lease-update`.
    Rust,
    /// `naive.sh`.
    Naive,
    /// `--script` in place of `shell` or `rust`.
    Chosen(&'a Path),
    /// A path in the scenario, relative to its file.
    Path(&'a str),
}

fn program<'a>(case: &'a Case, choice: &'a ScriptChoice) -> Program<'a> {
    match (case.scenario.script.program.get_ref().as_str(), &choice.path) {
        ("shell" | "rust", Some(path)) => Program::Chosen(path),
        ("shell", None) => Program::Shell,
        ("rust", None) => Program::Rust,
        ("naive", _) => Program::Naive,
        (path, _) => Program::Path(path),
    }
}

/// Whether the case runs `lease_update.sh` or `lease-update`.
pub(super) fn is_the_projects_own(case: &Case, choice: &ScriptChoice) -> bool {
    matches!(program(case, choice), Program::Shell | Program::Rust)
}

/// Where the script of a case comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScriptOrigin {
    /// The scenario names it, so the scenario may expect how it works.
    Scenario,
    /// `--script` replaces the scenario's script. Only what every script must do can be expected of it.
    Chosen,
}

/// Where the script of a case comes from.
pub(super) fn origin(case: &Case, choice: &ScriptChoice) -> ScriptOrigin {
    match program(case, choice) {
        Program::Chosen(_) => ScriptOrigin::Chosen,
        _ => ScriptOrigin::Scenario,
    }
}

/// The prefix of the variables of a script that stores one lease in each variable, as the judge can decode it; `None`
/// where the judge relies on the output of `init` alone.
pub(super) fn record_prefix(case: &Case, choice: &ScriptChoice) -> Option<Vec<u8>> {
    match program(case, choice) {
        Program::Shell | Program::Rust | Program::Naive if choice.owns.is_empty() => {
            Some(prefix(&environment(case)))
        }
        _ => None,
    }
}

/// The NVRAM variables that belong to the script of a case.
pub(super) fn owned_variables(case: &Case, choice: &ScriptChoice) -> OwnedVariables {
    if choice.owns.is_empty() {
        return OwnedVariables::with_prefix(&prefix(&environment(case)));
    }
    OwnedVariables::new(choice.owns.clone())
}

/// Why the script that `--script` chooses cannot keep the leases of a case; `None` if it can.
///
/// Of the scripts that write to a journal there is only `lease-update`, which is recognised by the name of its file.
pub(super) fn keeps_no_journal(case: &Case, choice: &ScriptChoice) -> Option<String> {
    match (case.scenario.router.store, program(case, choice)) {
        (Store::Journal, Program::Chosen(path))
            if path.file_name().is_none_or(|name| name != "lease-update") =>
        {
            let path = path.display();
            Some(format!(
                "`store = \"journal\"` needs lease-update: --script {path} keeps no journal"
            ))
        }
        _ => None,
    }
}

/// The environment variables that the scenario's `[script]` sets.
pub(super) fn environment(case: &Case) -> BTreeMap<String, String> {
    let script = &case.scenario.script;
    let mut environment: BTreeMap<String, String> = script
        .environment
        .iter()
        .map(|(name, value)| (name.clone(), value.get_ref().clone()))
        .collect();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            environment.insert(name.to_owned(), value);
        }
    };
    put("LEASE_SLACK", script.slack.map(|slack| slack.0.to_string()));
    put("LEASE_MAX", script.max.map(|max| max.to_string()));
    put("LEASE_STRICT", script.strict.map(|strict| u8::from(strict).to_string()));
    put("LEASE_NVRAM_FREE", script.free.map(|free| free.0.to_string()));
    environment
}

/// Checks that the variables of `[script]` can be passed to a process.
///
/// # Errors
/// The first that cannot, with its place in the file.
pub fn check_environment(case: &Case) -> Result<(), SourceError> {
    for (name, value) in &case.scenario.script.environment {
        let text = value.get_ref();
        if !is_variable_name(name) {
            return Err(case.error(value.span(), no_variable_name(name)));
        }
        if text.contains('\0') {
            let message = format!(
                "{text:?} contains a NUL byte, which an environment variable cannot contain"
            );
            return Err(case.error(value.span(), message));
        }
    }
    Ok(())
}

/// Whether an environment can contain a variable of this name.
pub(super) fn is_variable_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

/// The message for an invalid name of a variable.
pub(super) fn no_variable_name(name: &str) -> String {
    format!("invalid variable name {name:?}: expected at least one byte, none of them `=` or NUL")
}

/// Adds the place in the scenario file to an error about its script or its persistent folders.
pub(super) fn place_script_error(
    case: &Case,
    choice: &ScriptChoice,
    fault: CaseError,
) -> CaseError {
    match (fault, program(case, choice)) {
        (CaseError::Backend(BackendError::Script(why)), Program::Path(path)) => {
            let error = case.error(case.scenario.script.program.span(), why);
            match did_you_mean(path, BUILT_IN) {
                Some(name) => error.help(format!("did you mean the script `{name}`?")).into(),
                None => error.into(),
            }
        }
        (CaseError::Backend(BackendError::Storage(why)), _) => {
            case.error(case.section("router"), why).into()
        }
        (other, _) => other,
    }
}

/// The prefix of the names of lease variables.
fn prefix(environment: &BTreeMap<String, String>) -> Vec<u8> {
    environment.get("LEASE_PREFIX").map_or(DEFAULT_PREFIX, String::as_str).as_bytes().to_vec()
}

/// Whether the script of a case is available as a function; otherwise it runs in processes only.
pub fn runs_in_process(case: &Case, choice: &ScriptChoice) -> bool {
    match program(case, choice) {
        Program::Naive | Program::Shell | Program::Rust => true,
        Program::Chosen(_) | Program::Path(_) => false,
    }
}

/// The case's script as a function.
///
/// # Errors
/// A script that is not available as a function, or an environment that it rejects, with the place of `use` in the file.
pub(super) fn function(case: &Case, choice: &ScriptChoice) -> Result<Function, InProcessError> {
    let unavailable = |why: String| Err(InProcessError::Unavailable(why));
    match program(case, choice) {
        Program::Naive => Ok(Function::Naive),
        Program::Shell | Program::Rust => {
            let span = case.scenario.script.program.span();
            let environment: Environment = environment(case).into_iter().collect();
            let config = Config::from_env(&environment)
                .map_err(|why| SourceError::new(&case.source, span, why))?;
            Ok(Function::LeaseUpdate(config))
        }
        Program::Chosen(_) => unavailable("a script of your own runs in processes only".to_owned()),
        Program::Path(path) => unavailable(format!("{path} runs in processes only")),
    }
}

/// The case's script as a command.
///
/// # Errors
/// A persistent folder that cannot be one, or whose contents cannot be read.
pub fn command(case: &Case, choice: &ScriptChoice) -> Result<ScriptCommand, SourceError> {
    let file = match program(case, choice) {
        Program::Shell => ScriptFile::BuiltIn("lease_update.sh", SHELL_SCRIPT),
        Program::Rust => ScriptFile::LeaseUpdate,
        Program::Naive => ScriptFile::BuiltIn("naive.sh", NAIVE_SCRIPT),
        Program::Chosen(path) => ScriptFile::Path(path.to_owned()),
        Program::Path(path) => {
            let folder = case.source.path.parent().unwrap_or(Path::new("."));
            ScriptFile::Path(folder.join(path))
        }
    };
    let shell = match file {
        ScriptFile::LeaseUpdate => Vec::new(),
        _ => choice.shell.clone(),
    };
    let storage = Arc::new(storage(case)?);
    Ok(ScriptCommand { file, shell, environment: environment(case), storage })
}
