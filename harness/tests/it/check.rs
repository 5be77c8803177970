//! `leaselab check`: the verdicts on scripts of several kinds.

use std::path::Path;

use rstest::rstest;
use serde_json::Value;

use super::lab::Lab;

/// The JSON report of a quick check of a script of this repository, and the exit code.
fn check(lab: &Lab, script: &str, options: &[&str]) -> (Value, i32) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(script);
    let script = script.to_str().expect("a path in UTF-8");
    let arguments = [&["check", script, "--quick", "--json", "report.json"], options].concat();
    let output = lab.command(&arguments).output().expect("leaselab runs");
    let code = output.status.code().unwrap_or(-1);
    assert!([0, 1].contains(&code), "{output:?}");
    (serde_json::from_str(&lab.read("report.json")).expect("JSON"), code)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The verdict of each group that is not `ok`, in the order of the page.
fn verdicts(report: &Value) -> Vec<(&str, &str)> {
    let groups = report["groups"].as_array().expect("groups");
    assert_eq!(groups.len(), 10);
    let verdicts = groups.iter().map(|group| (text(&group["group"]), text(&group["verdict"])));
    verdicts.filter(|(_, verdict)| *verdict != "ok").collect()
}

#[rstest]
#[case::of_the_project("lease-script/lease_update.sh", &["--rtc", "broken"], &[])]
#[case::a_file(
    "scenarios/scripts/flash-file.sh",
    &["--rtc", "good"],
    &[("other-settings", "n/a"), ("shared-nvram", "n/a")]
)]
fn verdicts_on_scripts_of_many_kinds(
    #[case] script: &str,
    #[case] options: &[&str],
    #[case] expected: &[(&str, &str)],
) {
    expect_verdicts_without_a_bug(script, options, expected);
}

#[rstest]
#[case::one_variable(
    "scenarios/scripts/one-variable.sh",
    &["--rtc", "good", "--owns", "dnsmasq_leases"],
    &[]
)]
#[case::a_database(
    "scenarios/scripts/database.sh",
    &["--rtc", "good"],
    &[("other-settings", "n/a"), ("shared-nvram", "n/a")]
)]
#[case::a_wrapper(
    "scenarios/scripts/openwrt-wrapper.sh",
    &["--rtc", "good", "--owns", "dnsmasq_leases"],
    &[]
)]
#[case::under_2_33("lease-script/lease_update.sh", &["--dnsmasq-release", "2.33"], &[("dhcpv6", "n/a")])]
#[case::under_2_66("lease-script/lease_update.sh", &["--dnsmasq-release", "2.66"], &[])]
#[case::under_2_80("lease-script/lease_update.sh", &["--dnsmasq-release", "2.80"], &[])]
#[ignore = "more kinds, and slow: ci/test --long"]
fn verdicts_on_scripts_of_more_kinds(
    #[case] script: &str,
    #[case] options: &[&str],
    #[case] expected: &[(&str, &str)],
) {
    expect_verdicts_without_a_bug(script, options, expected);
}

fn expect_verdicts_without_a_bug(script: &str, options: &[&str], expected: &[(&str, &str)]) {
    let (report, code) = check(&Lab::new(), script, options);
    assert_eq!(verdicts(&report), expected);
    assert_eq!(code, 0);
    assert_eq!(report["answers"].as_array().map(Vec::len), Some(3));
}

/// What a check of the project's own scripts is varied by.
#[derive(Clone, Copy, Debug)]
enum Variants {
    /// Each dialect of the nvram tool.
    Dialects,
    /// Releases of dnsmasq that call a script differently.
    Releases,
}

/// Releases that have no DHCPv6.
const WITHOUT_DHCPV6: [&str; 2] = ["2.33", "2.34"];

impl Variants {
    fn options(self) -> Vec<[&'static str; 2]> {
        match self {
            Self::Dialects => {
                nvram_emu::Dialect::ALL.iter().map(|it| ["--dialect", it.name()]).collect()
            }
            Self::Releases => {
                let newer = ["2.66", "2.80", "2.86", "2.92"];
                let releases = WITHOUT_DHCPV6.into_iter().chain(newer);
                releases.map(|release| ["--dnsmasq-release", release]).collect()
            }
        }
    }
}

#[rstest]
#[ignore = "hundreds of cases, and slow: ci/test --long"]
fn the_projects_scripts_have_neither_a_bug_nor_a_risk(
    #[values("lease_update.sh", "lease-update")] script: &str,
    #[values(Variants::Dialects, Variants::Releases)] variants: Variants,
) {
    let lab = Lab::new();
    // Both are in the PATH of a script under test.
    lab.write("script.sh", format!("#!/bin/sh\nexec {script} \"$@\"\n"));
    let path = lab.path().join("script.sh");
    for options in variants.options() {
        let has_dhcpv6 = !WITHOUT_DHCPV6.contains(&options[1]);
        let expected = if has_dhcpv6 { vec![] } else { vec![("dhcpv6", "n/a")] };
        let (report, code) = check(&lab, path.to_str().expect("a path in UTF-8"), &options);
        assert_eq!((verdicts(&report), code), (expected, 0), "{options:?}");
    }
}

