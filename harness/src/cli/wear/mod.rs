//! `leaselab wear`.

mod args;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::common::RtcChoice;
use super::{Exit, Failure};
use crate::report;
use crate::suite::Shard;
use args::{HouseholdArgs, RouterArgs, ScriptName, SourceArgs};
use backend::process::{Root, ScriptCommand, ScriptFile, Settings};
use scenario::Seconds;
use wear::{
    self, Broken, CostModel, CrossCheck, Fleet, FleetSpec, ImageMode, Row, Script, Study, Trial,
    WearError,
};

/// The arguments of `leaselab wear`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Draw so many households around the one described, and tell how they fare
    #[arg(long, value_name = "N")]
    fleet: Option<u32>,
    /// Count the I-th of N parts of the fleet; `wear merge` puts the JSON reports together
    #[arg(long, value_name = "I/N", requires = "fleet")]
    shard: Option<Shard>,
    #[command(flatten)]
    household: HouseholdArgs,
    #[command(flatten)]
    router: RouterArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// dnsmasq's build: the default one, or with `HAVE_BROKEN_RTC`; default: both, or the recording's
    #[arg(long, value_enum)]
    rtc: Option<RtcChoice>,
    /// Scripts to count
    #[arg(long, value_enum, value_delimiter = ',', default_value = "naive,ours,slack")]
    scripts: Vec<ScriptName>,
    /// LEASE_SLACK of the script with slack; default: the lease time
    #[arg(long, value_name = "TIME")]
    slack: Option<Seconds>,
    /// How much of the household's life to go through
    #[arg(long = "for", value_name = "TIME", default_value = "365d")]
    time: Seconds,
    /// Seed of the dice
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Do not look for the clients and lease times at which life drops under 10 and 5 years
    #[arg(long)]
    no_limits: bool,
    /// Put every call into words and carry it out on a machine in memory, instead of only counting
    #[arg(long)]
    rendered: bool,
    /// Build the flash image of every commit: each anew, or what changed in its place (openwrt)
    #[arg(long, value_enum, value_name = "HOW", conflicts_with_all = ["rendered", "fleet"])]
    images: Option<ImageChoice>,
    #[command(flatten)]
    trial: TrialArgs,
    /// Print the claims of the notes of 2006 beside what is counted, and nothing else
    #[arg(long)]
    claims: bool,
    /// How many threads; default: one for each core
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Write a JSON report
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a table for spreadsheets
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Draw charts: erases over time, blocks, life against lease time; a folder gets a file for each
    #[arg(long, value_name = "FILE", conflicts_with = "fleet")]
    svg: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ImageChoice {
    /// Each image anew
    Full,
    /// What changed, in its place
    Incremental,
}

/// A script through real processes.
#[derive(Debug, clap::Args)]
struct TrialArgs {
    /// Also run this script in processes for a while, and hold it against the counts
    #[arg(long, value_name = "PATH", conflicts_with_all = ["fleet", "images", "rendered"])]
    script: Option<PathBuf>,
    /// What runs the script, such as `busybox ash`; default: its own first line decides
    #[arg(long, value_name = "CMD", requires = "script", default_value = "")]
    shell: String,
    /// How much of the household's life the script is run for
    #[arg(long, value_name = "TIME", requires = "script", default_value = "7d")]
    window: Seconds,
    /// A script that takes longer for one call is killed with its children
    #[arg(long, value_name = "SECONDS", requires = "script", default_value_t = 20)]
    timeout: u64,
    /// Do without user and mount namespaces
    #[arg(long, requires = "script")]
    no_private_root: bool,
}

/// A year of a household in processes takes days.
const LONGEST_WINDOW: u64 = 366 * wear::DAY;

