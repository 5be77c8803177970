//! Reports of results, for people and for other programs.

mod annotations;
mod convert;
pub mod crash;
mod document;
mod failure_text;
mod failures;
mod files;
mod hint;
pub mod journal_lab;
mod junit;
mod keep;
mod output;
mod terminal;

pub use annotations::{Forge, print_annotations};
pub use document::{cases_report, write_html, write_json};
pub use failure_text::{Detail, print_failures, print_found_groups, print_groups};
pub use failures::{FoldedFindings, Place};
pub use files::{CaseOutcome, FileReport, Summary, by_file, file_at, next_file, parameters};
pub use junit::{JunitEnd, JunitTest, write_junit, write_junit_tests};
pub use keep::keep;
pub use output::{check_writable, write_atomically, write_new};
pub use terminal::{Progress, finding_text, print_claims, print_clock_note};
