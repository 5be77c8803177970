//! The counts of `leaselab wear` are equal to those of executed calls.

use backend::process::{Process, Settings};
use dnsmasq_model::Build;
use nvram_emu::Dialect;
use nvram_emu::device::Chip;
use rstest::rstest;
use wear::{
    CostModel, DAY, ExecutingStore, HOUR, Household, HouseholdRun, RouterSpec, Script,
    builtin_script, count, count_each, count_executed, simulate,
};

use crate::lab::Lab;

/// A household with frequent events of every kind.
fn busy() -> Household {
    Household {
        clients: 5,
        phones: 4,
        phone_home: 5 * HOUR as u32,
        phone_away: 3 * HOUR as u32,
        guests: 60,
        guest_stay: HOUR as u32,
        lease_time: 4 * HOUR as u32,
        reboots: 10,
        sighups: 12,
        power_cuts: 60,
        ..Household::default()
    }
}

fn cost_model(dialect: Dialect, chip: Chip) -> CostModel {
    let spec = RouterSpec { space: 0x8000, neighbours: 4000, ..RouterSpec::new(dialect, chip) };
    CostModel::new(&spec).expect("a router")
}

/// The size of a test: `short`, or `long` with `LEASELAB_LONG_TESTS` in the environment.
pub(crate) fn short_or_long<T>(short: T, long: T) -> T {
    if std::env::var_os("LEASELAB_LONG_TESTS").is_some() { long } else { short }
}

#[rstest]
fn counting_equals_execution(
    #[values(Dialect::OpenWrt, Dialect::Broadcom, Dialect::Padavan, Dialect::Tomato)]
    dialect: Dialect,
    #[values(Build::Rtc, Build::NoRtc)] build: Build,
    #[values(Script::Naive, Script::Ours { slack: 0 }, Script::Ours { slack: 14_400 })]
    script: Script,
) {
    let cost_model = cost_model(dialect, Chip::SPI_NOR);
    let days = short_or_long(5, 30);
    let seconds = days * DAY;
    let run = HouseholdRun { household: &busy(), build, seed: 7, seconds };
    let counted = count(&cost_model, run, script).expect("counts");
    let executed = count_executed(&cost_model, run, script).expect("calls");
    assert_eq!(counted.wear, executed);
    assert!(!counted.nvram_full && executed.calls > 10 * days, "{executed:?}");
}

#[rstest]
fn sharing_a_simulation_changes_no_count(#[values(Build::Rtc, Build::NoRtc)] build: Build) {
    let cost_model = cost_model(Dialect::OpenWrt, Chip::SPI_NOR);
    let scripts = [Script::Ours { slack: 0 }, Script::Ours { slack: 14_400 }, Script::Naive];
    let run = HouseholdRun { household: &busy(), build, seed: 7, seconds: 90 * DAY };
    let together = count_each(&cost_model, run, &scripts).expect("counts");
    let alone = scripts.map(|script| count(&cost_model, run, script).expect("counts"));
    assert_eq!(together, alone);
}

#[rstest]
fn counting_equals_processes(
    #[values(Build::Rtc, Build::NoRtc)] build: Build,
    #[values(Script::Naive, Script::Ours { slack: 3600 })] script: Script,
) {
    let cost_model = cost_model(Dialect::OpenWrt, Chip::SPI_NOR);
    // Each event of the router comes about every 8 hours.
    let household = Household { reboots: 90, sighups: 90, power_cuts: 1095, ..busy() };
    let seconds = short_or_long(18 * HOUR, 2 * DAY);
    let settings = Settings {
        leaselab: env!("CARGO_BIN_EXE_leaselab").into(),
        limit_ms: 20_000,
        isolation: backend::process::Isolation::None,
        programs: Vec::new(),
    };
    let mut backend =
        Process::new(cost_model.machine().clone(), &builtin_script(script), &settings)
            .expect("a process back end");
    let mut store = ExecutingStore::new(&cost_model, &mut backend, seconds);
    let run = HouseholdRun { household: &household, build, seed: 3, seconds };
    simulate(run, &mut store).expect("a simulation");
    let executed = store.finish().expect("calls");
    let counted = count(&cost_model, run, script).expect("counts");
    assert_eq!(counted.wear, executed);
}

#[test]
fn merged_parts_equal_the_whole_fleet() {
    let lab = Lab::new();
    let fleet = ["wear", "fleet", "--households", "25", "--for", "5d", "--seed", "9"];
    let run = |more: &[&str]| {
        let words: Vec<&str> = fleet.iter().chain(more).copied().collect();
        lab.command(&words).assert().success().get_output().stdout.clone()
    };
    let whole = run(&["--json", "whole.json"]);
    run(&["--shard", "1/3", "--json", "1.json"]);
    run(&["--shard", "2/3", "--json", "2.json"]);
    run(&["--shard", "3/3", "--json", "3.json"]);
    let merged = lab
        .command(&["wear", "merge", "2.json", "3.json", "1.json", "--json", "merged.json"])
        .assert()
        .success();
    assert_eq!(merged.get_output().stdout, whole);
    assert_eq!(lab.read("merged.json"), lab.read("whole.json"));
    for parts in [&["1.json", "2.json"][..], &["whole.json", "1.json"]] {
        let words: Vec<&str> =
            ["wear", "merge"].iter().chain(parts).chain(&["--json", "no.json"]).copied().collect();
        lab.command(&words).assert().code(2);
    }
    assert!(!lab.path().join("no.json").exists());
}

#[rstest]
#[case(&["--chip", "eeprom"], "[possible values: spi-nor, ")]
#[case(&["--dialect", "cisco"], "[possible values: openwrt, ")]
#[case(&["--for", "0s"], "expected 1s to 10000 years")]
#[case(&["--endurance", "0"], "0 is not in 1..")]
#[case(&["--shard", "1/2"], "unexpected argument '--shard'")]
#[case(&["fleet", "--households", "0"], "0 is not in 1..")]
#[case(&["fleet", "--households", "2", "--shard", "0/2"], "invalid shard \"0/2\": expected I/N, for example 1/3")]
#[case(&["fleet", "--households", "2", "--shard", "3/2"], "invalid shard \"3/2\": expected I/N, for example 1/3")]
#[case(&["fleet", "--households", "2", "--dialect", "all"], "name only one with --dialect and --chip")]
#[case(&["fleet", "--households", "2", "--trace", "x"], "unexpected argument '--trace'")]
#[case(&["--no-sandbox"], "--no-sandbox needs --script")]
#[case(&["--jobs", "0"], "--jobs must be at least 1")]
#[case(&["--clients", "0", "--quiet"], "an empty household")]
#[case(&["--lease-time", "30s"], "expected 120 seconds")]
#[case(&["--dialect", "broadcom", "--chip", "slc-nand"], "cannot commit to slc-nand")]
#[case(&["--json", "/nonexistent/wear.json"], "/nonexistent/wear.json")]
#[case(&["--quiet", "--for", "1d", "--no-limits", "--json", "/dev/full"], "No space left")]
fn invalid_options_are_rejected(#[case] options: &[&str], #[case] error: &str) {
    let lab = Lab::new();
    let words: Vec<&str> = ["wear"].iter().chain(options).copied().collect();
    let output = lab.command(&words).assert().code(2).get_output().stderr.clone();
    let output = String::from_utf8_lossy(&output).into_owned();
    assert!(output.contains(error), "{output}");
}
