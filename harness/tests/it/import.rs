//! Recordings from routers: `leaselab trace import`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use dnsmasq_model::Build;
use predicates::prelude::*;
use rstest::rstest;
use trace::Recording;

use crate::lab::Lab;

pub(crate) const LOG: &str = r"leaselab-record 1

call 1 1700000000 100.50
arg /jffs/record.sh
arg init
out 1700003600 02:aa:00:00:00:01 192.168.1.5 anna 01:02:aa:00:00:00:01
out duid 00:01:00:01:2c:e6:ad:80:02:aa:00:00:00:01
end 1 0 100.60

call 2 1700000010 110.50
arg /jffs/record.sh
arg old
arg 02:aa:00:00:00:01
arg 192.168.1.5
arg anna
env DNSMASQ_CLIENT_ID 01:02:aa:00:00:00:01
env DNSMASQ_LEASE_EXPIRES 1700003600
env DNSMASQ_SUPPLIED_HOSTNAME caf\351\040\012Anna
end 2 0 110.60

call 3 1700001810 1910.50
arg /jffs/record.sh
arg add
arg 06-02:bb:00:00:00:02
arg 192.168.1.6
end 3 1 1910.60
";

fn imported(lab: &Lab, log: &str, options: &[&str]) -> Recording {
    lab.write("router.0", log);
    let out = format!("out{}", std::fs::read_dir(lab.path()).expect("the folder").count());
    lab.command(&[&["trace", "import", "router.0", "--out", &out], options].concat())
        .assert()
        .success();
    Recording::read(&lab.path().join(out)).expect("a recording")
}

#[test]
fn a_log_becomes_a_recording() {
    let lab = Lab::new();
    let recording = imported(&lab, LOG, &[]);
    assert_eq!((recording.meta.build, recording.meta.calls), (Build::Rtc, 3));
    let [init, old, add] = &recording.calls[..] else { panic!("three calls") };
    assert!(init.out.as_ref().expect("what init printed").0.ends_with(b"00:01\n"));
    assert_eq!(old.env["DNSMASQ_SUPPLIED_HOSTNAME"].0, b"caf\xE9 \nAnna");
    assert_eq!((old.t, old.chg, add.chg, add.rc), (10.0, Some(0), Some(1), Some(1)));
    // The leases that were stored before the recording are not counted.
    lab.command(&["trace", "replay", "--target", "in-process"])
        .arg(&recording.folder)
        .assert()
        .code(1) // the call without a lease time is refused
        .stdout(predicate::str::contains("3 calls    1 failed      0 commits"));
}

#[test]
fn a_days_renewals_are_counted_for_every_script() {
    let lab = Lab::new();
    let mut log = LOG.to_owned();
    log.truncate(log.find("\ncall 3").expect("the third call"));
    for n in 0..48 {
        let (number, wall) = (3 + n, 1_700_001_800 + n * 1800);
        let _ = write!(
            log,
            "\ncall {number} {wall} {}.00\narg record.sh\narg old\narg 02:aa:00:00:00:01\n\
             arg 192.168.1.5\narg anna\nenv DNSMASQ_CLIENT_ID 01:02:aa:00:00:00:01\n\
             env DNSMASQ_LEASE_EXPIRES {}\nend {number} 0 {}.10\n",
            200 + n * 1800,
            wall + 3600,
            200 + n * 1800,
        );
    }
    let recording = imported(&lab, &log, &[]);
    let replay = |options: &[&str]| {
        let mut command = lab.command(&["trace", "replay"]);
        command.arg(&recording.folder).args(options).assert().success()
    };
    let _ = replay(&["--target", "in-process"]).stdout(predicate::str::contains("  48 commits"));
    lab.command(&["wear", "--trace"])
        .arg(&recording.folder)
        .assert()
        .success()
        .stdout(predicate::str::contains("naive"));
}

#[rstest]
#[case::last_line("\ncall 4 1700001820 1920.00\narg record.sh\narg o", 3, "1 call left out")]
#[case::no_room("\ncall 4 17000\n\ncall 5 1700001830 -\narg x\nend", 3, "2 calls left out")]
#[case::another_head(
    "\nleaselab-record 1\n\ncall 6 - -\narg x\narg arp-add\nend 6 0 -\n",
    4,
    "2 calls missing"
)]
#[case::in_between(
    "\ncall 4 1 1.00\narg x\n\ncall 5 2 2.00\narg x\narg tftp\nend 5 0 2.00\n",
    4,
    "1 call left out"
)]
#[case::too_large("\ncall 4 1 1.00\nlarge 99999\nend 4 0 2.00\n", 3, "too large")]
#[case::left_over("\narg 1\nend 4 0 2.00\n", 3, "")]
fn torn_calls_are_left_out_and_reported(
    #[case] more: &str,
    #[case] calls: usize,
    #[case] message: &str,
) {
    let lab = Lab::new();
    lab.write("log", format!("{LOG}{more}"));
    lab.command(&["trace", "import", "log", "--out", "out"])
        .assert()
        .success()
        .stdout(predicate::str::contains(message));
    assert_eq!(Recording::read(&lab.path().join("out")).expect("a recording").calls.len(), calls);
}

