//! Explores the power cuts and kills of the suite's cases.

use crate::cli::options::{GateOptions, SandboxOptions, ScriptOptions};
use crate::error::CommandError;
use crate::report::Progress;
use backend::Function;
use explore::crash::{self, Report};
use runner::InProcessError;
use scenario::{Case, Group};

/// One power cut or kill at a time: two in a row take a hundred times as long.
const DEPTH: u32 = 1;

/// Whether the power cuts of a case are explored. A quick check explores only the scenarios that are about them.
pub(super) fn is_explored(case: &Case, quick: bool) -> bool {
    match case.scenario.group {
        Some(Group::Atomic) => true,
        Some(Group::Survives | Group::Dhcpv6) => !quick,
        _ => false,
    }
}

/// Explores the power cuts and kills of the cases on all threads of the current pool.
///
/// # Errors
/// A script that cannot be run.
pub(super) fn explore(
    cases: &[&Case],
    script: &ScriptOptions,
    sandbox: SandboxOptions,
) -> Result<Vec<Report>, CommandError> {
    let progress = Progress::new(cases.len());
    let choice = script.choice()?;
    // The counts distinguish bugs from risks, whatever the options deny.
    let bugs = GateOptions::default().policy(true);
    let mut reports = Vec::new();
    for case in cases {
        let function = Function::Process(script.processes(case, sandbox)?);
        let options = crash::Options { depth: DEPTH, ..crash::Options::default() };
        reports.push(match crash::explore(case, Some(function), &choice, &bugs, options) {
            // A scenario with a fault of its own.
            Err(InProcessError::Unavailable(_)) => Report::default(),
            explored => explored?,
        });
        progress.advance();
    }
    progress.finish();
    Ok(reports)
}
