//! `leaselab wear`.

use std::path::PathBuf;

use nvram_emu::Dialect;
use nvram_emu::device::Chip;

use super::common::RtcChoice;
use super::{Exit, Failure};
use crate::dnsmasq::Build;
use crate::report;
use crate::scenario::{Bytes, Overrides, Seconds};
use crate::suite::{self, Shard};
use crate::wear::{
    self, Draw, Fleet, Household, Market, RouterSpec, Script, Source, Study, Workload,
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
    /// How many threads; default: one for each core
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Write a JSON report
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a table for spreadsheets
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
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

/// What happens to the router in place of a household's life.
#[derive(Debug, clap::Args)]
struct SourceArgs {
    /// Count what a scenario leads to, in place of a household
    #[arg(long, value_name = "FILE", group = "source", conflicts_with_all = OF_A_HOUSEHOLD)]
    scenario: Option<PathBuf>,
    /// Count the calls of a recording of dnsmasq, in place of a household's
    #[arg(long, value_name = "DIR", group = "source", conflicts_with_all = OF_A_HOUSEHOLD)]
    trace: Option<PathBuf>,
    /// How often the recording or scenario happens again; default: as long as it lasts, at least a day
    #[arg(long, value_name = "TIME", requires = "source")]
    every: Option<Seconds>,
}

/// What makes no sense where no household lives.
const OF_A_HOUSEHOLD: [&str; 18] = [
    "fleet",
    "shard",
    "clients",
    "lease_time",
    "jitter",
    "phones",
    "phone_home",
    "phone_away",
    "guests",
    "guest_stay",
    "reboots",
    "sighups",
    "power_cuts",
    "off",
    "quiet",
    "time",
    "seed",
    "rendered",
];

impl SourceArgs {
    /// Events in place of a household, of the builds that were asked for.
    fn source(
        &self,
        rtc: Option<RtcChoice>,
        routers: &[RouterSpec],
    ) -> Result<Option<Source>, Failure> {
        if let Some(path) = &self.trace {
            let lists =
                wear::recordings(path).map_err(|error| Failure::Input(error.to_string()))?;
            return Ok(Some(Source::Lists(of_build(lists, rtc, path)?)));
        }
        let Some(path) = &self.scenario else { return Ok(None) };
        let overrides = Overrides {
            rtc: rtc.map_or_else(Vec::new, RtcChoice::names),
            dialect: routers
                .first()
                .map(|spec| spec.dialect.name().to_owned())
                .into_iter()
                .collect(),
        };
        let cases = suite::load(std::slice::from_ref(path), &overrides)?;
        Ok(Some(Source::Cases(cases)))
    }
}

/// Those that can be counted with the builds that were asked for.
fn of_build(
    mut lists: Vec<Workload>,
    rtc: Option<RtcChoice>,
    path: &std::path::Path,
) -> Result<Vec<Workload>, Failure> {
    lists.retain(Workload::has_calls);
    if lists.is_empty() {
        return Err(Failure::Input(format!("{}: no script call to count", path.display())));
    }
    let Some(rtc) = rtc else { return Ok(lists) };
    let builds = rtc.builds();
    let found = lists[0].build;
    lists.retain(|list| list.build.is_none_or(|build| builds.contains(&build)));
    match found {
        Some(found) if lists.is_empty() => Err(Failure::Input(format!(
            "{}: these are the calls of the build with the {} clock (--rtc {}), not of the one asked for",
            path.display(),
            wear::build_name(found),
            wear::build_name(found),
        ))),
        _ => Ok(lists),
    }
}

/// A report larger than this is none of a fleet.
const MOST_BYTES: u64 = 1 << 30;

#[derive(Debug, clap::Args)]
struct HouseholdArgs {
    /// Clients that are always on
    #[arg(long, value_name = "N", default_value_t = 12)]
    clients: u32,
    /// Lease time
    #[arg(long, value_name = "TIME", default_value = "12h")]
    lease_time: Seconds,
    /// Thousandths of half the lease time by which renewals come earlier or later
    #[arg(long, value_name = "N", default_value_t = 50)]
    jitter: u32,
    /// Phones that come and go
    #[arg(long, value_name = "N", default_value_t = 8)]
    phones: u32,
    /// How long a phone stays, on average
    #[arg(long, value_name = "TIME", default_value = "10h")]
    phone_home: Seconds,
    /// How long a phone is away, on average
    #[arg(long, value_name = "TIME", default_value = "6h")]
    phone_away: Seconds,
    /// Guests a month, each with a device never seen before
    #[arg(long, value_name = "N", default_value_t = 8)]
    guests: u32,
    /// How long a guest stays, on average
    #[arg(long, value_name = "TIME", default_value = "4h")]
    guest_stay: Seconds,
    /// Orderly reboots a month
    #[arg(long, value_name = "N", default_value_t = 1)]
    reboots: u32,
    /// SIGHUPs to dnsmasq a month
    #[arg(long, value_name = "N", default_value_t = 4)]
    sighups: u32,
    /// Power cuts a year
    #[arg(long, value_name = "N", default_value_t = 4)]
    power_cuts: u32,
    /// How long the router is off then
    #[arg(long, value_name = "TIME", default_value = "90s")]
    off: Seconds,
    /// Nobody but the clients that are always on: no phones, guests, reboots, SIGHUPs, power cuts
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, clap::Args)]
struct RouterArgs {
    /// Dialects of the nvram tool, or `all`
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "openwrt")]
    dialect: Vec<String>,
    /// Flash chips, or `all`
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "spi-nor")]
    chip: Vec<String>,
    /// Size of the NVRAM
    #[arg(long, value_name = "SIZE", default_value = "64 KiB")]
    space: Bytes,
    /// Bytes of other programs' variables
    #[arg(long, value_name = "SIZE", default_value = "20000")]
    neighbours: Bytes,
    /// Erase cycles that a block is good for; default: as the chip is rated
    #[arg(long, value_name = "N")]
    endurance: Option<u32>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ScriptName {
    /// The project's own
    Ours,
    /// The project's own, with LEASE_SLACK
    Slack,
    /// After 2006: a commit in every call but init
    Naive,
}

