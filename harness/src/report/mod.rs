//! Reports of results, for people and for other programs.

pub mod crash;
mod files;
pub mod journal_lab;
mod json;
mod junit;
mod keep;
mod output;
mod terminal;

pub use files::{CaseOutcome, FileReport, Summary, by_file, file_at, next_file};
pub use json::write_json;
pub use junit::{JunitEnd, JunitTest, write_junit, write_junit_tests};
pub use keep::keep;
pub use output::{check_writable, write_atomically, write_new};
pub use terminal::{Progress, finding_text, print_claims};
