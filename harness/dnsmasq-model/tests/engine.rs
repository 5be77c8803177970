//! Invariants of the engine under random inputs, and its limits.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use dnsmasq_model::{
    Build, CallCounts, Client4, Clock, Engine, HwAddr, InitResult, InitStatus, Kind4, Lease,
    Release, ScriptCall, Server, ServerConfig, StartFailure,
};
use proptest::prelude::*;

const START: Clock = Clock { wall: 1_700_000_000, mono: 5_000 };

fn config() -> ServerConfig {
    ServerConfig::parse(&[
        "dnsmasq",
        "--leasefile-ro",
        "--dhcp-script=/bin/script",
        "--dhcp-range=192.168.77.50,192.168.77.57,255.255.255.0,10m",
        "--dhcp-host=02:00:00:00:00:03,192.168.77.30,fixed",
        "--dhcp-lease-max=6",
        "--domain=example.org",
    ])
    .expect("legal options")
}

#[derive(Debug, Clone)]
enum Step {
    Message(Kind4, u8, u8, u8),
    Wait(u16),
    ClockJump(i32),
    Sighup,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        Just(Kind4::Request),
        Just(Kind4::InitReboot),
        Just(Kind4::Renew),
        Just(Kind4::Rebind),
        Just(Kind4::Inform),
        Just(Kind4::Release),
        Just(Kind4::Decline),
        Just(Kind4::Bootp),
        Just(Kind4::Discover { rapid: false }),
    ];
    prop_oneof![
        8 => (kind, 0..6u8, 0..4u8, 48..60u8).prop_map(|(k, c, n, a)| Step::Message(k, c, n, a)),
        3 => (1..900u16).prop_map(Step::Wait),
        1 => (-4000..4000i32).prop_map(Step::ClockJump),
        1 => Just(Step::Sighup),
        1 => Just(Step::Restart),
    ]
}

fn client(number: u8, name: u8) -> Client4 {
    let mut client = Client4::new(HwAddr::ethernet([2, 0, 0, 0, 0, number]));
    if number.is_multiple_of(2) {
        client.clid = Some(vec![1, number].into());
    }
    client.hostname = [None, Some("alpha"), Some("bravo"), Some("bad name")][usize::from(name)]
        .map(|text| text.as_bytes().into());
    client
}

/// Whether [`Step::ClockJump`] has an effect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ClockJumps {
    Applied,
    Skipped,
}

