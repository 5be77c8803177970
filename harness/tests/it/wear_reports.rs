//! The reports and the output of `leaselab wear`.

use rstest::rstest;

use crate::lab::Lab;

const SMALL: [&str; 9] =
    ["wear", "--clients", "3", "--for", "2d", "--no-limits", "--rtc", "good", "--quiet"];

fn run(lab: &Lab, more: &[&str]) -> String {
    let words: Vec<&str> = SMALL.iter().chain(more).copied().collect();
    let output = lab.command(&words).assert().success().get_output().stdout.clone();
    String::from_utf8(output).expect("text")
}

#[test]
fn a_script_that_runs_in_processes_is_compared_with_the_counts() {
    let lab = Lab::new();
    lab.write("naive.sh", include_str!("../../../scenarios/scripts/naive.sh"));
    let words =
        ["--script", "naive.sh", "--window", "1d", "--scripts", "naive,ours", "--json", "out.json"];
    let printed = run(&lab, &words);
    assert!(printed.contains("run by processes"), "{printed}");
    let report: serde_json::Value = serde_json::from_str(&lab.read("out.json")).expect("JSON");
    let check = &report["processes"][0];
    let calls = check["wear"]["calls"].as_u64().expect("a number");
    assert!(calls > 6, "{check}");
    assert_eq!(check["counted"][0]["equal"], true, "{check}");
    assert_eq!(check["counted"][0]["wear"], check["wear"]);
    // The project's script executes other commands.
    assert_eq!(check["counted"][1]["equal"], false, "{check}");
}

#[test]
fn charts_are_complete_svgs() {
    let lab = Lab::new();
    run(&lab, &["--scripts", "naive", "--svg", "one.svg"]);
    let one = lab.read("one.svg");
    std::fs::create_dir(lab.path().join("charts")).expect("a folder");
    run(&lab, &["--scripts", "naive", "--svg", "charts"]);
    for (name, title, unit) in [
        ("erases", "Erases over time", "days"),
        ("blocks", "Erases of each block", "one block"),
        ("life", "Life of the busiest block against lease time", "lease time"),
    ] {
        let picture = lab.read(&format!("charts/{name}.svg"));
        for svg in [&picture, &one] {
            assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
            assert!(svg.contains(title) && svg.contains(unit), "{name}");
            assert!(svg.contains("naive 2006, good clock"), "{name}");
        }
    }
}

#[test]
fn the_claims_of_2006_are_compared_with_counts() {
    let lab = Lab::new();
    let words = ["wear", "claims"];
    let output = lab.command(&words).assert().success().get_output().stdout.clone();
    let printed = String::from_utf8(output).expect("text");
    for line in [
        "naive     4850 of 10240 bytes",
        "verdict   holds; dnsmasq's default is 1000 today",
        "verdict   holds only for renewals",
        "naive     28811 commits for 28812 calls",
        "naive     init and 21 old calls, 21 commits",
        "ours      init and 21 old calls, 0 commits",
        "naive     60 calls, 60 commits",
        "ours      60 calls, 0 commits",
    ] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
}

#[rstest]
#[case(&["--svg", "/nonexistent/x.svg"], "/nonexistent/x.svg")]
#[case(&["--svg", "x.svg", "--dialect", "all"], "too many for a chart")]
#[case(&["--csv", "/dev/full"], "No space left")]
#[case(&["--svg", "/dev/full", "--clients", "1", "--rtc", "broken"], "No space left")]
#[case(&["--script", "missing.sh"], "missing.sh: No such file")]
#[case(&["--window", "3d"], "--script")]
#[case(&["--script", "naive.sh", "--window", "0s"], "--window 0s")]
#[case(&["--images", "full", "--dialect", "broadcom"], "openwrt only")]
#[case(&["--images", "full", "--rendered"], "cannot be used with")]
#[case(&["--for", "15000y"], "expected 1s to 10000 years")]
#[case(&["--jitter", "501"], "at most 500")]
#[case(&["--clients", "4001"], "at most 4000")]
fn failed_commands_leave_no_file(#[case] options: &[&str], #[case] error: &str) {
    let lab = Lab::new();
    lab.write("naive.sh", "#!/bin/sh\n");
    let all: Vec<&str> = ["wear", "--quiet", "--no-limits", "--scripts", "naive"]
        .iter()
        .chain(options)
        .copied()
        .collect();
    let output = lab.command(&all).assert().code(2).get_output().clone();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains(error), "{text}");
    assert!(output.stdout.is_empty());
    let files: Vec<_> = std::fs::read_dir(lab.path()).expect("a folder").collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[test]
fn merge_rejects_parts_of_other_fleets_or_versions() {
    let lab = Lab::new();
    let fleet = |seed: &str, shard: &str, file: &str| {
        let words = [
            "wear",
            "fleet",
            "--households",
            "6",
            "--for",
            "1d",
            "--seed",
            seed,
            "--shard",
            shard,
            "--json",
            file,
        ];
        lab.command(&words).assert().success();
    };
    fleet("1", "1/2", "a.json");
    fleet("2", "2/2", "b.json");
    fleet("1", "2/2", "c.json");
    let version = lab.read("c.json").replace(env!("CARGO_PKG_VERSION"), "99.0.0");
    lab.write("d.json", version);
    lab.write("e.json", "{\"plan\": 3}");
    for (parts, error) in [
        (["a.json", "b.json"], "different fleets"),
        (["a.json", "d.json"], "different fleets"),
        (["a.json", "a.json"], "occurs twice"),
        (["a.json", "e.json"], "not a report of `wear fleet`"),
        (["a.json", "f.json"], "f.json"),
    ] {
        let words = ["wear", "merge", parts[0], parts[1], "--json", "out.json"];
        let output = lab.command(&words).assert().code(2).get_output().stderr.clone();
        let text = String::from_utf8_lossy(&output).into_owned();
        assert!(text.contains(error), "{text}");
        assert!(!lab.path().join("out.json").exists());
    }
}