impl TrialArgs {
    fn trial(&self, slack: Option<Seconds>) -> Result<Option<Trial>, Failure> {
        let Some(path) = &self.script else { return Ok(None) };
        std::fs::File::open(path)
            .map_err(|error| Failure::Input(format!("--script {}: {error}", path.display())))?;
        if !(1..=LONGEST_WINDOW).contains(&self.window.0) {
            return Err(Failure::Input(format!("--window {}: 1 second to a year", self.window)));
        }
        let mut environment = BTreeMap::new();
        if let Some(slack) = slack {
            environment.insert("LEASE_SLACK".to_owned(), slack.0.to_string());
        }
        let label = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Some(Trial {
            command: ScriptCommand {
                file: ScriptFile::Path(path.clone()),
                shell: self.shell.split_whitespace().map(str::to_owned).collect(),
                environment,
            },
            label,
            settings: Settings {
                leaselab: std::env::current_exe()
                    .map_err(|error| Failure::Environment(format!("leaselab itself: {error}")))?,
                limit_ms: self.timeout.clamp(1, 86_400) * 1000,
                root: if self.no_private_root { Root::Shared } else { Root::Private },
            },
            seconds: self.window.0,
        }))
    }
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Put the JSON reports of all parts of a fleet together: the same as counting it in one go
    Merge {
        /// The reports
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Write the JSON report of the whole
        #[arg(long, value_name = "OUT")]
        json: Option<PathBuf>,
    },
}

/// A report larger than this is none of a fleet.
const MOST_BYTES: u64 = 1 << 30;

impl Args {
    fn study(&self) -> Result<Study, Failure> {
        let household = self.household.household()?;
        if self.time.0 == 0 {
            return Err(Failure::Input("--for 0s: no time, no wear".to_owned()));
        }
        if self.time.0 > 10_000 * wear::YEAR {
            return Err(Failure::Input(format!("--for {}: at most 10000 years", self.time)));
        }
        let slack = self.slack.map_or(u64::from(household.lease_time), |slack| slack.0);
        let scripts = self.scripts.iter().map(|name| match name {
            ScriptName::Ours => Script::Ours { slack: 0 },
            ScriptName::Slack => Script::Ours { slack },
            ScriptName::Naive => Script::Naive,
        });
        let mut scripts: Vec<Script> = scripts.collect();
        scripts.dedup();
        let routers = self.router.routers()?;
        if self.source.every == Some(Seconds(0)) {
            return Err(Failure::Input("--every 0s: no rest between, no year".to_owned()));
        }
        Ok(Study {
            household,
            source: self.source.source(self.rtc, &routers)?,
            every: self.source.every.map(|every| every.0),
            seed: self.seed,
            seconds: self.time.0,
            builds: self.rtc.unwrap_or(RtcChoice::Both).builds(),
            routers,
            scripts,
            endurance: self.router.endurance,
            limits: !self.no_limits,
            rendered: self.rendered,
            images: self.images.map(|choice| match choice {
                ImageChoice::Full => ImageMode::Full,
                ImageChoice::Incremental => ImageMode::Incremental,
            }),
        })
    }
}

