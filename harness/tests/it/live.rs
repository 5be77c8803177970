//! Runs `leaselab live` with a real dnsmasq. ci/test skips this file by name if dnsmasq or namespaces are missing.

use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;

use crate::lab::Lab;

const SCENARIO: &str = r#"
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
    lab.write("scenario.toml", SCENARIO.replace("OPTIONS", options));
    lab
}

#[test]
fn the_model_predicts_the_calls_of_a_real_dnsmasq() {
    lab("")
        .command(&["live", "scenario.toml", "--rtc", "good"])
        .assert()
        .code(0)
        .stdout(contains("1 case passed, 0 failed, 0 skipped").and(contains("21 calls")));
}

/// The model does not know which files a script writes; the real dnsmasq reads this one after `init`.
#[test]
fn a_call_that_was_not_predicted_is_reported() {
    let lab = lab("\"--addn-hosts=/tmp/names\"");
    let scenario = lab.read("scenario.toml");
    let script = "[script]\nuse = \"names.sh\"\n[[step]]";
    let scenario = scenario.replacen("[[step]]", script, 1);
    let (scenario, _) =
        scenario.split_once("[[step]]\njoin = { client = \"phone\"").expect("a later step");
    lab.write("scenario.toml", scenario);
    let script =
        "#!/bin/sh\n[ \"$1\" = init ] && echo 192.168.1.123 elsewhere >/tmp/names\nexit 0\n";
    lab.write("names.sh", script);
    let difference = "it made the call `add 02:aa:00:00:00:01 192.168.1.123 elsewhere` where \
                      `add 02:aa:00:00:00:01 192.168.1.123 pc-1` was expected";
    let run = ["live", "scenario.toml", "--rtc", "good", "--seed", "3"];
    let output = lab.command(&run).assert().code(1).stdout(contains(difference));
    // The modelled dnsmasq would pass: the printed commands use the real one.
    for line in Lab::printed_commands(&output.get_output().stdout) {
        lab.shell(&line).assert().code(1).stdout(contains(difference));
    }
}

#[test]
fn scenarios_for_the_other_build_are_skipped_with_the_option_that_runs_them() {
    lab("")
        .command(&["live", "scenario.toml", "--rtc", "broken"])
        .env_remove("LEASELAB_DNSMASQ_NO_RTC")
        .assert()
        .code(0)
        .stdout(contains("SKIPPED scenario[rtc=broken]").and(contains("--dnsmasq-no-rtc PATH")));
}

#[test]
fn the_script_sees_the_clock_of_the_scenario() {
    let lab = lab("");
    let scenario = lab.read("scenario.toml");
    let script =
        "use = \"dated.sh\"\n[[breaks]]\ninvariant = \"agreement\"\nwhy = \"it stores nothing\"\n";
    let scenario = scenario.replacen("[[step]]", &format!("[script]\n{script}[[step]]"), 1);
    let (scenario, _) =
        scenario.split_once("[[step]]\njoin = { client = \"phone\"").expect("a later step");
    lab.write(
        "scenario.toml",
        scenario.replace("leases = 2, ", "stderr = [\"2026-01-05 12:00\"], "),
    );
    lab.write("dated.sh", "#!/bin/sh\n[ \"$1\" = init ] || date -u '+%Y-%m-%d %H:%M' >&2\n");
    lab.command(&["live", "scenario.toml", "--rtc", "good"]).assert().code(0);
}

#[test]
fn a_dnsmasq_that_is_killed_by_the_output_of_init_is_reported() {
    let lab = lab("");
    lab.write(
        "nothex.sh",
        "#!/bin/sh\n[ \"$1\" = init ] && echo 1999999999 nothex 192.168.1.50 pc '*'\nexit 0\n",
    );
    let mut permissions =
        std::fs::metadata(lab.path().join("nothex.sh")).expect("a file").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    std::fs::set_permissions(lab.path().join("nothex.sh"), permissions).expect("a script");
    lab.command(&["live", "scenario.toml", "--rtc", "good", "--script", "nothex.sh"])
        .assert()
        .code(1)
        .stdout(contains("it was killed by signal 6").and(contains("nothex")));
}

/// What a script puts in the place of dnsmasq's log is neither waited for nor followed.
#[rstest]
#[case::pipe("mkfifo /.leaselab/log")]
#[case::link("ln -s /etc/passwd /.leaselab/log")]
fn a_script_cannot_replace_the_log(#[case] command: &str) {
    let lab = lab("");
    lab.write("script.sh", format!("#!/bin/sh\nrm -f /.leaselab/log; {command}; exit 0\n"));
    lab.command(&["live", "scenario.toml", "--rtc", "good", "--script", "script.sh"])
        .timeout(std::time::Duration::from_secs(60))
        .assert()
        .code(predicate::in_iter([1, 3]))
        .stdout(contains("root:").not())
        .stderr(contains("root:").not());
}