#[test]
fn files_in_any_order_even_twice_are_one_recording() {
    let lab = Lab::new();
    let at = LOG.find("\ncall 3").expect("the third call");
    lab.write("log.0", format!("leaselab-record 1\n{}", &LOG[at..])).write("log.1", &LOG[..at]);
    lab.command(&["trace", "import", "log.0", "log.1", "log.0"]).assert().success();
    let recording = Recording::read(&lab.path().join("log.trace")).expect("a recording");
    assert_eq!(recording.calls.iter().map(|call| call.t).collect::<Vec<_>>(), [0.0, 10.0, 1810.0]);
}

#[test]
fn a_reboot_is_detected_by_the_clock_that_restarts() {
    let lab = Lab::new();
    let recording = imported(&lab, &LOG.replace("1910.50", "15.00"), &[]);
    assert_eq!(recording.stimuli.last().map(|stimulus| stimulus.kind.as_str()), Some("reboot"));
    assert_eq!(recording.calls[2].t.round() as u64, 1810);
}

#[rstest]
#[case("hello\n", "log: not a log of record.sh")]
#[case("", "log: not a log of record.sh")]
#[case("leaselab-record 2\n\ncall", "log:1:17: a log of version 2")]
#[case("leaselab-record x\n", "log:1:17: expected the version")]
#[case("leaselab-record 1\n", "the log contains no complete call")]
#[case("leaselab-record 1\n\ncall 1 x -\narg a\n", "log:3:8: expected a number")]
#[case("leaselab-record 1\n\ncall 1 1\narg a\n", "log:3:6: expected 3 fields, found 2")]
#[case(
    "leaselab-record 1\n\ncall 1 1 1.00\narg a\\9\narg b\n",
    "log:4:6: expected three octal digits"
)]
#[case("leaselab-record 1\n\ncall 1 1 1.00\narg a b\narg b\n", "log:4:6: unexpected space")]
#[case(
    "leaselab-record 1\n\ncall 1 1 1.00\nenv PATH x\narg b\n",
    "log:4:5: expected the name of a variable"
)]
#[case(
    "leaselab-record 1\n\ncall 1 1 1.00\narg \u{e9}\narg b\n",
    "log:4:5: unexpected byte 0xc3: record.sh escapes it"
)]
#[case("leaselab-record 1\n\nwhat\narg b\n", "log:3:1: expected a line that record.sh writes")]
fn invalid_logs_are_rejected(#[case] log: &str, #[case] why: &str) {
    let lab = Lab::new();
    lab.write("log", log);
    lab.command(&["trace", "import", "log"]).assert().code(2).stderr(predicate::str::contains(why));
    assert_eq!(std::fs::read_dir(lab.path()).expect("the folder").count(), 1, "no partial output");
}

#[rstest]
#[case(&["missing"], "missing: No such file")]
#[case(&["."], "Is a directory")]
#[case(&["log", "--out", "log"], "exists already")]
#[case(&["log", "--out", "missing/out"], "No such file")]
#[case(&["log", "--addresses"], "--anonymise")]
#[case(&["log", "--anonymise", "--key-file", "missing"], "--key-file missing: No such file")]
#[case(&["log", "--anonymise", "--key-file", "empty"], "--key-file empty: the file is empty")]
fn failures_name_the_file_and_the_cause(#[case] arguments: &[&str], #[case] why: &str) {
    let lab = Lab::new();
    lab.write("log", LOG).write("empty", "\n");
    lab.command(&[&["trace", "import"], arguments].concat())
        .assert()
        .code(2)
        .stderr(predicate::str::contains(why));
    assert_eq!(std::fs::read_dir(lab.path()).expect("the folder").count(), 2, "no partial output");
}

/// All words of a recording.
fn words(recording: &Recording) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    for call in &recording.calls {
        words.extend(call.argv.iter().skip(1).map(|word| word.0.clone()));
        words.extend(call.env.values().map(|value| value.0.clone()));
        words.extend(
            call.out.iter().flat_map(|out| out.0.split(|b| b" \n".contains(b))).map(<[u8]>::to_vec),
        );
    }
    words
}

