//! `leaselab wear` over recordings, scenarios and lists of events.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use dnsmasq_model::{Build, Client4, HwAddr, Kind4, Network, Reply4, ScriptCall, ServerConfig};
use nvram_emu::Dialect;
use nvram_emu::device::Chip;
use rstest::rstest;
use wear::{CostModel, RouterSpec, Script, Workload, WorkloadEvent, count_workload, recordings};

use crate::lab::Lab;

fn project_path(path: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    root.to_string_lossy().into_owned()
}

fn cost_model() -> CostModel {
    let spec = RouterSpec {
        space: 0x8000,
        neighbours: 4000,
        ..RouterSpec::new(Dialect::OpenWrt, Chip::SPI_NOR)
    };
    CostModel::new(&spec).expect("a router")
}

#[rstest]
#[case(Script::Naive, 102)]
#[case(Script::Ours { slack: 0 }, 20)]
fn a_recording_costs_as_much_as_its_replay(#[case] script: Script, #[case] commits: u64) {
    let path = project_path("scenarios/traces/wear_20.no-rtc");
    let workload = recordings(path.as_ref()).expect("a recording").remove(0);
    assert_eq!(workload.build, Some(Build::NoRtc));
    let wear = count_workload(&cost_model(), &workload, Build::NoRtc, script).expect("counts");
    assert_eq!((wear.calls, wear.commits, wear.failed), (105, commits, 0));
}

#[test]
fn a_scenario_costs_as_much_as_its_run() {
    let lab = Lab::new();
    let scenario = project_path("scenarios/wear/renewals-for-a-day.toml");
    let words =
        ["wear", "--scenario", &scenario, "--scripts", "ours", "--rtc", "good", "--csv", "out.csv"];
    lab.command(&words).assert().success();
    let table = lab.read("out.csv");
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 2);
    let commits = rows[0].iter().position(|name| *name == "commits").expect("a column");
    // The scenario itself expects 20 and 960.
    assert_eq!(rows[1][commits], "980");
}

#[test]
fn messages_cost_as_much_as_the_calls_that_they_cause() {
    let mut client = Client4::new(HwAddr::ethernet([2, 0xaa, 0, 0, 0, 1]));
    client.hostname = Some(b"pc".as_slice().into());
    let addr = Ipv4Addr::new(192, 168, 77, 60);
    let reply = Reply4::Ack { addr, lease_time: 3600 };
    let message = |kind| WorkloadEvent::Message { client: client.clone(), kind, addr, reply };
    let server = ServerConfig::parse(&[
        "dnsmasq",
        "--leasefile-ro",
        "--dhcp-script=/etc/script",
        "--dhcp-range=192.168.77.50,192.168.77.99,1h",
    ])
    .expect("options");
    let workload = Workload {
        label: "two messages".to_owned(),
        build: None,
        server,
        network: Network::default(),
        begin: 1_700_000_000,
        seconds: 4000,
        events: vec![
            (0, WorkloadEvent::Start),
            (10, message(Kind4::Request)),
            (1800, message(Kind4::Renew)),
            (1900, WorkloadEvent::PowerOff),
            (1990, WorkloadEvent::Start),
        ],
    };
    let cost = |build| {
        let wear = count_workload(&cost_model(), &workload, build, Script::Naive).expect("counts");
        (wear.calls, wear.commits)
    };
    // init, add, old for the renewal, init, and the one lease twice at the second start.
    assert_eq!(cost(Build::Rtc), (6, 4));
    assert_eq!(cost(Build::NoRtc), (5, 3));
}

#[test]
fn calls_are_counted_after_the_nvram_is_full() {
    let spec = RouterSpec {
        space: 0x2000,
        neighbours: 6000,
        ..RouterSpec::new(Dialect::OpenWrt, Chip { erase_block: 0x2000, ..Chip::SPI_NOR })
    };
    let cost_model = CostModel::new(&spec).expect("a router");
    let call = |n: u8| {
        let words =
            ["script", "add", &format!("02:00:00:00:00:{n:02x}"), &format!("192.168.1.{n}")]
                .map(|word| word.as_bytes().to_vec());
        let expiry = ("DNSMASQ_LEASE_EXPIRES".to_owned(), b"1800000000".to_vec());
        WorkloadEvent::Call(ScriptCall {
            argv: words.to_vec(),
            env: [expiry].into_iter().collect(),
        })
    };
    let workload = Workload {
        label: "forty leases".to_owned(),
        build: Some(Build::Rtc),
        server: ServerConfig::default(),
        network: Network::default(),
        begin: 0,
        seconds: 40,
        events: (10..50).map(|n| (u64::from(n), call(n))).collect(),
    };
    let count =
        |script| count_workload(&cost_model, &workload, Build::Rtc, script).expect("counts");
    let ours = count(Script::Ours { slack: 0 });
    assert!(ours.failed > 0 && ours.commits == 40 - ours.failed, "{ours:?}");
    assert_eq!(ours.lost, 0);
    // At its limit, OpenWrt's tool cannot even commit the old contents any more.
    let naive = count(Script::Naive);
    assert!(naive.failed > 0 && naive.commits < 40, "{naive:?}");
}

#[rstest]
#[case(&["--trace", "TRACE", "--rtc", "good"], "--rtc broken")]
#[case(&["--trace", "TRACE", "--clients", "3"], "cannot be used with")]
#[case(&["--trace", "."], "no recording here")]
#[case(&["--trace", "missing"], "missing: No such file")]
#[case(&["--trace", "TRACE", "--every", "0s"], "--every 0s")]
#[case(&["--every", "1d"], "--trace")]
#[case(&["--scenario", "quiet.toml"], "no script call")]
#[case(&["--scenario", "bad.toml"], "bad.toml:1")]
fn invalid_workloads_are_rejected(#[case] options: &[&str], #[case] error: &str) {
    let lab = Lab::new();
    lab.write("quiet.toml", "title = \"Nothing happens\"\n[[step]]\nadvance = \"1d\"\n");
    lab.write("bad.toml", "title = 3\n");
    let trace = project_path("scenarios/traces/wear_20.no-rtc");
    let words: Vec<&str> = ["wear"]
        .into_iter()
        .chain(options.iter().map(|option| if *option == "TRACE" { &*trace } else { option }))
        .chain(["--json", "out.json"])
        .collect();
    let output = lab.command(&words).assert().code(2).get_output().stderr.clone();
    let output = String::from_utf8_lossy(&output).into_owned();
    assert!(output.contains(error), "{output}");
    assert!(!lab.path().join("out.json").exists());
}