/// What an old release does not have or does differently is no finding against a script that is right.
#[test]
fn the_suite_holds_under_old_releases() {
    let releases = "2.33,2.62,2.66,2.80";
    let arguments =
        ["run", "builtin:conformance", "--target", "in-process", "--dnsmasq-release", releases];
    Lab::new().command(&arguments).assert().success();
}

#[test]
fn a_release_that_reports_leases_only_at_its_end_is_refused() {
    for release in ["2.48", "2.74"] {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lease-script/lease_update.sh");
        let lab = Lab::new();
        let mut command = lab.command(&["check", "--dnsmasq-release", release]);
        let why =
            format!("dnsmasq {release} calls the script only for init and when it is terminated");
        command.arg(script).assert().code(2).stderr(predicates::str::contains(why));
    }
}

/// dnsmasq misreads all leases, so there is nothing else to say about the groups whose cases all end in this way.
#[test]
fn a_banner_counts_once() {
    let lab = Lab::new();
    let (report, code) = check(&lab, "scenarios/scripts/banner.sh", &[]);
    let verdicts = verdicts(&report);
    assert!(verdicts.contains(&("start-up-output", "bug")), "{verdicts:?}");
    for group in ["clock-jumps", "shared-nvram"] {
        assert!(verdicts.contains(&(group, "hidden")), "{verdicts:?}");
    }
    assert_eq!(code, 1);
    let first = text(&report["answers"][2]);
    assert!(first.starts_with("The bug in start-up-output"), "{first}");
}

#[test]
#[ignore = "another kind, and slow: ci/test --long"]
fn a_date_instead_of_a_length_concerns_clocks_and_infinite_leases() {
    let lab = Lab::new();
    let (report, code) = check(&lab, "scenarios/scripts/date-plus-length.sh", &[]);
    let verdicts = verdicts(&report);
    assert!(verdicts.contains(&("survives", "bug")), "{verdicts:?}");
    assert!(verdicts.contains(&("clock-jumps", "risk")), "{verdicts:?}");
    for group in ["start-up-output", "other-settings", "shared-nvram"] {
        assert!(!verdicts.iter().any(|(name, _)| *name == group), "{verdicts:?}");
    }
    assert_eq!(code, 1);
}

/// The groups with bugs are allowed here, so that the exit code shows it.
#[test]
fn the_script_of_2006_has_bugs_and_the_command_of_an_example_shows_one_again() {
    let lab = Lab::new();
    let allowed = ["--allow", "full-nvram", "--allow", "dhcpv6", "--allow", "hostile-names"];
    let options = [&["--html", "page.html", "--rtc", "good"][..], &allowed].concat();
    let (report, code) = check(&lab, "scenarios/scripts/naive.sh", &options);
    assert_eq!(code, 0);
    assert_eq!(
        verdicts(&report),
        [
            ("full-nvram", "bug"),
            ("hostile-names", "bug"),
            ("dhcpv6", "bug"),
            ("write-economy", "advice"),
        ]
    );
    let page = lab.read("page.html");
    let groups = report["groups"].as_array().expect("groups");
    for group in groups.iter().filter(|group| group["verdict"] == "bug") {
        let ids = group["failures"].as_array().expect("ids");
        assert!(!ids.is_empty(), "{group}");
        for id in ids {
            assert!(page.contains(&format!("id={id}")), "{id}");
        }
    }
    for question in ["How long does the flash live?", "What to fix first?"] {
        assert!(page.contains(question), "{question}");
    }
    let full = groups.iter().find(|group| text(&group["group"]) == "full-nvram").expect("a group");
    let output = lab.shell(text(&full["reproduction"])).output().expect("a shell");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(stdout.contains("was lost in RAM"), "{stdout}");
}

#[test]
fn a_script_that_never_ends_is_named_after_the_first_scenario() {
    let lab = Lab::new();
    lab.write("hangs.sh", "#!/bin/sh\ncase $1 in init) ;; *) exec sleep 1000 ;; esac\n");
    let output = lab
        .command(&["check", "hangs.sh", "--shell", "sh", "--timeout", "1"])
        .output()
        .expect("leaselab runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(page.contains("hung and was killed"), "{page}");
    assert!(
        page.contains("Fix first: The bug in survives: make sure that every call ends"),
        "{page}"
    );
}
