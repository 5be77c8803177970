//! The reports and the output of `leaselab wear`.

use std::collections::BTreeSet;

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

/// A recording has no simulated time: the page shows the time of one run.
#[test]
fn a_repeated_scenario_has_a_page() {
    let lab = Lab::new();
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/bench/150-clients.toml");
    let words = ["wear", "--scenario", scenario, "--json", "wear.json", "--html", "page.html"];
    lab.command(&words).assert().success();
    let report: serde_json::Value = serde_json::from_str(&lab.read("wear.json")).expect("JSON");
    for name in ["household", "seed", "seconds"] {
        assert_eq!(report[name], serde_json::Value::Null, "{name}");
    }
    lab.command(&["report", "wear.json", "--html", "again.html"]).assert().success();
    let page = lab.read("page.html");
    assert_eq!(lab.read("again.html"), page);
    assert!(page.contains("One run of each recording or scenario"), "{page}");
    assert!(page.contains(">12 h</text>") && !page.contains("1 year</text>"), "{page}");
}

#[test]
fn charts_are_complete_svgs() {
    let lab = Lab::new();
    let printed = run(&lab, &["--scripts", "naive,ours", "--svg", "one.svg"]);
    assert!(printed.ends_with("chart: one.svg\n"), "{printed}");
    let one = lab.read("one.svg");
    let options = ["--scripts", "naive,ours", "--svg", "new/charts", "--router", "wrt54gl"];
    let printed = run(&lab, &options);
    assert!(printed.ends_with("chart: new/charts/life.svg\n"), "{printed}");
    for (name, title, text) in [
        ("erases", "Wear of the busiest block over time", "end of life: 100000 erases"),
        ("blocks", "Erases of each block", "one block"),
        ("life", "Life of the busiest block against lease time", "lease time"),
    ] {
        let picture = lab.read(&format!("new/charts/{name}.svg"));
        for svg in [&picture, &one] {
            assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
            assert!(svg.contains(title) && svg.contains(text), "{name}");
            assert!(svg.contains("naive 2006, good clock"), "{name}");
            assert!(svg.contains("3 clients, leases of 12h"), "{name}");
        }
        assert!(picture.contains("Linksys WRT54GL: wrt54gl on parallel-nor"), "{picture}");
    }
    let life = lab.read("new/charts/life.svg");
    for tick in ["1 h", "2 h", "6 h", "12 h", "1 d", "1 w", "10 years"] {
        assert!(life.contains(&format!("\n{tick}\n")), "{tick}: {life}");
    }
    let widths = |svg: &str| -> BTreeSet<String> {
        let lines = svg.lines().filter(|line| {
            line.contains("stroke=\"#D55E00\"") || line.contains("stroke=\"#0072B2\"")
        });
        lines
            .filter_map(|line| {
                Some(line.split("stroke-width=\"").nth(1)?.split('"').next()?.to_owned())
            })
            .collect()
    };
    assert_eq!(widths(&life), ["3".to_owned()].into(), "{life}");
}

#[test]
fn charts_replace_no_other_file() {
    let lab = Lab::new();
    lab.write("notes", "mine");
    let words = [&SMALL[..], &["--scripts", "naive", "--svg", "notes"]].concat();
    let message = "notes: exists and is not a folder: name a folder, or a file that ends in .svg";
    lab.command(&words).assert().code(2).stderr(predicates::str::contains(message));
    assert_eq!(lab.read("notes"), "mine");
}

#[test]
fn the_answer_comes_first_and_lines_fit_the_console() {
    let lab = Lab::new();
    let words = ["wear", "--router", "wrt54gl", "--for", "5d"];
    let print = |words: &[&str], columns: &str| {
        let output = lab.command(words).env("COLUMNS", columns).output().expect("leaselab runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let narrow = print(&[&words[..], &["--rtc", "good", "--scripts", "ours"]].concat(), "");
    let answer = narrow.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    assert!(
        answer.starts_with("The flash of the Linksys WRT54GL lasts ")
            && answer.ends_with(
                " in a household with 12 clients, 8 phones, 8 guests a month, leases of 12h."
            ),
        "{answer}"
    );
    assert_eq!(answer.matches(". ").count(), 0, "{answer}");
    assert!(!narrow.contains("nvram/y"), "{narrow}");
    for columns in ["60", "80", "100"] {
        let words =
            [&words[..], &["--no-limits", "--dialect", "all", "--scripts", "ours"]].concat();
        let table = print(&words, columns);
        let limit = columns.parse::<usize>().expect("a number").max(80);
        let long = table.lines().find(|line| line.chars().count() > limit);
        assert_eq!(long, None, "{columns}");
    }
    assert!(print(&[&words[..], &["--no-limits"]].concat(), "140").contains("nvram/y"));
}

#[test]
fn routers_are_listed_with_their_sources() {
    let lab = Lab::new();
    let output =
        lab.command(&["wear", "--list-routers"]).assert().code(0).get_output().stdout.clone();
    let text = String::from_utf8(output).expect("UTF-8");
    let names: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(names.len() >= 12 && names.contains(&"wrt54gl"), "{text}");
    assert!(text.contains("parallel-nor in blocks of 64 KiB, 32 KiB of NVRAM"), "{text}");
    lab.command(&["wear", "--router", "rt-n66"])
        .assert()
        .code(2)
        .stderr(predicates::str::contains("'rt-n66u'"));
}

#[test]
fn guests_use_up_a_pool_and_a_limit_of_leases() {
    let lab = Lab::new();
    let guests =
        ["wear", "--clients", "5", "--phones", "0", "--guests", "300", "--guest-stay", "1h"];
    let options =
        ["--lease-time", "7d", "--for", "60d", "--no-limits", "--rtc", "good", "--scripts", "ours"];
    let unserved = |more: &[&str]| {
        let words = [&guests[..], &options, more, &["--json", "out.json"]].concat();
        let output = lab.command(&words).assert().code(0).get_output().stdout.clone();
        let json: serde_json::Value = serde_json::from_str(&lab.read("out.json")).expect("JSON");
        let unserved = json["rows"][0]["wear"]["unserved"].as_u64().expect("a number");
        let text = String::from_utf8_lossy(&output).into_owned();
        assert_eq!(
            text.contains("without an address: all of them are leased"),
            unserved > 0,
            "{text}"
        );
        unserved
    };
    assert_eq!(unserved(&[]), 0);
    assert_eq!(unserved(&["--pool", "150"]), 0);
    assert!(unserved(&["--pool", "30"]) > 100);
    assert!(unserved(&["--lease-max", "30"]) > 100);
    // Phones that return under other hardware addresses leave their leases behind.
    let phones = ["--phones", "10", "--guests", "0", "--pool", "40"];
    let with = |more: &[&str]| {
        let words = [
            "wear",
            "--clients",
            "5",
            "--lease-time",
            "7d",
            "--for",
            "60d",
            "--no-limits",
            "--json",
            "out.json",
        ];
        lab.command(&[&words[..], &phones, more].concat()).assert().code(0);
        let json: serde_json::Value = serde_json::from_str(&lab.read("out.json")).expect("JSON");
        json["rows"][0]["wear"]["unserved"].as_u64().expect("a number")
    };
    assert_eq!(with(&[]), 0);
    assert!(with(&["--random-macs"]) > 0);
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
#[case(&["--pool", "0"], "pool 0: expected 1 to 4000")]
#[case(&["--list-routers"], "cannot be used with")]
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
