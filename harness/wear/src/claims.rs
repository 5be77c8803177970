//! The claims of the notes of 2006, compared with counts.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use super::cost_model::CostModel;
use super::count::{count, count_executed, count_workload};
use super::durations::{DAY, HOUR, MONTH};
use super::error::WearError;
use super::household::Household;
use super::household_run::HouseholdRun;
use super::router::RouterSpec;
use super::script::Script;
use super::wear_counts::WearCounts;
use dnsmasq_model::{Build, Client4, HwAddr, Kind4, Network, Reply4, ServerConfig};
use nvram_emu::Dialect;
use nvram_emu::device::Chip;
use trace::{Workload, WorkloadEvent};

/// The project's script without slack.
const OURS: Script = Script::Ours { slack: 0 };
/// The number of leases in the claims about a start and about `--script-arp`.
const LEASES: u8 = 20;

/// A claim and the result of checking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The claim, or a fact that the notes do not mention.
    pub text: String,
    /// The workload that was counted.
    pub counted: String,
    /// The result of the naive script.
    pub naive: String,
    /// The result of the project's script.
    pub ours: String,
    /// Says whether the claim holds.
    pub verdict: &'static str,
}

/// Checks all claims.
///
/// # Errors
/// Returns an error in the cases of [`count`].
pub fn claims(seed: u64) -> Result<Vec<Claim>, WearError> {
    let spec = RouterSpec::new(Dialect::OpenWrt, Chip::SPI_NOR);
    let cost_model = CostModel::new(&spec)?;
    let mut all = sizes(&cost_model, seed)?;
    all.push(no_space(&spec, seed)?);
    all.extend(renewals(&cost_model, seed)?);
    all.push(start(&cost_model)?);
    all.push(neighbours(&cost_model)?);
    Ok(all)
}

/// Checks the claims about the size of records.
fn sizes(cost_model: &CostModel, seed: u64) -> Result<Vec<Claim>, WearError> {
    let fifty = Household::quiet(50, 12 * HOUR as u32);
    // After half a lease time, every client has a lease, and none has renewed it twice.
    let stored = |build, script| -> Result<(u64, u64), WearError> {
        let run = HouseholdRun { household: &fifty, build, seed, seconds: 6 * HOUR };
        let wear = count(cost_model, run, script)?.wear;
        Ok((wear.payload / wear.commits.max(1), wear.commits))
    };
    let bytes = |script| -> Result<(u64, u64), WearError> {
        Ok((stored(Build::Rtc, script)?.0, stored(Build::NoRtc, script)?.0))
    };
    let (naive, ours) = (bytes(Script::Naive)?, bytes(OURS)?);
    let each = |(good, broken): (u64, u64)| format!("{good} bytes, {broken} with HAVE_BROKEN_RTC");
    let half = |(good, _): (u64, u64)| format!("{} of 10240 bytes", 50 * good);
    Ok(vec![
        Claim {
            text: "a record takes about 100 bytes".to_owned(),
            counted: "50 clients of a household, names such as pc-17".to_owned(),
            naive: each(naive),
            ours: each(ours),
            verdict: if (75..=125).contains(&naive.0) { "holds" } else { "does not hold" },
        },
        Claim {
            text: "50 leases take half of 10 KB".to_owned(),
            counted: "the same".to_owned(),
            naive: half(naive),
            ours: half(ours),
            verdict: if 50 * naive.0 <= 5120 { "holds" } else { "does not hold" },
        },
    ])
}

