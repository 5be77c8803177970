//! Tests of the router with a fake guest.

use std::collections::BTreeMap;
use std::time::Duration;

use nvram_emu::{Exit, Machine, flsh};
use rstest::rstest;

use super::dnsmasq::Progress;
use super::fake_guest::{self, LEASED, machine_with};
use super::lifecycle::{DaemonState, Router};
use crate::arch::Arch;
use crate::guest_config::{GuestConfig, flash_chip};
use backend::process::{ScriptCommand, ScriptFile};
use backend::{
    Backend as _, CallEnd, CallOptions, Daemon as _, DaemonExit, DaemonStart, Disturbance,
};
use dnsmasq_model::{
    Build, Client4, Clock, HwAddr, Kind4, Network, Reply4, ScriptCall, ServerConfig,
};
use scenario::{Point, Side};

const CLOCK: Clock = Clock { wall: 1_000_000, mono: 0 };
const REQUEST: Kind4 = Kind4::Request;

fn empty_machine() -> Machine {
    let mut partition = vec![0xFF; flash_chip(Arch::X86_64).partition];
    let image = flsh::blank_image();
    partition[..image.len()].copy_from_slice(&image);
    machine_with(&partition)
}

fn router(config: &mut GuestConfig) -> Router<'_> {
    let script = ScriptCommand {
        file: ScriptFile::BuiltIn("lease_update.sh", ""),
        shell: Vec::new(),
        environment: BTreeMap::new(),
        storage: std::sync::Arc::default(),
    };
    let mut router = Router::new(config, &empty_machine(), &script, 1).expect("a router");
    router.clock = CLOCK;
    router
}

fn add() -> ScriptCall {
    let argv = ["", "add", "02:00:00:00:00:99", "192.168.1.9"];
    ScriptCall { argv: argv.map(|word| word.as_bytes().to_vec()).to_vec(), env: BTreeMap::new() }
}

fn plan(disturbance: Disturbance) -> CallOptions {
    CallOptions { disturbance: Some(disturbance), ..CallOptions::default() }
}

fn start(router: &mut Router<'_>) {
    let options =
        ["dnsmasq", "--dhcp-script=/usr/sbin/lease", "--dhcp-range=192.168.1.50,192.168.1.99,1h"]
            .map(str::to_owned);
    let config = ServerConfig::parse(&options).expect("options");
    let network = Network::default();
    let start = DaemonStart {
        build: Build::Rtc,
        options: &options,
        config: &config,
        network: &network,
        clock: CLOCK,
    };
    router.start(&start).expect("dnsmasq starts");
}

fn client(name: &str) -> Client4 {
    let mut client = Client4::new(HwAddr::ethernet([2, 0, 0, 0, 0, 0x99]));
    client.hostname = Some(name.as_bytes().into());
    client
}