/// Runs the steps. `check` receives the engine after each step and the calls of the step. Returns all calls.
fn run(
    build: Build,
    steps: &[Step],
    jumps: ClockJumps,
    mut check: impl FnMut(&Engine, &[ScriptCall]),
) -> Vec<ScriptCall> {
    let mut server = Server::new(Engine::new(build, config()));
    let mut clock = START;
    let mut all = Vec::new();
    let mut calls = Vec::new();
    server.engine_mut().start(clock, &InitResult::ok(""), &mut calls).expect("starts");
    for step in steps {
        match step {
            Step::Message(kind, who, name, addr) => {
                let client = client(*who, *name);
                let held = server.engine().leases().find(|l| l.hw == client.hw).and_then(Lease::v4);
                let asked = Ipv4Addr::new(192, 168, 77, *addr);
                let addr = if addr % 3 == 0 { asked } else { held.unwrap_or(asked) };
                server.handle(*kind, &client, addr, clock, &mut calls);
            }
            Step::Wait(seconds) => {
                clock = clock.after(i64::from(*seconds));
                server.engine_mut().advance_to(clock, &mut calls);
            }
            Step::ClockJump(seconds) if jumps == ClockJumps::Applied => {
                clock.wall += i64::from(*seconds);
            }
            Step::ClockJump(_) => {}
            Step::Sighup => server.engine_mut().sighup(clock, &mut calls),
            Step::Restart => {
                let lines: Vec<String> = server.engine().lease_lines().into_iter().rev().collect();
                server.engine_mut().kill();
                server.forget_declined();
                let init = InitResult::ok(lines.join("\n") + "\n");
                server.engine_mut().start(clock, &init, &mut calls).expect("its own leases");
            }
        }
        check(server.engine(), &calls);
        all.append(&mut calls);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn calls_report_every_change_of_the_leases(steps in prop::collection::vec(step(), 1..60), rtc in any::<bool>()) {
        let build = if rtc { Build::Rtc } else { Build::NoRtc };
        let mut reported: BTreeSet<Vec<u8>> = BTreeSet::new();
        run(build, &steps, ClockJumps::Applied, |engine, calls| {
            for call in calls {
                match call.action() {
                    b"add" | b"old" => reported.insert(call.argv[3].clone()),
                    _ => reported.remove(&call.argv[3]),
                };
            }
            // dnsmasq is idle after a step, so no call is outstanding.
            let leases: BTreeSet<Vec<u8>> = engine.leases().map(|l| l.addr.to_string().into_bytes()).collect();
            assert_eq!(reported, leases);
            assert!(engine.lease_count() <= 6);
        });
    }

    #[test]
    fn host_names_are_unique(steps in prop::collection::vec(step(), 1..60)) {
        run(Build::Rtc, &steps, ClockJumps::Applied, |engine, _| {
            let names: Vec<_> = engine.leases().filter_map(|l| l.hostname.clone()).collect();
            let distinct: BTreeSet<_> = names.iter().map(|n| n.to_ascii_lowercase()).collect();
            assert_eq!(names.len(), distinct.len());
        });
    }

    #[test]
    fn without_rtc_jumps_of_the_wall_clock_have_no_effect(steps in prop::collection::vec(step(), 1..60)) {
        let without_jumps = run(Build::NoRtc, &steps, ClockJumps::Skipped, |_, _| {});
        let with_jumps = run(Build::NoRtc, &steps, ClockJumps::Applied, |_, _| {});
        prop_assert_eq!(without_jumps, with_jumps);
    }

    #[test]
    fn arbitrary_output_of_init_is_read_or_prevents_the_start(text in prop::collection::vec(
        prop_oneof![
            Just(&b" "[..]), Just(&b"\n"[..]), Just(&b"duid "[..]), Just(&b"1700009999 "[..]), Just(&b"-5 "[..]),
            Just(&b"02:00:00:00:00:01 "[..]), Just(&b"06- "[..]), Just(&b"zz "[..]), Just(&b"* "[..]),
            Just(&b"192.168.77.60 "[..]), Just(&b"fd77::1 "[..]), Just(&b"T5 "[..]), Just(&b"alpha "[..]),
            Just(&b"99999999999999999999 "[..]), Just(&b"\x00\xff "[..]),
            Just(&b"9223372036854775805 "[..]),
        ], 0..40), rtc in any::<bool>(), release in 0..Release::all().count()) {
        let build = if rtc { Build::Rtc } else { Build::NoRtc };
        let release = Release::all().nth(release).expect("a release");
        let mut config = config();
        config.release = release;
        let mut engine = Engine::new(build, config);
        let mut calls: Vec<ScriptCall> = Vec::new();
        if engine.start(START, &InitResult::ok(text.concat()), &mut calls).is_err() {
            prop_assert!(!engine.is_running() && calls.is_empty());
        }
        engine.sighup(START.after(5), &mut calls);
        engine.advance_to(START.after(1 << 33), &mut calls);
        engine.stop(START.after(1 << 33), &mut calls);
    }
}

/// Lets three clients join with `--dhcp-lease-max=2`. Returns the server and the calls.
fn join_beyond_the_limit(release: &str) -> (Server, Vec<ScriptCall>) {
    let release = release.parse().expect("a release");
    let mut config = config();
    config.release = release;
    config.lease_max = 2;
    let mut server = Server::new(Engine::new(Build::Rtc, config));
    let mut calls = Vec::new();
    server.engine_mut().start(START, &InitResult::ok(""), &mut calls).expect("starts");
    for number in 1..4 {
        server.join(
            &client(number, 0),
            Some(Ipv4Addr::new(192, 168, 77, 60 + number)),
            START,
            &mut calls,
        );
    }
    (server, calls)
}

#[test]
fn a_client_beyond_the_lease_limit_crashes_some_releases() {
    let survivors: Vec<String> = Release::all()
        .map(|release| release.to_string())
        .filter(|release| join_beyond_the_limit(release).0.engine().is_running())
        .collect();
    assert_eq!(survivors.len(), 58 - 5);
    for release in ["2.60", "2.61", "2.62", "2.63", "2.64"] {
        assert!(!survivors.iter().any(|survivor| survivor == release), "{release}");
    }
}

#[test]
fn two_releases_make_their_calls_when_they_are_stopped() {
    let made_at_the_end = |release: &str| {
        let (mut server, before) = join_beyond_the_limit(release);
        let mut calls = Vec::new();
        server.engine_mut().stop(START, &mut calls);
        (before.len(), calls.len())
    };
    assert_eq!(made_at_the_end("2.47"), (2, 0));
    assert_eq!(made_at_the_end("2.48"), (0, 1));
    assert_eq!(made_at_the_end("2.74"), (0, 2));
    assert_eq!(made_at_the_end("2.75"), (2, 0));
}

/// Lets clients join while the script runs; one of them changes its name and leaves. Returns the server and the calls.
fn join_with_a_slow_script(release: &str) -> (Server, Vec<String>) {
    let mut config = config();
    config.release = release.parse().expect("a release");
    let mut server = Server::new(Engine::new(Build::Rtc, config));
    let mut calls: Vec<ScriptCall> = Vec::new();
    server.engine_mut().set_call_time(20);
    server.engine_mut().start(START, &InitResult::ok(""), &mut calls).expect("starts");
    let addr = |number: u8| Ipv4Addr::new(192, 168, 77, 50 + number);
    // Host 3 has an address of its own.
    for number in [1, 2, 4] {
        server.join(&client(number, 0), Some(addr(number)), START.after(1), &mut calls);
    }
    server.handle(Kind4::Renew, &client(2, 1), addr(2), START.after(2), &mut calls);
    server.handle(Kind4::Release, &client(2, 1), addr(2), START.after(3), &mut calls);
    (server, calls.iter().map(action_and_host).collect())
}

/// Returns the action and the host number of a call.
fn action_and_host(call: &ScriptCall) -> String {
    let word = |index: usize| String::from_utf8_lossy(&call.argv[index]).into_owned();
    format!("{} {}", word(1), word(3).rsplit('.').next().unwrap_or_default())
}

#[test]
fn calls_wait_while_the_script_runs_and_are_merged_in_2_33() {
    for (release, expected) in [
        ("2.33", &["del 52", "add 54"][..]),
        ("2.34", &["add 52", "add 54", "old 52", "del 52"]),
        ("2.92", &["add 52", "add 54", "old 52", "del 52"]),
    ] {
        let (mut server, made) = join_with_a_slow_script(release);
        assert_eq!(made, ["add 51"], "{release}");
        assert!(server.engine().has_unreported_changes(), "{release}");
        let mut calls: Vec<ScriptCall> = Vec::new();
        server.engine_mut().advance_to(START.after(20), &mut calls);
        assert!(calls.is_empty(), "{release}");
        server.engine_mut().advance_to(START.after(100), &mut calls);
        assert_eq!(calls.iter().map(action_and_host).collect::<Vec<_>>(), expected, "{release}");
        assert!(!server.engine().has_unreported_changes(), "{release}");
    }
}

#[test]
fn waiting_calls_are_dropped_by_a_power_cut_and_by_2_33() {
    let left = |release: &str, end: fn(&mut Engine, &mut Vec<ScriptCall>)| {
        let (mut server, _) = join_with_a_slow_script(release);
        let mut calls = Vec::new();
        end(server.engine_mut(), &mut calls);
        calls.len()
    };
    for release in ["2.33", "2.34", "2.92"] {
        let waiting = if release == "2.33" { 0 } else { 4 };
        assert_eq!(left(release, |engine, calls| engine.stop(START.after(4), calls)), waiting);
        assert_eq!(left(release, Engine::kill_main_process), waiting);
        assert_eq!(left(release, |engine, _| engine.kill()), 0);
    }
}

#[test]
fn counting_calls_changes_neither_their_number_nor_the_leases() {
    let mut listed: Vec<ScriptCall> = Vec::new();
    let mut counted = CallCounts::default();
    let mut server = Server::new(Engine::new(Build::Rtc, config()));
    server.engine_mut().start(START, &InitResult::ok(""), &mut listed).expect("starts");
    server.join(&client(1, 1), None, START, &mut listed);
    let mut twin = server.clone();
    let later = START.after(300);
    let IpAddr::V4(addr) = server.engine().leases().next().expect("a lease").addr else {
        panic!("IPv4")
    };
    listed.clear();
    server.handle(Kind4::Renew, &client(1, 2), addr, later, &mut listed);
    twin.handle(Kind4::Renew, &client(1, 2), addr, later, &mut counted);
    assert_eq!(listed.len(), 2);
    assert_eq!(counted.total(), 2);
    assert_eq!(server.engine().lease_lines(), twin.engine().lease_lines());
}

#[test]
fn more_stored_leases_than_allowed_prevent_the_start() {
    let line = |n: u8| format!("0 02:00:00:00:00:{n:02x} 192.168.77.{n} * *\n");
    let mut engine = Engine::new(Build::Rtc, config());
    let mut calls: Vec<ScriptCall> = Vec::new();
    let seven: String = (1..=7).map(line).collect();
    let failure = engine.start(START, &InitResult::ok(seven), &mut calls).expect_err("too many");
    assert_eq!(
        failure,
        StartFailure::Exit { code: 5, message: "too many stored leases".to_owned() }
    );
    let six: String = (1..=6).map(line).collect();
    engine.start(START, &InitResult::ok(six), &mut calls).expect("as many as allowed");
    // The leases are on a connected network, so there is one more call for the newest, before the synthetic SIGHUP.
    assert_eq!(calls.len(), 7);
}

#[test]
fn the_exit_code_of_init_determines_that_of_dnsmasq() {
    let status = |code| {
        let init = InitResult { stdout: Vec::new(), status: InitStatus::Code(code) };
        let mut calls: Vec<ScriptCall> = Vec::new();
        Engine::new(Build::Rtc, config()).start(START, &init, &mut calls).err().map(|f| f.status())
    };
    assert_eq!(status(0), None);
    assert_eq!(status(1), Some(11));
    assert_eq!(status(126), Some(3));
    assert_eq!(status(127), Some(3));
    assert_eq!(status(255), Some(9));
}

#[test]
fn a_request_beyond_the_lease_limit_gets_a_nak_and_the_alarm_removes_leases() {
    let mut server = Server::new(Engine::new(Build::NoRtc, config()));
    let mut calls: Vec<ScriptCall> = Vec::new();
    server.engine_mut().start(START, &InitResult::ok(""), &mut calls).expect("starts");
    for n in 10..16 {
        server.join(&client(n, 0), None, START, &mut calls);
    }
    assert_eq!(server.engine().lease_count(), 6);
    assert_eq!(server.join(&client(20, 0), None, START, &mut calls), dnsmasq_model::Reply4::Nak);
    assert_eq!(server.engine().next_alarm(), Some(START.mono + 600));
    let fired = server.engine_mut().advance_to(START.after(600), &mut calls);
    assert_eq!(fired, [START.mono + 600]);
    assert_eq!(server.engine().lease_count(), 0);
}
