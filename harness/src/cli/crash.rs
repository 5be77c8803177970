//! `leaselab crash`.

use std::path::PathBuf;

use super::common::{Common, TargetChoice};
use super::{Exit, Failure};
use crate::crash::{self, Kind, Report};
use crate::scenario::Case;
use crate::suite;

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
    /// How many cuts in a row: 2 also cuts the recovery and the first events after it
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=8))]
    depth: u32,
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
    if args.common.target.is_some_and(|target| target != TargetChoice::InProcess) {
        return Err(Failure::Input(
            "power cuts are explored in process: add --target in-process".to_owned(),
        ));
    }
    if args.common.script.is_some() {
        return Err(Failure::Input("--script: a script of your own runs in processes only".into()));
    }
    let mut cases = suite::load(&args.paths, &args.common.overrides()?)?;
    suite::narrow(&mut cases, args.filter.as_deref(), None);
    if cases.is_empty() {
        return Err(Failure::Input("no case fits these options".to_owned()));
    }
    let options = crash::Options {
        depth: args.depth,
        every_byte: args.granularity == Granularity::Byte,
        repeat: args.no_dedup,
        list: args.list,
    };
    let pool = args.common.pool()?;
    let mut total = Report::default();
    for case in &cases {
        let explored = pool.install(|| crash::explore(case, None, options))?;
        match explored {
            Ok(report) => {
                print_case(case, &report);
                total.add(report);
            }
            Err(why) => anstream::println!("{}: skipped: {why}", case.name()),
        }
    }
    if total.points == 0 {
        return Err(Failure::Input(
            "nothing to cut: no case makes a script call in process".to_owned(),
        ));
    }
    print_total(&total);
    let unreached = total.unreached(args.depth);
    for kind in &unreached {
        anstream::eprintln!("error: no point of this kind was ever reached: {kind}");
    }
    print_last_line(&total);
    Ok(if total.broken > 0 || !unreached.is_empty() { Exit::Failed } else { Exit::Held })
}

fn print_case(case: &Case, report: &Report) {
    let Report { points, distinct, kept, lost, broken, declared, .. } = report;
    anstream::println!("{}", case.name());
    anstream::println!(
        "  {points} points, {distinct} distinct: {kept} kept, {lost} lost as this store must, \
         {declared} broken as declared, {broken} broken"
    );
    anstream::println!("  {}", window(report));
    for (id, verdict) in &report.listed {
        anstream::println!("  {verdict:<7}{id}");
    }
    for breach in &report.breaches {
        let name = breach.invariant.name();
        anstream::println!("  step {}: {name}: {}", breach.step, breach.text);
        anstream::println!("    leaselab replay '{}'", breach.id);
    }
}

fn window(report: &Report) -> String {
    let window = &report.window;
    let Some(commit) = window.per_commit() else { return "no commit".to_owned() };
    let year = window.per_year().map_or_else(
        || "no time passes in this scenario".to_owned(),
        |year| {
            let hours = window.simulated.as_secs_f64() / 3600.0;
            format!("{year:.0} s a year, if its {hours:.1} h went on")
        },
    );
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