/// Checks the claim about 150 clients with 10 KB of free NVRAM.
fn no_space(spec: &RouterSpec, seed: u64) -> Result<Claim, WearError> {
    let cost_model = CostModel::new(&RouterSpec { neighbours: spec.space - 10_240, ..*spec })?;
    let many = Household::quiet(150, 12 * HOUR as u32);
    let result = |script| -> Result<(String, WearCounts), WearError> {
        let run = HouseholdRun { household: &many, build: Build::Rtc, seed, seconds: 6 * HOUR };
        let wear = count_executed(&cost_model, run, script)?;
        let text = format!(
            "{} of {} calls fail, {} other settings lost",
            wear.failed,
            wear.calls - 1,
            wear.lost
        );
        Ok((text, wear))
    };
    let (naive, (ours, wear)) = (result(Script::Naive)?.0, result(OURS)?);
    Ok(Claim {
        text: "the default limit of 150 does not fit".to_owned(),
        counted: "150 clients, 10 KB free".to_owned(),
        naive,
        ours,
        verdict: if wear.failed > 0 {
            "holds; dnsmasq's default is 1000 today"
        } else {
            "does not hold"
        },
    })
}

/// Checks the claims about the number of writes, over a month.
fn renewals(cost_model: &CostModel, seed: u64) -> Result<Vec<Claim>, WearError> {
    let busy = Household {
        clients: 15,
        phones: 5,
        guests: 4,
        lease_time: HOUR as u32,
        power_cuts: 0,
        ..Household::default()
    };
    let quiet = Household::quiet(20, HOUR as u32);
    let count_month = |household: &Household, build, script| -> Result<WearCounts, WearError> {
        let run = HouseholdRun { household, build, seed, seconds: MONTH };
        Ok(count(cost_model, run, script)?.wear)
    };
    let commits = |wear: &WearCounts| format!("{} commits for {} calls", wear.commits, wear.calls);
    let (naive, ours) =
        (count_month(&busy, Build::NoRtc, Script::Naive)?, count_month(&busy, Build::NoRtc, OURS)?);
    let (naive_renewals, exact) =
        (count_month(&quiet, Build::Rtc, Script::Naive)?, count_month(&quiet, Build::Rtc, OURS)?);
    let day = count_month(&quiet, Build::Rtc, Script::Ours { slack: DAY })?;
    Ok(vec![
        Claim {
            text:
                "with HAVE_BROKEN_RTC the flash is written only when a lease is created or deleted"
                    .to_owned(),
            counted: "30 days of 15 clients, 5 phones, 4 guests, 1 reboot, 4 SIGHUPs".to_owned(),
            naive: commits(&naive),
            ours: commits(&ours),
            verdict: if naive.commits > ours.commits { "holds only for renewals" } else { "holds" },
        },
        Claim {
            text: "without it, one write for each renewal".to_owned(),
            counted: "30 days of 20 clients, leases of an hour".to_owned(),
            naive: commits(&naive_renewals),
            ours: format!("{}; {} with a slack of a day", commits(&exact), day.commits),
            verdict: if naive_renewals.commits + 1 == naive_renewals.calls {
                "holds"
            } else {
                "does not hold"
            },
        },
    ])
}

/// Creates a workload of a dnsmasq with `leases` clients. `rest` adds the events after the clients' first requests.
fn workload(
    options: &str,
    leases: u8,
    rest: impl FnOnce(&mut Vec<(u64, WorkloadEvent)>),
) -> Workload {
    let line = [
        "dnsmasq",
        "--leasefile-ro",
        "--dhcp-script=/etc/lease_update.sh",
        "--dhcp-range=192.168.77.50,192.168.77.199,1h",
        options,
    ];
    let mut events = vec![(0, WorkloadEvent::Start)];
    events.extend((0..leases).map(|n| (1 + u64::from(n), message(n, Kind4::Request))));
    rest(&mut events);
    Workload {
        label: "claim".to_owned(),
        build: None,
        server: ServerConfig::parse(&line).unwrap_or_default(),
        network: Network::default(),
        begin: 1_700_000_000,
        seconds: DAY,
        events,
    }
}

fn address(n: u8) -> (Ipv4Addr, HwAddr) {
    (Ipv4Addr::new(192, 168, 77, 50 + n), HwAddr::ethernet([2, 0xaa, 0, 0, 0, n]))
}

