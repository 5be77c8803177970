//! The report of one case.

use std::time::Duration;

use nvram_emu::Machine;

use super::findings::Finding;
use super::options::Options;
use super::tally::Tally;
use scenario::{Case, Id};

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every invariant and every expectation held.
    Passed,
    /// At least one finding is a failure.
    Failed,
    /// The case cannot be run with these options; the text says why.
    Skipped(String),
}

/// The result of a case.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// The file's name, with the values of its parameters.
    pub name: String,
    /// The command that runs only this case with the same options.
    pub reproduction: String,
    /// The `leaselab replay` command for this case. It refuses to run when the scenario has changed since.
    pub replay: String,
    /// How it ended.
    pub verdict: Verdict,
    /// The findings that the scenario does not expect.
    pub failures: Vec<Finding>,
    /// The findings that the scenario lists under `[[breaks]]`.
    pub foreseen: Vec<Finding>,
    /// Script calls, `nvram` commands and flash operations of the whole case.
    pub total: Tally,
    /// One line for each script call, if [`Options::log`] is set.
    pub log: Vec<String>,
    /// Why the script ran without a private root, if it did.
    pub shared_root: Option<String>,
    /// The router at the end of a case that failed.
    pub machine: Option<Machine>,
    /// Wall-clock time.
    pub took: Duration,
}

/// The report of a case that has not run yet.
pub fn blank_report(case: &Case, options: &Options) -> CaseReport {
    CaseReport {
        name: case.name(),
        reproduction: reproduction(case, options),
        replay: replay(case, options),
        verdict: Verdict::Passed,
        failures: Vec::new(),
        foreseen: Vec::new(),
        total: Tally::default(),
        log: Vec::new(),
        shared_root: None,
        machine: None,
        took: Duration::ZERO,
    }
}

fn reproduction(case: &Case, options: &Options) -> String {
    let mut words = vec!["leaselab".to_owned()];
    words.extend(options.command.iter().map(|word| (*word).to_owned()));
    words.push(case.source.path.to_string_lossy().into_owned());
    words.extend(["--filter".to_owned(), case.name(), "--verbose".to_owned()]);
    words.extend(options.arguments.iter().cloned());
    let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
    quoted.join(" ")
}

fn replay(case: &Case, options: &Options) -> String {
    let id = Id::new(case, &[]).to_string();
    let words = ["leaselab".to_owned(), "replay".to_owned(), id, "--verbose".to_owned()];
    let quoted: Vec<String> = words.iter().chain(&options.arguments).map(|w| quote(w)).collect();
    quoted.join(" ")
}

/// Quotes a word for a POSIX shell, if it needs it.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
