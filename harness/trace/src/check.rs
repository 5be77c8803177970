//! Checks a recording: the engine must make the recorded calls from the recorded stimuli.

use super::check_result::{CheckResult, Strictness};
use super::driver::Driver;
use super::error::TraceError;
use super::recording::Recording;

/// Checks one recording.
///
/// # Errors
/// If a stimulus has an invalid value.
pub fn check(recording: &Recording) -> Result<CheckResult, TraceError> {
    let strictness = match recording.meta.racy.as_deref() {
        None => Strictness::Exact,
        Some(why) if why.contains("arp") => Strictness::ArpSets,
        Some(_) => Strictness::ReportOnly,
    };
    let mut driver = Driver::new(recording, strictness);
    for (line, stimulus) in recording.stimuli.iter().enumerate() {
        let error = |message: String| TraceError::Value {
            path: recording.folder.join("stimuli.jsonl"),
            line: line + 1,
            message,
        };
        driver.check_clocks(stimulus);
        let made = driver.apply(stimulus).map_err(error)?;
        driver.made.push(made);
    }
    Ok(driver.finish())
}