fn small(what: &str, seconds: Seconds) -> Result<u32, Failure> {
    u32::try_from(seconds.0)
        .map_err(|_| Failure::Input(format!("--{what} {seconds}: no more than a century")))
}

impl HouseholdArgs {
    fn household(&self) -> Result<Household, Failure> {
        let lease_time = small("lease-time", self.lease_time)?;
        let household = if self.quiet {
            Household { jitter: self.jitter, ..Household::quiet(self.clients, lease_time) }
        } else {
            Household {
                clients: self.clients,
                phones: self.phones,
                phone_home: small("phone-home", self.phone_home)?,
                phone_away: small("phone-away", self.phone_away)?,
                guests: self.guests,
                guest_stay: small("guest-stay", self.guest_stay)?,
                lease_time,
                jitter: self.jitter,
                reboots: self.reboots,
                sighups: self.sighups,
                power_cuts: self.power_cuts,
                off: small("off", self.off)?,
            }
        };
        household.check().map_err(|error| Failure::Input(error.to_string()))?;
        Ok(household)
    }
}

impl RouterArgs {
    fn routers(&self) -> Result<Vec<RouterSpec>, Failure> {
        let dialects: Vec<Dialect> = if self.dialect.iter().any(|name| name == "all") {
            Dialect::ALL.to_vec()
        } else {
            let parse = |name: &String| {
                name.parse().map_err(|error| Failure::Input(format!("--dialect: {error}")))
            };
            self.dialect.iter().map(parse).collect::<Result<_, _>>()?
        };
        let chips: Vec<Chip> = if self.chip.iter().any(|name| name == "all") {
            Chip::ALL.to_vec()
        } else {
            self.chip.iter().map(|name| chip(name)).collect::<Result<_, _>>()?
        };
        if self.endurance == Some(0) {
            return Err(Failure::Input(
                "--endurance 0: a block that can never be erased has no life".to_owned(),
            ));
        }
        let size = |what: &str, bytes: Bytes| {
            u32::try_from(bytes.0)
                .ok()
                .filter(|bytes| *bytes <= 1 << 24)
                .ok_or_else(|| Failure::Input(format!("--{what} {}: at most 16 MiB", bytes.0)))
        };
        let (space, neighbours) =
            (size("space", self.space)?, size("neighbours", self.neighbours)?);
        Ok(dialects
            .iter()
            .flat_map(|dialect| chips.iter().map(|chip| (*dialect, *chip)))
            .map(|(dialect, chip)| RouterSpec { dialect, chip, space, neighbours })
            .collect())
    }
}

fn chip(name: &str) -> Result<Chip, Failure> {
    Chip::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = Chip::ALL.iter().map(|chip| chip.name).collect();
        Failure::Input(format!("--chip: no chip '{name}'; there are {}", names.join(" ")))
    })
}

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
    let market = Market::new(&router).map_err(|error| Failure::Input(error.to_string()))?;
    let draw = Draw {
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
    let study = args.study()?;
    if args.jobs == Some(0) {
        return Err(Failure::Input("--jobs 0: somebody has to do the work".to_owned()));
    }
    report::check_writable(args.json.iter().chain(&args.csv))?;
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
    if let Some(path) = &args.json {
        report::write_whole(path, wear::json(&study, &entries).as_bytes())?;
    }
    if let Some(path) = &args.csv {
        report::write_whole(path, wear::csv(&entries).as_bytes())?;
    }
    anstream::print!("{}", wear::table(&study, &entries));
    Ok(Exit::Held)
}

impl RtcChoice {
    /// As scenarios call them.
    fn names(self) -> Vec<String> {
        self.builds().into_iter().map(|build| wear::build_name(build).to_owned()).collect()
    }

    /// The builds of a choice.
    pub(super) fn builds(self) -> Vec<Build> {
        match self {
            Self::Good => vec![Build::Rtc],
            Self::Broken => vec![Build::NoRtc],
            Self::Both => vec![Build::Rtc, Build::NoRtc],
        }
    }
}
