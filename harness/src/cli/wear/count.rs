//! `leaselab wear` without a subcommand.

use std::path::PathBuf;

use lab_report::Document;

use super::charts::Destination;
use super::cross_check::CrossCheckArgs;
use super::list;
use super::progress::Progress;
use super::source::SourceArgs;
use super::study::{self, StudyArgs};
use crate::console;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report;
use crate::shown::Shown as _;
use scenario::Seconds;
use wear::{Calls, CrossCheck, ImageMode, Method, Study, StudyRow};

/// The arguments of `leaselab wear`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Args {
    #[command(flatten)]
    study: StudyArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Do not search for the number of clients and the lease time at which the flash lasts less than 10 and 5 years
    #[arg(long)]
    no_limits: bool,
    /// Render every call and run it on a machine in memory, instead of only counting
    #[arg(long)]
    rendered: bool,
    /// Build the flash image of every commit, either completely or by updating the previous one (openwrt)
    #[arg(long, value_enum, value_name = "HOW", conflicts_with = "rendered")]
    images: Option<ImageChoice>,
    #[command(flatten)]
    cross_check: CrossCheckArgs,
    /// Write a JSON report
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write one self-contained HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a CSV table
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Draw charts (wear over time, blocks, life against lease time): one picture if PATH ends in .svg, otherwise a
    /// folder with a file for each
    #[arg(long, value_name = "PATH")]
    svg: Option<PathBuf>,
    /// Print the routers that `--router` knows, with their sources
    #[arg(long, exclusive = true)]
    list_routers: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ImageChoice {
    /// Build each image completely
    Full,
    /// Update the previous image
    Incremental,
}

impl Args {
    fn method(&self) -> Method {
        match self.images {
            Some(ImageChoice::Full) => Method::BuildImages(ImageMode::Full),
            Some(ImageChoice::Incremental) => Method::BuildImages(ImageMode::Incremental),
            None if self.rendered => Method::Execute,
            None => Method::Count,
        }
    }

    fn study(&self) -> Result<Study, CommandError> {
        if self.source.every == Some(Seconds(0)) {
            return Err(CommandError::usage("--every 0s: expected at least 1s"));
        }
        let simulation = self.study.simulation(self.method(), !self.no_limits)?;
        let lease_time = simulation.household.lease_time;
        let release = self.study.household.dnsmasq_release;
        let routers = self.study.router.routers()?;
        let calls = match self.source.source(self.study.rtc, &routers, release)? {
            Some(source) => {
                Calls::Repeated { source, every: self.source.every.map(|every| every.0) }
            }
            None => Calls::Simulated(simulation),
        };
        Ok(Study {
            calls,
            builds: self.study.builds(),
            routers,
            model: self.study.router.preset().map(|router| router.model.clone()),
            scripts: self.study.scripts(lease_time),
            endurance: self.study.router.endurance,
        })
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    if args.list_routers {
        return Ok(list::run());
    }
    let study = args.study()?;
    let cross_check = args.cross_check.spec(args.study.slack)?;
    let charts = args.svg.as_deref().map(Destination::new).transpose()?;
    let chart = charts.as_ref().map(Destination::prepare).transpose()?;
    report::check_writable(args.json.iter().chain(&args.html).chain(&args.csv).chain(&chart))?;
    let pool = args.study.jobs.pool()?;
    let progress = Progress::new();
    let results = pool.install(|| study.run(|rows| progress.advance(rows)));
    progress.finish();
    let results = results?;
    if results.is_empty() {
        return Err(CommandError::usage("no script call to count"));
    }
    if results.iter().all(Result::is_err) {
        let first = results.into_iter().find_map(Result::err);
        return Err(CommandError::Usage(first.map_or_else(String::new, |router| router.error)));
    }
    let checks: Vec<CrossCheck> = match &cross_check {
        Some(spec) => study.cross_check(spec).map_err(study::error)?,
        None => Vec::new(),
    };
    let drawn = match &charts {
        Some(charts) => {
            let rows: Vec<&StudyRow> = results.iter().flatten().collect();
            charts.draw(&study, &rows, &pool)?
        }
        None => Vec::new(),
    };
    let json = wear::json(&study, &results, &checks);
    if let Some(path) = &args.json {
        report::write_atomically(path, json.as_bytes())?;
    }
    if let Some(path) = &args.html {
        let document =
            Document::read(json.as_bytes()).map_err(|error| CommandError::file(path, error))?;
        report::write_html(path, &document)?;
    }
    if let Some(path) = &args.csv {
        report::write_atomically(path, wear::csv(&results).as_bytes())?;
    }
    let width = console::width();
    for line in textwrap::wrap(&study.answer(&results), width) {
        outln!("{line}");
    }
    outln!("");
    out!("{}", wear::table(&study, &results, width));
    if !checks.is_empty() {
        out!("{}", wear::cross_check_table(&checks));
    }
    for path in drawn {
        outln!("chart: {}", path.shown());
    }
    Ok(Exit::Passed)
}
