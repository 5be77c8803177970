//! Which cases of the scenarios to run.

use std::path::PathBuf;

use super::RouterOptions;
use crate::builtin;
use crate::error::CommandError;
use crate::suite::{self, Shard, Suite};
use scenario::{Case, Overrides, Unsuited};

/// Options that select cases.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct CaseFilter {
    #[command(flatten)]
    pub(in crate::cli) router: RouterOptions,
    /// Run only the cases whose name contains TEXT or that have TEXT as a tag
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) filter: Option<String>,
    /// Run only the I-th of N equal parts of the cases
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
}

impl CaseFilter {
    /// Loads the selected cases of files and folders. `is_chosen`: `--script` names the script.
    ///
    /// `convert` can change or drop cases before they are selected.
    ///
    /// # Errors
    /// A scenario that cannot be read, or no case selected.
    pub(in crate::cli) fn load(
        &self,
        paths: &[PathBuf],
        is_chosen: bool,
        convert: impl FnOnce(Vec<Case>) -> Vec<Case>,
    ) -> Result<Suite, CommandError> {
        let overrides = Overrides { chosen_script: is_chosen, ..self.router.overrides()? };
        let mut suite = suite::load(paths, &overrides)?;
        suite.cases = convert(suite.cases);
        suite.select(self.filter.as_deref(), None);
        if suite.cases.is_empty() {
            return Err(CommandError::Usage(match suite.unsuited.first() {
                Some(unsuited) => format!(
                    "no case matches these options: {} is left out, because {}",
                    unsuited.name, unsuited.why
                ),
                None => "no case matches these options".to_owned(),
            }));
        }
        // There may be more shards than cases.
        suite.select(None, self.shard);
        Ok(suite)
    }
}

/// The paths of the command line, or the default.
pub(in crate::cli) fn paths_or(paths: &[PathBuf], folder: &str) -> Vec<PathBuf> {
    if paths.is_empty() { vec![builtin::default_folder(folder)] } else { paths.to_vec() }
}

/// Prints how many scenarios apply, and with `verbose` which cases do not.
pub(in crate::cli) fn print_unsuited(suite: &Suite, verbose: bool) {
    let Some(summary) = suite.summary() else { return };
    if verbose {
        errln!("{summary}:");
        for Unsuited { name, why, .. } in &suite.unsuited {
            errln!("  {name}: {why}");
        }
    } else {
        errln!("{summary} (--verbose names them)");
    }
}
