//! The script under test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SandboxOptions;
use crate::error::CommandError;
use crate::shown::Shown as _;
use crate::words::Words;
use backend::ExternalScript;
use backend::process::{Settings, check_script_file};
use runner::{NamePattern, ScriptChoice};
use scenario::Case;

/// The default of `--timeout`.
pub(in crate::cli) const DEFAULT_TIMEOUT_SECONDS: u64 = 20;

/// Options that choose the script under test.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct ScriptOptions {
    /// Test this lease script instead of the project's own
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) script: Option<PathBuf>,
    /// Command that runs the script, such as `busybox ash` [default: the script's `#!` line]
    #[arg(long, value_name = "CMD", value_parser = shell_command)]
    pub(in crate::cli) shell: Option<String>,
    /// Kill a script and its children when a call takes longer
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_SECONDS)]
    timeout: u64,
    /// NVRAM variables that belong to the script, such as my_leases or 'lease_*'; may be repeated [default: dnsmasq_lease_*]
    #[arg(long, value_name = "PATTERN")]
    owns: Vec<NamePattern>,
}

impl Default for ScriptOptions {
    fn default() -> Self {
        Self { script: None, shell: None, timeout: DEFAULT_TIMEOUT_SECONDS, owns: Vec::new() }
    }
}

impl ScriptOptions {
    /// The options for a script.
    pub(in crate::cli) fn new(script: PathBuf, shell: Option<String>, timeout: u64) -> Self {
        Self { script: Some(script), shell, timeout, owns: Vec::new() }
    }

    /// The same options with these patterns of the variables that belong to the script.
    #[must_use]
    pub(in crate::cli) fn owning(self, owns: Vec<NamePattern>) -> Self {
        Self { owns, ..self }
    }

    /// The script and its shell.
    ///
    /// # Errors
    /// A script that cannot be run.
    pub(in crate::cli) fn choice(&self) -> Result<ScriptChoice, CommandError> {
        self.check()?;
        Ok(ScriptChoice {
            path: self.script.clone(),
            shell: shell_words(self.shell.as_deref()),
            owns: self.owns.clone(),
        })
    }

    /// Whether `--script` names the script.
    pub(in crate::cli) fn is_chosen(&self) -> bool {
        self.script.is_some()
    }

    /// Checks that the script can be run.
    ///
    /// # Errors
    /// The path with the reason why not.
    pub(in crate::cli) fn check(&self) -> Result<(), CommandError> {
        match &self.script {
            Some(path) => check_script(path, self.shell.is_some()),
            None => Ok(()),
        }
    }

    /// How processes run the script.
    ///
    /// # Errors
    /// When this executable cannot be found.
    pub(in crate::cli) fn settings(
        &self,
        sandbox: SandboxOptions,
    ) -> Result<Settings, CommandError> {
        sandbox.settings(self.timeout)
    }

    /// The script of a case, or `--script`, as processes that can be started from any state of a router.
    ///
    /// # Errors
    /// A script that cannot be run.
    pub(in crate::cli) fn processes(
        &self,
        case: &Case,
        sandbox: SandboxOptions,
    ) -> Result<Arc<ExternalScript>, CommandError> {
        let command = runner::command(case, &self.choice()?)?;
        Ok(Arc::new(ExternalScript::new(command, self.settings(sandbox)?)))
    }

    /// The options as words of a command line.
    pub(in crate::cli) fn add_to(&self, words: &mut Words) {
        words.path("--script", self.script.as_deref());
        words.option("--shell", self.shell.as_ref());
        let timeout = Some(self.timeout).filter(|seconds| *seconds != DEFAULT_TIMEOUT_SECONDS);
        words.option("--timeout", timeout);
        for pattern in &self.owns {
            words.option("--owns", Some(pattern));
        }
    }
}

/// Parses the value of `--shell`.
///
/// # Errors
/// A value without a program.
pub(in crate::cli) fn shell_command(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected a command, for example 'busybox ash'".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// The words of a command that runs a script.
pub(in crate::cli) fn shell_words(shell: Option<&str>) -> Vec<String> {
    shell.into_iter().flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// Checks that the script of `--script` can be run.
///
/// # Errors
/// The path with the reason why not.
pub(in crate::cli) fn check_script(path: &Path, has_shell: bool) -> Result<(), CommandError> {
    check_script_file(path, has_shell)
        .map_err(|error| CommandError::Usage(format!("--script {}: {error}", path.shown())))
}
