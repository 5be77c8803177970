//! A real dnsmasq in namespaces of its own. The test command skips this file by name where there is none.

use predicates::prelude::*;
use predicates::str::contains;

use crate::lab::Lab;

const STORY: &str = r#"
title = "Two leases, renewed, and a power cut"
[parameters]
rtc = ["good", "broken"]
[router]
rtc = "$rtc"
[server]
lease-time = "1h"
range6 = "fd77::1000-fd77::1fff"
options = [OPTIONS]
[[step]]
boot = {}
[[step]]
join = { client = "pc", count = 2 }
expect = { leases = 2, names = ["pc-1", "pc-2"] }
[[step]]
join = { client = "phone", v6 = "na" }
expect = { leases = 3, names = ["phone"] }
[[step]]
join = { client = "guest", v6 = "ta" }
expect = { leases = 4 }
[[step]]
advance = "30m"
[[step]]
renew = { client = "*" }
expect = { reply = "ack" }
[[step]]
decline = { client = "pc-2" }
expect = { lacks = ["pc-2"] }
[[step]]
power-cut = true
[[step]]
boot = { off = "1m" }
expect = { leases = 3, names = ["pc-1", "phone"], no-names = ["pc-2"] }
[[step]]
dnsmasq = "sighup"
[[step]]
advance = "2h"
expect = { leases = 0, no-names = ["pc-1"] }
"#;

fn lab(options: &str) -> Lab {
    let lab = Lab::new();
    lab.write("story.toml", STORY.replace("OPTIONS", options));
    lab
}

#[test]
fn the_engine_predicts_what_a_real_dnsmasq_does() {
    lab("")
        .command(&["live", "story.toml", "--rtc", "good"])
        .assert()
        .code(0)
        .stdout(contains("1 cases passed, 0 failed, 0 skipped").and(contains("21 calls")));
}

/// The engine reads no file of the machine; the real dnsmasq does.
#[test]
fn a_call_that_the_engine_did_not_predict_is_found() {
    // dnsmasq sees another /tmp, below which both the default folder and the clone may lie.
    let hosts = tempfile::NamedTempFile::new_in("/var/tmp").expect("a file");
    std::fs::write(hosts.path(), "192.168.1.123 elsewhere\n").expect("a hosts file");
    let lab = lab(&format!("\"--addn-hosts={}\"", hosts.path().display()));
    let difference = "dnsmasq: it made the call `add 02:aa:00:00:00:01 192.168.1.123 elsewhere` where \
                      `add 02:aa:00:00:00:01 192.168.1.123 pc-1` was expected";
    let run = ["live", "story.toml", "--rtc", "good", "--seed", "3"];
    let output = lab.command(&run).assert().code(1).stdout(contains(difference));
    // The modelled dnsmasq would pass: the printed commands use the real one.
    for line in Lab::printed_commands(&output.get_output().stdout) {
        lab.shell(&line).assert().code(1).stdout(contains(difference));
    }
}

#[test]
fn scenarios_for_the_other_build_are_skipped_by_name() {
    lab("")
        .command(&["live", "story.toml", "--rtc", "broken"])
        .env_remove("LEASELAB_DNSMASQ_NO_RTC")
        .assert()
        .code(0)
        .stdout(contains("SKIPPED story[rtc=broken]").and(contains("--dnsmasq-no-rtc PATH")));
}

#[test]
fn the_script_sees_the_same_time() {
    let lab = lab("");
    let story = lab.read("story.toml");
    let script =
        "use = \"dated.sh\"\n[[breaks]]\ninvariant = \"agreement\"\nwhy = \"it stores nothing\"\n";
    let story = story.replacen("[[step]]", &format!("[script]\n{script}[[step]]"), 1);
    let (story, _) = story.split_once("[[step]]\njoin = { client = \"phone\"").expect("the story");
    lab.write("story.toml", story.replace("leases = 2, ", "stderr = [\"2026-01-05 12:00\"], "));
    lab.write("dated.sh", "#!/bin/sh\n[ \"$1\" = init ] || date -u '+%Y-%m-%d %H:%M' >&2\n");
    lab.command(&["live", "story.toml", "--rtc", "good"]).assert().code(0);
}

#[test]
fn a_dnsmasq_that_dies_of_what_init_printed_is_reported() {
    let lab = lab("");
    lab.write(
        "nothex.sh",
        "#!/bin/sh\n[ \"$1\" = init ] && echo 1999999999 nothex 192.168.1.50 pc '*'\nexit 0\n",
    );
    let mut permissions =
        std::fs::metadata(lab.path().join("nothex.sh")).expect("a file").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    std::fs::set_permissions(lab.path().join("nothex.sh"), permissions).expect("a script");
    lab.command(&["live", "story.toml", "--rtc", "good", "--script", "nothex.sh"])
        .assert()
        .code(1)
        .stdout(contains("it died by signal 6").and(contains("nothex")));
}

#[test]
fn a_program_that_is_not_dnsmasq_is_refused() {
    let lab = lab("");
    let refused = |arguments: &[&str], code: i32, why: &str| {
        let all = [&["live", "story.toml"], arguments].concat();
        lab.command(&all).assert().code(code).stderr(contains(why.to_owned()));
    };
    refused(&["--dnsmasq", "/bin/true"], 3, "/bin/true: this is no dnsmasq");
    refused(&["--dnsmasq", "nowhere"], 3, "nowhere: No such file");
    refused(&["--dnsmasq", "story.toml"], 3, "story.toml: Permission denied");
    refused(&["--script", "nowhere.sh"], 2, "--script nowhere.sh: No such file");
    refused(&["--script", "story.toml"], 2, "--script story.toml: not executable");
    refused(&["--target", "in-process"], 2, "unexpected argument '--target'");
}

#[test]
fn without_a_dnsmasq_the_error_says_so() {
    lab("")
        .command(&["live", "story.toml", "--dnsmasq-no-rtc", "/bin/true"])
        .env("PATH", "/nowhere")
        .assert()
        .code(3)
        .stderr(contains("no dnsmasq"));
}
