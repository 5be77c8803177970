//! Reads and writes the JSON document.

use std::io;

use serde::{Deserialize, Serialize};

use crate::cases::CasesReport;
use crate::crash::CrashReport;
use crate::wear::WearReport;

/// The version of the format. Adding keys does not change it.
pub const SCHEMA: u32 = 1;

/// The maximum size of a document that is read, in bytes.
pub const MAX_DOCUMENT_BYTES: u64 = 256 << 20;

/// The report of a command. The key `command` names the command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Document {
    /// `leaselab check`.
    Check(CasesReport),
    /// `leaselab run`.
    Run(CasesReport),
    /// `leaselab live`.
    Live(CasesReport),
    /// `leaselab qemu run`.
    Qemu(CasesReport),
    /// `leaselab crash`.
    Crash(CrashReport),
    /// `leaselab wear`.
    Wear(WearReport),
}

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The text is not JSON.
    #[error("no report of leaselab, which is JSON: {0}")]
    Syntax(serde_json::Error),
    /// The values do not have the types of the format.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// The document has another version of the format.
    #[error(
        "its `schema` is {0}, expected {SCHEMA}: write the report with this version of leaselab"
    )]
    Schema(u64),
    /// The text is JSON, but not a report.
    #[error(
        "no report of leaselab: expected a file that --json of check, run, crash or wear has written"
    )]
    NoReport,
}

/// Why a document cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The document contains a number that JSON cannot represent.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// The page cannot be rendered.
    #[error("{0}")]
    Page(#[from] askama::Error),
    /// The text cannot be written.
    #[error("{0}")]
    Io(#[from] io::Error),
}

#[derive(Serialize)]
struct Versioned<'a> {
    schema: u32,
    #[serde(flatten)]
    document: &'a Document,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// Returns an error if the text is not a report, or has another version of the format.
    pub fn read(text: &[u8]) -> Result<Self, ReadError> {
        let value: serde_json::Value = serde_json::from_slice(text).map_err(ReadError::Syntax)?;
        match (value.get("schema").and_then(serde_json::Value::as_u64), value.get("command")) {
            (Some(schema), Some(_)) if schema == u64::from(SCHEMA) => {
                Ok(serde_json::from_value(value)?)
            }
            (Some(schema), Some(_)) => Err(ReadError::Schema(schema)),
            _ => Err(ReadError::NoReport),
        }
    }

    /// Returns the document as JSON, with a trailing newline.
    ///
    /// # Errors
    /// Returns an error if the document contains a number that JSON cannot represent.
    pub fn to_json(&self) -> Result<String, WriteError> {
        let text = serde_json::to_string_pretty(&Versioned { schema: SCHEMA, document: self })?;
        Ok(text + "\n")
    }

    /// Returns the name of the command.
    pub fn command(&self) -> &'static str {
        match self {
            Self::Check(_) => "check",
            Self::Run(_) => "run",
            Self::Live(_) => "live",
            Self::Qemu(_) => "qemu run",
            Self::Crash(_) => "crash",
            Self::Wear(_) => "wear",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_survives_a_round_trip_through_json() {
        let document = Document::Run(CasesReport { passed: 3, ..CasesReport::default() });
        let text = document.to_json().expect("JSON");
        assert_eq!(Document::read(text.as_bytes()).expect("a document"), document);
    }

    #[test]
    fn text_that_is_not_a_report_of_this_version_is_rejected() {
        let why = |text: &str| Document::read(text.as_bytes()).expect_err("no report").to_string();
        assert!(why("{}").starts_with("no report of leaselab"));
        assert!(why("{\"schema\": 2, \"command\": \"run\"}").starts_with("its `schema` is 2"));
        assert!(why("{\"schema\": 1, \"command\": \"run\"}").starts_with("missing field"));
        assert!(why("{").contains("line 1 column"));
    }
}
