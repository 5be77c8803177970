//! The report of a leaselab command: a JSON document, and one self-contained HTML page that shows it.
//!
//! The types of [`Document`] define the format of the JSON files, which `docs/report.md` describes. They contain plain
//! data only, so that a page can be generated from the file alone. All texts are printable; see [`printable`].

#![forbid(unsafe_code)]

mod cases;
mod crash;
mod document;
mod event;
mod failure;
mod html;
mod merge;
mod text;
mod wear;

pub use cases::{CaseEntry, CaseVerdict, CasesReport, FindingEntry, GroupVerdict, Scenario};
pub use crash::{Breach, CaseText, Count, CrashReport};
pub use document::{Document, MAX_DOCUMENT_BYTES, ReadError, SCHEMA, WriteError};
pub use event::{Call, Command, Event, EventKind, FlashShape, Operation, OperationKind, Timeline};
pub use failure::{Failure, Severity};
pub use html::page;
pub use merge::MergeError;
pub use text::{is_printable, printable, printable_lines};
pub use wear::{LifeEntry, WearCounts, WearReport, WearRow};