fn merge(files: &[PathBuf], json: Option<&PathBuf>) -> Result<Exit, Failure> {
    let read = |path: &PathBuf| {
        let refuse = |why: String| Failure::Input(format!("{}: {why}", path.display()));
        let size = std::fs::metadata(path).map_err(|error| refuse(error.to_string()))?.len();
        if size > MOST_BYTES {
            return Err(refuse("too large for the report of a fleet".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        serde_json::from_str::<Fleet>(&text)
            .map_err(|error| refuse(format!("no report of `wear --fleet`: {error}")))
    };
    let parts: Vec<Fleet> = files.iter().map(read).collect::<Result<_, _>>()?;
    let whole = Fleet::merge(parts).map_err(|error| Failure::Input(error.to_string()))?;
    finish_fleet(&whole, json)
}

fn finish_fleet(fleet: &Fleet, json: Option<&PathBuf>) -> Result<Exit, Failure> {
    if let Some(path) = json {
        report::write_whole(path, fleet.json().as_bytes())?;
    }
    anstream::print!("{}", fleet.table());
    Ok(Exit::Held)
}

/// Counts a fleet, or one part of it.
fn count_fleet(
    args: &Args,
    study: &Study,
    households: u32,
    pool: &rayon::ThreadPool,
) -> Result<Exit, Failure> {
    let [router] = study.routers[..] else {
        return Err(Failure::Input("--fleet: one dialect and one chip at a time".to_owned()));
    };
    if !(1..=MOST_HOUSEHOLDS).contains(&households) {
        return Err(Failure::Input(format!("--fleet {households}: 1 to {MOST_HOUSEHOLDS}")));
    }
    if args.csv.is_some() || args.rendered {
        return Err(Failure::Input("--fleet has neither --csv nor --rendered".to_owned()));
    }
    let market = CostModel::new(&router).map_err(|error| Failure::Input(error.to_string()))?;
    let draw = FleetSpec {
        typical: study.household.clone(),
        households,
        seed: study.seed,
        seconds: study.seconds,
        builds: study.builds.clone(),
        router,
        scripts: study.scripts.clone(),
        endurance: study.endurance.unwrap_or(router.chip.endurance),
    };
    let Shard { index, count } = args.shard.unwrap_or(Shard { index: 1, count: 1 });
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let fleet = pool
        .install(|| draw.count(&market, number(index - 1), number(count)))
        .map_err(|error| Failure::Input(error.to_string()))?;
    finish_fleet(&fleet, args.json.as_ref())
}

/// Households of one fleet.
const MOST_HOUSEHOLDS: u32 = 10_000_000;

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    if let Some(Command::Merge { files, json }) = &args.command {
        report::check_writable(json.iter())?;
        return merge(files, json.as_ref());
    }
    if args.claims {
        let claims = wear::claims(args.seed).map_err(cannot)?;
        anstream::print!("{}", wear::claims_table(&claims));
        return Ok(Exit::Held);
    }
    let study = args.study()?;
    let trial = args.trial.trial(args.slack)?;
    if args.jobs == Some(0) {
        return Err(Failure::Input("--jobs 0: somebody has to do the work".to_owned()));
    }
    let folder = args.svg.as_ref().filter(|path| path.is_dir());
    let svg = args.svg.as_ref().filter(|path| !path.is_dir());
    let inside = folder.map(|folder| folder.join("erases.svg"));
    report::check_writable(args.json.iter().chain(&args.csv).chain(svg).chain(&inside))?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args.jobs.unwrap_or(0))
        .build()
        .map_err(|error| Failure::Environment(format!("threads: {error}")))?;
    if let Some(households) = args.fleet {
        return count_fleet(args, &study, households, &pool);
    }
    let entries = pool.install(|| study.run())?;
    if entries.is_empty() {
        return Err(Failure::Input("no script call to count".to_owned()));
    }
    if entries.iter().all(Result::is_err) {
        let why = entries.iter().find_map(|entry| entry.as_ref().err());
        return Err(Failure::Input(why.map_or_else(String::new, |nothing| nothing.why.clone())));
    }
    let held: Vec<CrossCheck> = match &trial {
        Some(trial) => study.hold(trial).map_err(cannot)?,
        None => Vec::new(),
    };
    if let Some(path) = &args.svg {
        let rows: Vec<&Row> = entries.iter().flatten().collect();
        draw(path, &study, &rows, &pool)?;
    }
    if let Some(path) = &args.json {
        report::write_whole(path, wear::json(&study, &entries, &held).as_bytes())?;
    }
    if let Some(path) = &args.csv {
        report::write_whole(path, wear::csv(&entries).as_bytes())?;
    }
    anstream::print!("{}", wear::table(&study, &entries));
    if !held.is_empty() {
        anstream::print!("{}", wear::cross_check_table(&held));
    }
    Ok(Exit::Held)
}

/// What cannot be counted is an input's fault, unless it is the machine's.
fn cannot(error: WearError) -> Failure {
    match error {
        WearError::Life(Broken::Target(error)) => error.into(),
        WearError::Scenario(fault) => fault.into(),
        other => Failure::Input(other.to_string()),
    }
}

fn draw(
    path: &Path,
    study: &Study,
    rows: &[&Row],
    pool: &rayon::ThreadPool,
) -> Result<(), Failure> {
    if rows.len() > wear::MOST_LINES {
        return Err(Failure::Input(format!(
            "--svg: {} rows are too many for a chart: at most {}, so fewer dialects, chips or scripts",
            rows.len(),
            wear::MOST_LINES
        )));
    }
    let curves = pool.install(|| study.curves()).map_err(cannot)?;
    let environment = |error: wear::NoChart| Failure::Environment(error.to_string());
    if path.is_dir() {
        for (name, svg) in wear::charts(rows, &curves).map_err(environment)? {
            report::write_whole(&path.join(format!("{name}.svg")), svg.as_bytes())?;
        }
        return Ok(());
    }
    let svg = wear::one_chart(rows, &curves).map_err(environment)?;
    report::write_whole(path, svg.as_bytes())
}