#[test]
fn unusable_executables_and_options_are_named() {
    let lab = lab("");
    let refused = |arguments: &[&str], code: i32, why: &str| {
        let all = [&["live", "scenario.toml"], arguments].concat();
        lab.command(&all).assert().code(code).stderr(contains(why.to_owned()));
    };
    refused(&["--dnsmasq", "/bin/true"], 3, "/bin/true: not a dnsmasq executable");
    refused(&["--dnsmasq", "nowhere"], 3, "nowhere: No such file");
    refused(&["--dnsmasq", "scenario.toml"], 3, "scenario.toml: Permission denied");
    refused(&["--script", "nowhere.sh"], 2, "--script nowhere.sh: No such file");
    refused(&["--script", "scenario.toml"], 2, "--script scenario.toml: not executable");
    refused(&["--target", "in-process"], 2, "unexpected argument '--target'");
}

/// dnsmasq and the script have a private `/tmp`, in which the executable does not exist.
#[test]
fn a_dnsmasq_below_tmp_runs() {
    let lab = lab("");
    let folder = tempfile::tempdir_in("/tmp").expect("a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let system = folders
        .map(|folder| folder.join("dnsmasq"))
        .find(|file| file.is_file())
        .expect("the system's dnsmasq");
    // Copied by another process: a file that this one has open for writing could not be executed while another
    // thread forks.
    let copied = std::process::Command::new("cp").arg(system).arg(folder.path()).status();
    assert!(copied.expect("cp runs").success());
    let copy = folder.path().join("dnsmasq");
    let copy = copy.to_str().expect("a UTF-8 path");
    lab.command(&["live", "scenario.toml", "--rtc", "good", "--dnsmasq", copy])
        .assert()
        .code(0)
        .stdout(contains("1 case passed, 0 failed, 0 skipped"));
}

/// Needs no dnsmasq on the system.
#[test]
fn an_unusable_dnsmasq_without_rtc_is_named() {
    lab("")
        .command(&["live", "scenario.toml", "--dnsmasq-no-rtc", "/bin/true"])
        .env("PATH", "/nowhere")
        .assert()
        .code(3)
        .stderr(contains("/bin/true: not a dnsmasq executable"));
}

/// The script's journal would lie in the file system, of which a power cut of the simulated router takes nothing.
#[test]
fn a_case_with_a_journal_is_skipped_by_name_and_its_id_refused() {
    let why = "`store = \"journal\"` cannot be run by a real dnsmasq, which keeps leases in NVRAM";
    let lab = lab("");
    let sections = "[router]\nstore = \"journal\"\n[script]\nuse = \"rust\"";
    lab.write("story.toml", format!("title = \"A boot\"\n{sections}\n[[step]]\nboot = {{}}\n"));
    lab.command(&["live", "story.toml", "--json", "a.json"]).assert().code(0).stdout(
        contains(format!("SKIPPED story: {why}"))
            .and(contains("0 cases passed, 0 failed, 1 skipped")),
    );
    let json: serde_json::Value = serde_json::from_str(&lab.read("a.json")).expect("JSON");
    let replay = json["scenarios"][0]["cases"][0]["replay"].as_str().expect("a command");
    lab.shell(replay).assert().code(2).stderr(contains(why));
}

#[rstest]
#[case::host_name(
    "join = { client = \"pc\", v6 = \"na\", hostname = \"$name\" }",
    "13:19",
    "at most 63 bytes"
)]
#[case::query("expect = { no-names = [\"$name\"] }", "12:1", "is not a domain name")]
fn a_label_that_is_too_long_is_an_error_of_its_case(
    #[case] step: &str,
    #[case] place: &str,
    #[case] message: &str,
) {
    let lab = Lab::new();
    let text = format!(
        "title = \"Names\"\n\n[parameters]\nname = [\"short\", \"{}\"]\n\n[server]\n\
         range6 = \"fd77::1000-fd77::1fff\"\n\n[[step]]\nboot = {{}}\n\n[[step]]\n{step}\n",
        "a".repeat(64)
    );
    lab.write("story.toml", text);
    lab.command(&["live", "story.toml"])
        .assert()
        .code(2)
        .stdout(contains(format!("story.toml:{place}\n")).and(contains(message)))
        .stdout(contains("1 case passed, 1 failed (1 of them invalid), 0 skipped"));
}
