//! Checks that the engine makes the recorded calls when it is given the recorded stimuli.

use super::check_result::{CheckResult, Strictness};
use super::driver::Driver;
use super::error::TraceError;
use super::recording::Recording;

/// Checks one recording.
///
/// # Errors
/// If a stimulus has an invalid value.
pub fn check(recording: &Recording) -> Result<CheckResult, TraceError> {
    // The recorder writes the reason. It contains `arp` if only the order of neighbours is undetermined.
    let strictness = match recording.meta.racy.as_deref() {
        None => Strictness::Exact,
        Some(why) if why.contains("arp") => Strictness::ArpSets,
        Some(_) => Strictness::ReportOnly,
    };
    let mut driver = Driver::new(recording, strictness);
    for (line, stimulus) in recording.stimuli.iter().enumerate() {
        let invalid = |error| TraceError::Stimulus {
            path: recording.folder.join("stimuli.jsonl"),
            line: line + 1,
            error,
        };
        driver.check_clocks(stimulus);
        let made = driver.apply(stimulus).map_err(invalid)?;
        driver.made.push(made);
    }
    Ok(driver.finish())
}
