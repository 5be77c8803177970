//! Which cases of the scenarios to run.

use std::path::PathBuf;

use super::RouterOptions;
use crate::error::CommandError;
use crate::suite::{self, Shard};
use scenario::Case;

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
    /// Loads the selected cases of files and folders.
    ///
    /// `convert` can change or drop cases before they are selected.
    ///
    /// # Errors
    /// A scenario that cannot be read, or no case selected.
    pub(in crate::cli) fn load(
        &self,
        paths: &[PathBuf],
        convert: impl FnOnce(Vec<Case>) -> Vec<Case>,
    ) -> Result<Vec<Case>, CommandError> {
        let mut cases = convert(suite::load(paths, &self.router.overrides()?)?);
        suite::select(&mut cases, self.filter.as_deref(), self.shard);
        if cases.is_empty() {
            return Err(CommandError::usage("no case matches these options"));
        }
        Ok(cases)
    }
}
