//! What is counted, as arguments: households, routers, recordings and scenarios.

use std::path::PathBuf;

use nvram_emu::Dialect;
use nvram_emu::device::Chip;

use crate::cli::common::RtcChoice;
use crate::cli::{Failure, from_journal};
use crate::suite;
use dnsmasq_model::Build;
use scenario::{Bytes, Overrides, Seconds};
use trace;
use wear::{self, Household, RouterSpec, Source, Workload};

#[derive(Debug, clap::Args)]
pub(super) struct HouseholdArgs {
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
pub(super) struct RouterArgs {
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
    pub(super) endurance: Option<u32>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum ScriptName {
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
    pub(super) fn household(&self) -> Result<Household, Failure> {
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
    pub(super) fn routers(&self) -> Result<Vec<RouterSpec>, Failure> {
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

/// What happens to the router in place of a household's life.
#[derive(Debug, clap::Args)]
pub(super) struct SourceArgs {
    /// Count what a scenario leads to, in place of a household
    #[arg(long, value_name = "FILE", group = "source", conflicts_with_all = OF_A_HOUSEHOLD)]
    scenario: Option<PathBuf>,
    /// Count the calls of a recording of dnsmasq, in place of a household's
    #[arg(long, value_name = "DIR", group = "source", conflicts_with_all = OF_A_HOUSEHOLD)]
    trace: Option<PathBuf>,
    /// Count what the clients of a site would cost a router: its journals of ISC dhcpd (files, folders of generations,
    /// .tar.xz), replayed, in place of a household
    #[arg(long, value_name = "PATH", group = "source", conflicts_with_all = OF_A_HOUSEHOLD, num_args = 1..)]
    journal: Vec<PathBuf>,
    /// How often the recording or scenario happens again; default: as long as it lasts, at least a day
    #[arg(long, value_name = "TIME", requires = "source")]
    pub(super) every: Option<Seconds>,
}

/// What makes no sense where no household lives.
const OF_A_HOUSEHOLD: [&str; 19] = [
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
    "images",
];

impl SourceArgs {
    /// Events in place of a household, of the builds that were asked for.
    pub(super) fn source(
        &self,
        rtc: Option<RtcChoice>,
        routers: &[RouterSpec],
    ) -> Result<Option<Source>, Failure> {
        if let Some(path) = &self.trace {
            let lists =
                wear::recordings(path).map_err(|error| Failure::Input(error.to_string()))?;
            return Ok(Some(Source::Lists(of_build(lists, rtc, path)?)));
        }
        if let Some(first) = self.journal.first() {
            let site = from_journal::read(&self.journal)?;
            let label = format!("journal {}", first.display());
            let list = trace::workload(&label, &site.events)
                .map_err(|error| Failure::Input(format!("{}: {error}", first.display())))?;
            anstream::println!("{}", from_journal::told(&site.cost, from_journal::seconds(&site)));
            return Ok(Some(Source::Lists(vec![list])));
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

impl RtcChoice {
    /// As scenarios call them.
    fn names(self) -> Vec<String> {
        self.builds().into_iter().map(|build| wear::build_name(build).to_owned()).collect()
    }

    /// The builds of a choice.
    pub(in crate::cli) fn builds(self) -> Vec<Build> {
        match self {
            Self::Good => vec![Build::Rtc],
            Self::Broken => vec![Build::NoRtc],
            Self::Both => vec![Build::Rtc, Build::NoRtc],
        }
    }
}
