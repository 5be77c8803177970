//! Reports for other programs.

use std::path::PathBuf;

use crate::error::CommandError;
use crate::report;

/// Where reports are written.
#[derive(Clone, Debug, Default, clap::Args)]
pub(in crate::cli) struct ReportOptions {
    /// Write a JUnit report with a test for each case
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) junit: Option<PathBuf>,
    /// Write a JSON report
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) json: Option<PathBuf>,
}

impl ReportOptions {
    /// Checks that the files can be written, before any work is done.
    ///
    /// # Errors
    /// The first file that cannot be written.
    pub(in crate::cli) fn check_writable(&self) -> Result<(), CommandError> {
        report::check_writable(self.junit.iter().chain(&self.json))
    }
}
