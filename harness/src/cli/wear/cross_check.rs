//! A script that also runs in real processes, to check the counts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::options::{SandboxOptions, check_script, shell_command, shell_words};
use crate::error::CommandError;
use backend::process::{ScriptCommand, ScriptFile};
use runner::NamePattern;
use scenario::Seconds;
use wear::CrossCheckSpec;

/// A script and how to run it.
#[derive(Debug, clap::Args)]
pub(super) struct CrossCheckArgs {
    /// Also run this script in real processes for a part of the time, and compare the counts
    #[arg(long, value_name = "PATH", conflicts_with_all = ["images", "rendered"])]
    script: Option<PathBuf>,
    /// Command that runs the script, such as `busybox ash` [default: the script's `#!` line]
    #[arg(long, value_name = "CMD", requires = "script", value_parser = shell_command)]
    shell: Option<String>,
    /// Part of the simulated time for which the script is run
    #[arg(long, value_name = "TIME", requires = "script", default_value = "7d")]
    window: Seconds,
    /// Kill a script and its children when a call takes longer
    #[arg(long, value_name = "SECONDS", requires = "script", default_value_t = 20)]
    timeout: u64,
    /// NVRAM variables that belong to the script, such as my_leases or 'lease_*'; may be repeated: losing them does
    /// not count as losing a setting [default: dnsmasq_lease_*]
    #[arg(long, value_name = "PATTERN", requires = "script")]
    owns: Vec<NamePattern>,
    #[command(flatten)]
    sandbox: SandboxOptions,
}

/// The default of `--owns`.
const DEFAULT_PREFIX: &[u8] = b"dnsmasq_lease_";

/// Longest `--window`, in seconds, because a year in processes takes days.
const LONGEST_WINDOW: u64 = 366 * wear::DAY;

impl CrossCheckArgs {
    /// What is checked, if a script is given.
    ///
    /// # Errors
    /// A script that cannot be read, or a window out of range.
    pub(super) fn spec(
        &self,
        slack: Option<Seconds>,
    ) -> Result<Option<CrossCheckSpec>, CommandError> {
        let Some(path) = &self.script else {
            if self.sandbox != SandboxOptions::default() {
                return Err(CommandError::usage("--no-sandbox needs --script"));
            }
            return Ok(None);
        };
        check_script(path, self.shell.is_some())?;
        if !(1..=LONGEST_WINDOW).contains(&self.window.0) {
            return Err(CommandError::Usage(format!(
                "--window {}: expected 1s to 366d",
                self.window
            )));
        }
        let mut environment = BTreeMap::new();
        if let Some(slack) = slack {
            environment.insert("LEASE_SLACK".to_owned(), slack.0.to_string());
        }
        let label = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Some(CrossCheckSpec {
            command: ScriptCommand {
                file: ScriptFile::Path(path.clone()),
                shell: shell_words(self.shell.as_deref()),
                environment,
                storage: Arc::default(),
            },
            label,
            settings: self.sandbox.settings(self.timeout)?,
            owns: match self.owns.as_slice() {
                [] => vec![NamePattern::prefix(DEFAULT_PREFIX)],
                named => named.to_vec(),
            },
            seconds: self.window.0,
        }))
    }
}
