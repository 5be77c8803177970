//! `leaselab wear --svg`.

use std::path::{Path, PathBuf};

use super::study::error;
use crate::error::CommandError;
use crate::report;
use wear::{Charts, Study, StudyRow};

/// The file that is written first to a folder of charts.
const FIRST: &str = "erases.svg";

/// Where charts are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// One file with all charts.
    File(PathBuf),
    /// A folder with a file for each chart.
    Folder(PathBuf),
}

impl Destination {
    /// A folder that exists, or a path without `.svg`, is a folder; anything else is a file.
    ///
    /// # Errors
    /// A file that is not a chart, because it would be overwritten.
    pub(super) fn new(path: &Path) -> Result<Self, CommandError> {
        let is_svg = path.extension().is_some_and(|extension| extension == "svg");
        if path.is_dir() {
            Ok(Self::Folder(path.to_owned()))
        } else if path.is_file() && !is_svg {
            Err(CommandError::file(
                path,
                "exists and is not a folder: name a folder, or a file that ends in .svg",
            ))
        } else if is_svg || path.exists() {
            Ok(Self::File(path.to_owned()))
        } else {
            Ok(Self::Folder(path.to_owned()))
        }
    }

    /// Makes the folder, and returns a file to be written in it.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub(super) fn prepare(&self) -> Result<PathBuf, CommandError> {
        match self {
            Self::File(path) => Ok(path.clone()),
            Self::Folder(folder) => {
                backend::create_folder(folder)
                    .map_err(|error| CommandError::file(folder, error))?;
                Ok(folder.join(FIRST))
            }
        }
    }

    /// Draws the charts. Returns the files.
    ///
    /// # Errors
    /// Too many rows for a chart, or a file that cannot be written.
    pub(super) fn draw(
        &self,
        study: &Study,
        rows: &[&StudyRow],
        pool: &rayon::ThreadPool,
    ) -> Result<Vec<PathBuf>, CommandError> {
        if rows.len() > wear::MAX_LINES {
            return Err(CommandError::Usage(format!(
                "--svg: {} rows are too many for a chart: at most {}, so fewer dialects, chips or scripts",
                rows.len(),
                wear::MAX_LINES
            )));
        }
        let curves = pool.install(|| study.curves()).map_err(error)?;
        let charts = Charts::new(study, rows, &curves);
        let environment = |error: wear::ChartError| CommandError::Environment(error.to_string());
        match self {
            Self::File(path) => {
                let svg = charts.combined().map_err(environment)?;
                report::write_atomically(path, svg.as_bytes())?;
                Ok(vec![path.clone()])
            }
            Self::Folder(folder) => {
                let mut files = Vec::new();
                for (name, svg) in charts.separate().map_err(environment)? {
                    let path = folder.join(format!("{name}.svg"));
                    report::write_atomically(&path, svg.as_bytes())?;
                    files.push(path);
                }
                Ok(files)
            }
        }
    }
}