fn arguments(call: &ScriptCall) -> Vec<String> {
    call.argv.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// The value of the variable `lease` that the flash holds.
fn stored(router: &mut Router<'_>) -> Option<String> {
    let mut machine = machine_with(&router.flash().expect("the flash"));
    let output = machine.run(&[b"get", b"lease"]);
    (output.exit == Exit::Code(0))
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[test]
fn a_call_is_recorded_until_its_end_and_its_erases_are_equal() {
    let mut config = fake_guest::config("normal", None);
    let mut router = router(&mut config);
    let result = router.call(&add(), &CallOptions::default()).expect("a call");
    assert_eq!(result.end, CallEnd::Exited(0));
    assert_eq!(result.commands.len(), 2);
    assert_eq!(stored(&mut router).as_deref(), Some("add 02:00:00:00:00:99 192.168.1.9"));
    assert_eq!((router.audit().commits(), router.audit().differences()), (1, &[][..]));
}

#[rstest]
#[case("before", None, 1)]
#[case("after", Some("add 02:00:00:00:00:99 192.168.1.9"), 2)]
fn a_power_cut_before_or_after_a_commit_leaves_the_flash_of_that_point(
    #[case] side: &str,
    #[case] expected: Option<&str>,
    #[case] commands: usize,
) {
    let side = if side == "before" { Side::Before } else { Side::After };
    let mut config = fake_guest::config("normal", None);
    let mut router = router(&mut config);
    let cut = plan(Disturbance::Cut(Point::Subcommand(side, "commit".to_owned())));
    let result = router.call(&add(), &cut).expect("a call");
    assert_eq!((result.end, result.commands.len()), (CallEnd::PowerLost, commands));
    assert!(router.has_exited());
    assert_eq!(stored(&mut router).as_deref(), expected);
    router.power_off().expect("the power is off");
    assert_eq!(router.audit().differences(), &[] as &[String]);
    // It boots again, with the staging file gone.
    let result = router.nvram(&[b"get", b"lease"]).expect("a command");
    assert_eq!(String::from_utf8_lossy(&result.stdout).trim(), expected.unwrap_or_default());
}

#[test]
fn a_power_cut_at_an_erase_ends_qemu() {
    let mut config = fake_guest::config("stops-after-erase", None);
    let mut router = router(&mut config);
    let cut = plan(Disturbance::Cut(Point::Operation { op: 0, byte: 1 }));
    let result = router.call(&add(), &cut).expect("a call");
    assert_eq!(result.end, CallEnd::PowerLost);
    assert_eq!(result.operations.len(), 1);
    // The guest could not record the command that was cut.
    let arguments: Vec<_> = result.commands.iter().map(|ran| &ran.arguments).collect();
    assert_eq!(arguments, [&[b"commit".to_vec()]]);
    assert_eq!(router.audit().differences(), &[] as &[String]);
    assert!(router.has_exited());
}

#[test]
fn a_killed_call_or_a_failing_commit_leaves_the_flash_unchanged() {
    let mut config = fake_guest::config("normal", None);
    let mut router = router(&mut config);
    let kill = plan(Disturbance::Kill(Point::Command(Side::Before, 2)));
    let result = router.call(&add(), &kill).expect("a call");
    assert_eq!((result.end, result.commands.len()), (CallEnd::Killed(9), 2));
    assert_eq!(stored(&mut router), None);
    let fail = plan(Disturbance::Fail("commit".to_owned()));
    let result = router.call(&add(), &fail).expect("a call");
    assert_eq!(result.end, CallEnd::Exited(0));
    assert_eq!((router.audit().commits(), router.audit().differences()), (0, &[][..]));
}

#[test]
fn dnsmasq_starts_leases_an_address_and_ends() {
    let mut config = fake_guest::config("normal", None);
    let mut router = router(&mut config);
    start(&mut router);
    let (call, result) =
        router.next_call(&CallOptions::default()).expect("no error").expect("a call");
    assert_eq!(arguments(&call), ["lease", "init"]);
    assert_eq!(result.stdout, b"a lease\n");
    assert!(router.next_call(&CallOptions::default()).expect("no error").is_none());
    assert!(!router.has_exited());

    let reply = router.message4(REQUEST, &client("pc"), LEASED, CLOCK).expect("a reply");
    assert_eq!(reply, Reply4::Ack { addr: LEASED, lease_time: 3600 });
    let (call, _) = router.next_call(&CallOptions::default()).expect("no error").expect("a call");
    assert_eq!(arguments(&call), ["lease", "add", "02:00:00:00:00:99", "192.168.1.50"]);
    // 3599 in the guest: a second had passed there.
    assert_eq!(call.env["DNSMASQ_TIME_REMAINING"], b"3600");
    assert_eq!(stored(&mut router).as_deref(), Some("add 02:00:00:00:00:99 192.168.1.50"));

    router.signal(15).expect("a signal");
    assert_eq!(
        router.wait().expect("its end"),
        DaemonExit { status: 0, last_output: "==> last words".into() }
    );
    assert!(router.has_exited());
}

#[rstest]
#[case("normal")]
#[case("no-counters")]
fn a_message_that_dnsmasq_ignores_has_no_reply(#[case] behavior: &str) {
    let mut config = fake_guest::config(behavior, None);
    let mut router = router(&mut config);
    start(&mut router);
    router.next_call(&CallOptions::default()).expect("no error").expect("a call");
    let discover = Kind4::Discover { rapid: false };
    let reply = router.message4(discover, &client("ignored"), LEASED, CLOCK).expect("silence");
    assert_eq!(reply, Reply4::Silent);
    let reply = router.message4(discover, &client("pc"), LEASED, CLOCK).expect("a reply");
    assert_eq!(reply, Reply4::Offer(LEASED));
}

#[test]
fn an_exit_of_dnsmasq_after_a_message_is_detected() {
    let mut config = fake_guest::config("dnsmasq-dies", None);
    let mut router = router(&mut config);
    start(&mut router);
    router.next_call(&CallOptions::default()).expect("no error").expect("a call");
    let reply = router.message4(REQUEST, &client("pc"), LEASED, CLOCK).expect("silence");
    assert_eq!(reply, Reply4::Silent);
    assert!(router.next_call(&CallOptions::default()).expect("no error").is_none());
    assert!(router.has_exited());
    assert_eq!(router.wait().expect("its end").status, 3);
}

#[rstest]
#[case("dies-in-poll", "the guest has ended")]
#[case(
    "garbled-state",
    "the guest answered \"sh: /lab/poll-state: not found\" to a request for its state"
)]
#[case("garbled-event", "the guest recorded \"call 1 garbage\", which is not an event")]
fn a_guest_that_misbehaves_is_an_error(#[case] behavior: &str, #[case] expected: &str) {
    let mut config = fake_guest::config(behavior, None);
    let mut router = router(&mut config);
    let error = router.call(&add(), &CallOptions::default()).expect_err("an error").to_string();
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn a_qemu_that_ends_is_an_error_with_its_output() {
    let mut config = fake_guest::config("bad-kernel", None);
    let mut router = router(&mut config);
    let error = router.nvram(&[b"show"]).expect_err("an error").to_string();
    assert!(error.starts_with("QEMU ended: exit status: 1: "), "{error}");
    assert!(error.contains("could not load kernel 'kernel'"), "{error}");
}

#[test]
fn a_qemu_that_does_not_connect_is_an_error_with_the_limit() {
    let mut config = fake_guest::config("no-connection", Some(Duration::ZERO));
    let mut router = router(&mut config);
    let error = router.nvram(&[b"show"]).expect_err("an error").to_string();
    let expected = "QEMU did not connect to its agent's socket within 0 s (--boot-limit SECONDS raises the limit)";
    assert!(error.starts_with(expected), "{error}");
}

#[rstest]
#[case(Some((1, 1)), Some((1, 1)), Progress::NotReceived)]
#[case(Some((1, 1)), Some((2, 1)), Progress::Ignored)]
#[case(Some((1, 1)), Some((2, 2)), Progress::Replied)]
#[case(None, None, Progress::NotReceived)]
fn progress_follows_from_the_counts_of_datagrams(
    #[case] before: Option<(u64, u64)>,
    #[case] after: Option<(u64, u64)>,
    #[case] expected: Progress,
) {
    let state = |datagrams| DaemonState { datagrams, ..DaemonState::default() };
    assert_eq!(Progress::between(&state(before), &state(after)), expected);
}
