//! `leaselab crash`.

use std::path::PathBuf;
use std::time::Duration;

use rayon::prelude::*;

use super::options::{
    CaseFilter, GateOptions, Jobs, ReplayOptions, ReportOptions, SandboxOptions, ScriptOptions,
    SingleTarget, print_unsuited,
};
use super::play::run_again;
use super::reproduction::{PlayedOn, Reproduction, ReproductionId};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report::crash::{self as text, Faults};
use crate::report::{self, Detail, FoldedFindings, JunitTest, journal_lab as table};
use crate::words::Words;
use backend::Function;
use explore::crash::{self, Report};
use journal_lab::CaseResult;
use runner::{CaseError, Finding, GatePolicy, InProcessError};
use scenario::{Case, Id};

/// The arguments of `leaselab crash`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario files, or folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    cases: CaseFilter,
    #[command(flatten)]
    script: ScriptOptions,
    #[command(flatten)]
    gate: GateOptions,
    /// With `process`, also reach the states with real processes and compare [default: in-process]
    #[arg(long, value_enum)]
    target: Option<SingleTarget>,
    #[command(flatten)]
    sandbox: SandboxOptions,
    #[command(flatten)]
    jobs: Jobs,
    /// Number of cuts in a row: 2 also cuts the recovery and the first events after it [default: 2, and 1 with --script]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8))]
    depth: Option<u32>,
    /// With `--target process`: confirm as many states, evenly chosen, as fit into this time
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    budget: Option<u64>,
    #[command(flatten)]
    reports: ReportOptions,
    /// Where to cut flash operations
    #[arg(long, value_enum, default_value = "powers")]
    granularity: Granularity,
    /// Judge every state, even if it was judged before
    #[arg(long)]
    no_dedup: bool,
    /// Stop after the first scenario in which something is broken
    #[arg(long)]
    fail_fast: bool,
    /// Print the id and the verdict of every cut that was judged
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Granularity {
    /// After the first byte, before the last, and at powers of two
    Powers,
    /// After every byte
    Byte,
}

/// The findings of the exploration of several cases.
#[derive(Default)]
struct Findings {
    total: Report,
    tests: Vec<JunitTest>,
    /// Violations and findings, equal ones together.
    found: FoldedFindings,
    /// Unexpected results of programs that rewrite their lease database.
    faults: Faults,
    /// Cases that ask for something that cannot be carried out.
    invalid: Faults,
    /// States that processes did not reach as functions did.
    differences: usize,
    /// Findings of runs without faults that make the exploration fail.
    undisturbed: usize,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    if args.budget.is_some() && !args.confirms() {
        return Err(CommandError::usage("--budget needs --target process"));
    }
    if args.target == Some(SingleTarget::InProcess) && args.script.script.is_some() {
        return Err(CommandError::usage("--script needs --target process, or no --target"));
    }
    args.reports.check_writable()?;
    let suite = args.cases.load(&args.paths, args.script.is_chosen(), |cases| cases)?;
    print_unsuited(&suite, args.list);
    let pool = args.jobs.pool()?;
    let (labs, cases): (Vec<Case>, Vec<Case>) =
        suite.cases.into_iter().partition(|case| case.scenario.journal.is_some());
    let mut findings = Findings::default();
    pool.install(|| explore_labs(&labs, &mut findings));
    for case in &cases {
        if args.fail_fast && findings.total.broken + findings.undisturbed as u64 > 0 {
            break;
        }
        pool.install(|| explore_case(case, args, &mut findings))?;
    }
    let Findings { total, tests, found, faults, invalid, differences, undisturbed } = findings;
    let failures = found.finish();
    let command = |id: &Id| args.reproduction(id, false).to_string();
    let script = args.script.script.as_deref();
    report::print_failures(&failures, Detail::Some);
    report::print_found_groups(&failures);
    let document = text::document(script, (&total, failures), &faults, &invalid, &command);
    args.reports.write(&document)?;
    if let Some(path) = &args.reports.junit {
        report::write_junit_tests(path, &tests)?;
    }
    if total.points == 0 && invalid.is_empty() && !total.has_hung() {
        return Err(CommandError::usage(
            "no case makes a script call in process, so there is nothing to explore",
        ));
    }
    let mut unreached = Vec::new();
    if !cases.is_empty() && invalid.is_empty() {
        // A script of the user may keep its leases outside NVRAM.
        if !args.script.is_chosen() {
            unreached = total.unreached(args.depth());
        }
        text::print_total(&total);
        for kind in &unreached {
            errln!("error: no point of this kind was reached: {kind}");
        }
    }
    text::print_last_line(&total);
    let failed = total.broken > 0 || !unreached.is_empty() || differences > 0 || undisturbed > 0;
    Ok(match (failed, invalid.is_empty()) {
        (true, _) => Exit::Failed,
        (false, false) => Exit::Usage,
        (false, true) => Exit::Passed,
    })
}

