//! `leaselab report`.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use lab_report::{Document, MAX_DOCUMENT_BYTES};

use crate::error::CommandError;
use crate::exit::Exit;
use crate::report;
use crate::shown::Shown as _;

/// The arguments of `leaselab report`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The report that `--json` of check, run, live, qemu run, crash or wear has written; several reports of the shards of one
    /// run make one page
    #[arg(required = true)]
    json: Vec<PathBuf>,
    /// The page to write [default: next to the first report, with the extension html]
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let mut merged: Option<Document> = None;
    for path in &args.json {
        let document = read(path)?;
        merged = Some(match merged {
            None => document,
            Some(earlier) => {
                earlier.merge(document).map_err(|error| CommandError::file(path, error))?
            }
        });
    }
    let (Some(document), Some(first)) = (merged, args.json.first()) else {
        return Err(CommandError::usage("expected a JSON report"));
    };
    let html = args.html.clone().unwrap_or_else(|| first.with_extension("html"));
    report::write_html(&html, &document)?;
    outln!("{}", html.shown());
    Ok(Exit::Passed)
}

fn read(path: &Path) -> Result<Document, CommandError> {
    let refuse = |error: &dyn std::fmt::Display| CommandError::file(path, error);
    let file = File::open(path).map_err(|error| refuse(&error))?;
    let length = file.metadata().map_err(|error| refuse(&error))?.len();
    let mut text = Vec::new();
    if length <= MAX_DOCUMENT_BYTES {
        file.take(MAX_DOCUMENT_BYTES + 1).read_to_end(&mut text).map_err(|error| refuse(&error))?;
    }
    if length.max(text.len() as u64) > MAX_DOCUMENT_BYTES {
        return Err(refuse(&format!(
            "larger than {MAX_DOCUMENT_BYTES} bytes, the limit for a report"
        )));
    }
    Document::read(&text).map_err(|error| refuse(&error))
}