fn message(n: u8, kind: Kind4) -> WorkloadEvent {
    let (addr, hw) = address(n);
    let mut client = Client4::new(hw);
    client.hostname = Some(format!("pc-{n}").into_bytes().into());
    WorkloadEvent::Message { client, kind, addr, reply: Reply4::Ack { addr, lease_time: 3600 } }
}

/// Returns the calls and commits of the second workload minus those of the first.
fn difference(
    cost_model: &CostModel,
    (before, after): (&Workload, &Workload),
    build: Build,
    script: Script,
) -> Result<(u64, u64), WearError> {
    let (before, after) = (
        count_workload(cost_model, before, build, script)?,
        count_workload(cost_model, after, build, script)?,
    );
    Ok((after.calls - before.calls, after.commits - before.commits))
}

/// Counts the calls of dnsmasq when it starts.
fn start(cost_model: &CostModel) -> Result<Claim, WearError> {
    let before = workload("", LEASES, |_| {});
    let after = workload("", LEASES, |events| {
        events.extend([(100, WorkloadEvent::PowerOff), (190, WorkloadEvent::Start)]);
    });
    let both = (&before, &after);
    let (naive, ours) = (
        difference(cost_model, both, Build::NoRtc, Script::Naive)?,
        difference(cost_model, both, Build::NoRtc, OURS)?,
    );
    let text = |(calls, commits): (u64, u64)| {
        format!("init and {} old calls, {commits} commits", calls - 1)
    };
    Ok(Claim {
        text:
            "not in the notes: at a start dnsmasq calls `old` for each lease, and twice for the first"
                .to_owned(),
        counted: format!("a start with {LEASES} leases"),
        naive: text(naive),
        ours: text(ours),
        verdict: if naive.0 == u64::from(LEASES) + 2 {
            "N leases, N + 1 calls"
        } else {
            "another number of calls"
        },
    })
}

/// Counts the calls with `--script-arp`, where dnsmasq calls the script for every neighbour that appears or disappears.
fn neighbours(cost_model: &CostModel) -> Result<Claim, WearError> {
    let with_neighbours = |options: &str| {
        workload(options, LEASES, |events| {
            // dnsmasq reads the kernel's neighbour table when a packet arrives.
            events.push((200, message(0, Kind4::Renew)));
            for (at, added) in [(400, false), (800, true)] {
                for n in 0..LEASES {
                    let (addr, hw) = address(n);
                    events.push((at, WorkloadEvent::Neighbour { addr, hw, added }));
                }
                events.push((at + 100, message(0, Kind4::Renew)));
            }
        })
    };
    let (before, after) = (with_neighbours(""), with_neighbours("--script-arp"));
    let both = (&before, &after);
    let (naive, ours) = (
        difference(cost_model, both, Build::NoRtc, Script::Naive)?,
        difference(cost_model, both, Build::NoRtc, OURS)?,
    );
    let text = |(calls, commits): (u64, u64)| format!("{calls} calls, {commits} commits");
    Ok(Claim {
        text: "not in the notes: with --script-arp dnsmasq calls for each neighbour that comes or goes"
            .to_owned(),
        counted: format!("{LEASES} devices come, go once and come back"),
        naive: text(naive),
        ours: text(ours),
        verdict: if naive.1 > 0 {
            "one write each for a script that commits in every call"
        } else {
            "no writes"
        },
    })
}

/// Returns the claims as text.
pub fn claims_table(claims: &[Claim]) -> String {
    let mut out = String::from(
        "Claims of the notes of 2006, compared with counts (OpenWrt's nvram, 64 KiB)\n",
    );
    for claim in claims {
        let _ = write!(
            out,
            "\n{}\n    counted   {}\n    naive     {}\n    ours      {}\n    verdict   {}\n",
            claim.text, claim.counted, claim.naive, claim.ours, claim.verdict
        );
    }
    out
}