#[test]
fn pseudonyms_are_stable_and_of_the_same_length_and_reveal_nothing() {
    let lab = Lab::new();
    lab.write("key", "a secret of sixteen bytes").write("other", "another secret");
    let plain = imported(&lab, LOG, &[]);
    let with = |key| imported(&lab, LOG, &["--anonymise", "--addresses", "--key-file", key]);
    let (one, again, other) = (with("key"), with("key"), with("other"));
    assert_eq!(words(&one), words(&again));
    assert_ne!(words(&one), words(&other));

    let mut pairs = BTreeSet::new();
    for (before, after) in words(&plain).into_iter().zip(words(&one)) {
        assert_eq!(before.len(), after.len(), "{before:?} {after:?}");
        pairs.insert((before, after));
    }
    let (befores, afters): (BTreeSet<_>, BTreeSet<_>) = pairs.iter().cloned().unzip();
    assert_eq!((befores.len(), afters.len()), (pairs.len(), pairs.len()), "one for one");

    let call = &one.calls[1];
    let (mac, id) = (&call.argv[2].0, &call.env["DNSMASQ_CLIENT_ID"].0);
    assert_eq!(id, &[b"01:", &mac[..]].concat(), "a client-id contains the same pseudonym");
    let duid = one.calls[0].out.as_ref().expect("what init printed").0.clone();
    assert!(duid.ends_with(&[b":", &mac[..], b"\n"].concat()), "and so does a DUID");
    let first = u8::from_str_radix(std::str::from_utf8(&mac[..2]).expect("hex"), 16).expect("hex");
    assert_eq!(first & 3, 2, "a unicast address that is locally administered");
    assert!(one.calls[2].argv[2].0.starts_with(b"06-"));
    assert!(call.argv[3].0.starts_with(b"192.168."));
    let name = &call.argv[4].0;
    assert!(name.iter().all(u8::is_ascii_lowercase) && name != b"anna");
    let supplied = &call.env["DNSMASQ_SUPPLIED_HOSTNAME"].0;
    assert!(!supplied.is_ascii(), "a name that dnsmasq rejects must remain one: {supplied:?}");
    let text = std::fs::read_to_string(one.folder.join("calls.jsonl")).expect("a file");
    for secret in ["anna", "Anna", "02:aa:00", "caf", "192.168.1.5"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn addresses_are_kept_by_default_and_a_random_key_is_not_stored() {
    let lab = Lab::new();
    let (one, other) =
        (imported(&lab, LOG, &["--anonymise"]), imported(&lab, LOG, &["--anonymise"]));
    assert_eq!(one.calls[1].argv[3].0, b"192.168.1.5");
    assert_ne!(one.calls[1].argv[2], other.calls[1].argv[2]);
}

/// Runs the wrapper in a shell, with the project's own script.
#[test]
fn a_log_of_the_wrapper_can_be_imported_and_replayed() {
    let lab = Lab::new();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lease-script");
    for name in ["record.sh", "lease_update.sh"] {
        std::fs::copy(scripts.join(name), lab.path().join(name)).expect("a script");
    }
    let leaselab = env!("CARGO_BIN_EXE_leaselab");
    lab.command(&["device", "create", "router", "--dialect", "openwrt"]).assert().success();
    let nvram = lab.path().join("nvram");
    std::os::unix::fs::symlink(leaselab, &nvram).expect("a link");
    let call = |arguments: &[&str], expiry: &str| {
        let mut command = Command::new("sh");
        command.arg0("sh").arg(lab.path().join("record.sh")).args(arguments);
        command
            .env("RECORD_LOG", lab.path().join("log"))
            .env("NVRAM_EMU", lab.path().join("router"));
        command.env("LEASE_NVRAM", &nvram).env("LEASE_RUN", lab.path());
        command.env("DNSMASQ_LEASE_EXPIRES", expiry).env("DNSMASQ_VENDOR_CLASS", "MSFT 5.0");
        let output = command.output().expect("a shell");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    assert_eq!(call(&["init"], ""), "");
    call(&["add", "02:aa:00:00:00:01", "192.168.1.5", "anna"], "1700003600");
    call(&["old", "02:aa:00:00:00:01", "192.168.1.5", "anna"], "1700003600");
    let leases = call(&["init"], "");
    assert_eq!(leases, "1700003600 02:aa:00:00:00:01 192.168.1.5 anna *\n");
    lab.command(&["trace", "import", "log/log.1"]).assert().success();
    let recording = Recording::read(&lab.path().join("log.trace")).expect("a recording");
    let last = recording.calls.last().expect("a call");
    assert_eq!(last.out.as_ref().map(|out| &out.0[..]), Some(leases.as_bytes()));
    assert_eq!(recording.calls[1].env["DNSMASQ_VENDOR_CLASS"].0, b"MSFT 5.0");
    lab.command(&["trace", "replay", "log.trace", "--target", "in-process"])
        .assert()
        .success()
        .stdout(predicate::str::contains("4 calls    0 failed       1 commit "));
}
