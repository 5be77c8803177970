//! `leaselab crash`.

use std::path::PathBuf;
use std::time::Duration;

use super::common::{Common, TargetChoice};
use super::crash_report::{json, junit, skipped};
use super::{Exit, Failure};
use crate::report;
use crate::suite;
use backend::Function;
use explore::crash::{self, Kind, Report};
use scenario::Case;

/// The arguments of `leaselab crash`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario files, or folders of them
    #[arg(required_unless_present = "races")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    races: super::races::Args,
    #[command(flatten)]
    common: Common,
    /// Explore the cases whose name contains this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// How many cuts in a row: 2 also cuts the recovery and the first events after it; default: 2, and 1 for
    /// a script of processes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8))]
    depth: Option<u32>,
    /// With `--target process`: confirm as many states, evenly chosen, as fit into this time
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    budget: Option<u64>,
    /// Write the counts and findings as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a JUnit report: a test for each case
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Where flash operations are torn
    #[arg(long, value_enum, default_value = "powers")]
    granularity: Granularity,
    /// Look at states again that are already known
    #[arg(long)]
    no_dedup: bool,
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

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    if args.races.wanted {
        return super::races::run(&args.races, args.list);
    }
    let confirming = args.common.target.is_some_and(|target| target != TargetChoice::InProcess);
    if args.budget.is_some() && !confirming {
        return Err(Failure::Input("--budget is for --target process".to_owned()));
    }
    report::check_writable(args.json.iter().chain(&args.junit))?;
    let mut cases = suite::load(&args.paths, &args.common.overrides()?)?;
    suite::narrow(&mut cases, args.filter.as_deref(), None);
    if cases.is_empty() {
        return Err(Failure::Input("no case fits these options".to_owned()));
    }
    let depth = args.depth.unwrap_or(if args.common.script.is_some() { 1 } else { 2 });
    let options = crash::Options {
        depth,
        every_byte: args.granularity == Granularity::Byte,
        repeat: args.no_dedup,
        list: args.list || confirming,
    };
    let pool = args.common.pool()?;
    let (labs, cases): (Vec<Case>, Vec<Case>) =
        cases.into_iter().partition(|case| case.scenario.journal.is_some());
    let mut total = pool.install(|| super::journal::explore(&labs));
    if cases.is_empty() {
        print_last_line(&total);
        return Ok(if total.broken > 0 { Exit::Failed } else { Exit::Held });
    }
    let mut differences = 0;
    let mut tests = Vec::new();
    for case in &cases {
        let script = args.common.processes(case)?.map(Function::Process);
        match pool.install(|| crash::explore(case, script.clone(), options))? {
            Ok(report) => {
                print_case(case, &report, args);
                tests.push(junit(case, &report, &args.common.script_words()));
                if confirming {
                    differences += pool.install(|| confirm(case, script, &report, args))?;
                }
                total.add(report);
            }
            Err(why) => {
                anstream::println!("{}: skipped: {why}", case.name());
                tests.push(skipped(case, &why));
            }
        }
    }
    if total.points == 0 {
        return Err(Failure::Input(
            "nothing to cut: no case makes a script call in process".to_owned(),
        ));
    }
    let unreached = total.unreached(depth);
    if let Some(path) = &args.json {
        report::write_whole(path, json(&total).as_bytes())?;
    }
    if let Some(path) = &args.junit {
        report::write_junit_tests(path, &tests)?;
    }
    print_total(&total);
    for kind in &unreached {
        anstream::eprintln!("error: no point of this kind was ever reached: {kind}");
    }
    print_last_line(&total);
    let failed = total.broken > 0 || !unreached.is_empty() || differences > 0;
    Ok(if failed { Exit::Failed } else { Exit::Held })
}

/// Reaches the states again by processes; how many are not the same.
fn confirm(
    case: &Case,
    script: Option<Function>,
    report: &Report,
    args: &Args,
) -> Result<usize, Failure> {
    let processes = args.common.own_processes(case)?;
    let budget = args.budget.map(Duration::from_secs);
    let confirmed = match crash::confirm(case, script, &processes, &report.listed, budget)? {
        Ok(confirmed) => confirmed,
        Err(why) => return Err(Failure::Input(why)),
    };
    for (id, text) in &confirmed.differences {
        anstream::println!("  DIFFERS in processes: {text}");
        anstream::println!("    leaselab replay '{id}' --verbose");
    }
    let every = match confirmed.every {
        1 => "every one".to_owned(),
        every => format!("every {every}th"),
    };
    anstream::println!(
        "  processes: confirmed {} of {} states, {every}; {} differ",
        confirmed.confirmed,
        confirmed.states,
        confirmed.differences.len()
    );
    Ok(confirmed.differences.len())
}

fn print_case(case: &Case, report: &Report, args: &Args) {
    let Report { points, distinct, kept, lost, broken, declared, .. } = report;
    anstream::println!("{}", case.name());
    anstream::println!(
        "  {points} points, {distinct} distinct: {kept} kept, {lost} lost as this store must, \
         {declared} broken as declared, {broken} broken"
    );
    anstream::println!("  {}", window(report));
    for (id, verdict) in report.listed.iter().filter(|_| args.list) {
        anstream::println!("  {verdict:<7}{id}");
    }
    for breach in &report.breaches {
        let name = breach.invariant.name();
        anstream::println!("  step {}: {name}: {}", breach.step, breach.text);
        anstream::println!("    leaselab replay '{}'{}", breach.id, args.common.script_words());
    }
}

fn window(report: &Report) -> String {
    let window = &report.window;
    let Some(commit) = window.per_commit() else { return "fatal window: no commit".to_owned() };
    let hours = window.simulated.as_secs_f64() / 3600.0;
    let year = match window.per_year() {
        Some(year) if hours >= 24.0 => {
            format!("{year:.0} s a year at the rate of this scenario's {:.1} days", hours / 24.0)
        }
        Some(year) if hours >= 1.0 => {
            format!("{year:.0} s a year if every day went like this scenario's {hours:.1} h")
        }
        _ => "less than an hour of a scenario says nothing of a year".to_owned(),
    };
    format!("fatal window: {commit:.3} s a commit, {} commits; {year}", window.commits)
}

fn print_total(total: &Report) {
    anstream::println!("{:<24}{:>12}{:>12}", "kind of point", "points", "distinct");
    for kind in Kind::ALL {
        let count = total.coverage.get(&kind).copied().unwrap_or_default();
        anstream::println!("{kind:<24}{:>12}{:>12}", count.points, count.distinct);
    }
    let rate = per_second(total.checked, total);
    anstream::println!(
        "{} distinct images loaded, read and judged in {:.2} s of processor time; {rate} states/s/core",
        total.images,
        total.took.as_secs_f64()
    );
}

fn print_last_line(total: &Report) {
    let Report { points, distinct, checked, images, broken, .. } = total;
    let rate = per_second(*images, total);
    anstream::println!(
        "{points} points, {distinct} distinct, {checked} checked, {broken} broken, {rate} checks/s/core"
    );
}

fn per_second(count: u64, report: &Report) -> u64 {
    (count as f64 / report.took.as_secs_f64().max(1e-9)) as u64
}