impl Args {
    fn confirms(&self) -> bool {
        self.target == Some(SingleTarget::Process)
    }

    fn policy(&self) -> GatePolicy {
        self.gate.policy(self.script.is_chosen())
    }

    fn depth(&self) -> u32 {
        self.depth.unwrap_or(if self.script.script.is_some() { 1 } else { 2 })
    }

    fn reproduction(&self, id: &Id, verbose: bool) -> Reproduction {
        let id = ReproductionId::Faults(id.clone());
        Reproduction { id, verbose, options: self.replay() }
    }

    /// The commands that run a case without faults, directly and by its id.
    fn without_faults(&self, case: &Case) -> (Words, Words) {
        let id = ReproductionId::Case(PlayedOn::Model, Id::new(case, &[]));
        let replay = Reproduction { id, verbose: true, options: self.replay() };
        let run = run_again(case, &["run"], &self.cases.router, &self.replay());
        (run, replay.words())
    }

    fn replay(&self) -> ReplayOptions {
        match &self.script.script {
            // The project's own script runs in process, where the other options mean nothing.
            None => ReplayOptions { gate: self.gate.clone(), ..ReplayOptions::default() },
            Some(_) => ReplayOptions {
                script: self.script.clone(),
                gate: self.gate.clone(),
                sandbox: self.sandbox,
                ..ReplayOptions::default()
            },
        }
    }
}

/// Explores programs that rewrite their lease database.
fn explore_labs(labs: &[Case], findings: &mut Findings) {
    let explored: Vec<CaseResult> = labs
        .par_iter()
        .filter_map(|case| case.scenario.journal.as_ref())
        .map(journal_lab::run_case)
        .collect();
    table::print(labs, &explored);
    for (case, explored) in labs.iter().zip(&explored) {
        findings.total.add(table::counts(case, explored));
        findings.tests.push(table::junit(case, explored));
        findings
            .faults
            .extend(explored.deviations.iter().map(|fault| (case.name(), fault.clone())));
    }
}

/// Explores the power cuts and kills of one case.
fn explore_case(case: &Case, args: &Args, findings: &mut Findings) -> Result<(), CommandError> {
    let script = match &args.script.script {
        Some(_) => Some(Function::Process(args.script.processes(case, args.sandbox)?)),
        None => None,
    };
    let options = crash::Options {
        depth: args.depth(),
        every_byte: args.granularity == Granularity::Byte,
        repeat: args.no_dedup,
        list: args.list || args.confirms(),
    };
    let (choice, gate) = (args.script.choice()?, args.policy());
    match crash::explore(case, script.clone(), &choice, &gate, options) {
        Ok(report) => {
            let command = |id: &Id| args.reproduction(id, false).to_string();
            text::print_case(case, &report, args.list);
            let mut denied = 0;
            let mut own = FoldedFindings::default();
            for found in [&mut findings.found, &mut own] {
                text::add_violations(found, case, &report.violations, &command);
                if args.script.is_chosen() {
                    let denies = |f: &&Finding| gate.denies(f.severity, f.group);
                    denied = report.undisturbed.iter().filter(denies).count();
                    let (run, replay) = args.without_faults(case);
                    text::add_undisturbed(found, case, &report, (&run, &replay));
                }
            }
            findings.undisturbed += denied;
            findings.tests.push(text::junit(case, &report, &own.finish(), denied));
            if args.confirms() {
                findings.differences += confirm(case, script, &report, args)?;
            }
            findings.total.add(report);
        }
        Err(InProcessError::Case(CaseError::Source(error))) => {
            text::print_invalid(case, &error);
            findings.tests.push(text::invalid(case, &error));
            findings.invalid.push((case.name(), error.to_string()));
        }
        Err(InProcessError::Case(fault)) => return Err(fault.into()),
        Err(InProcessError::Unavailable(why)) => {
            outln!("{}: skipped: {why}", case.name());
            findings.tests.push(text::skipped(case, &why));
        }
    }
    Ok(())
}

/// Reaches the states again with processes. Returns how many of them differ.
fn confirm(
    case: &Case,
    script: Option<Function>,
    report: &Report,
    args: &Args,
) -> Result<usize, CommandError> {
    let processes = args.script.processes(case, args.sandbox)?;
    let (choice, gate) = (args.script.choice()?, args.policy());
    let budget = args.budget.map(Duration::from_secs);
    let confirmed =
        crash::confirm(case, script, &choice, &gate, &processes, &report.listed, budget)?;
    for (id, text) in &confirmed.differences {
        outln!("  DIFFERS in processes: {text}");
        outln!("    {}", args.reproduction(id, true));
    }
    let every = match confirmed.every {
        1 => "every one".to_owned(),
        every => format!("every {every}th"),
    };
    outln!(
        "  processes: confirmed {} of {} states, {every}; {} differ",
        confirmed.confirmed,
        confirmed.states,
        confirmed.differences.len()
    );
    Ok(confirmed.differences.len())
}
