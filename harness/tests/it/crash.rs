//! `leaselab crash`: planted faults, known states, coverage, ids, invalid arguments.

use std::fmt::Write as _;
use std::path::Path;

use backend::Function;
use explore::crash::{Options, PointKind, Report, Verdict, explore, replay};
use lease_script::{Call, Config, MemoryIntentLog, Nvram, OperationError, Outcome};
use predicates::prelude::*;
use rstest::rstest;
use runner::{GatePolicy, ScriptChoice};
use scenario::{Case, Id, Invariant, Overrides, cases};

use crate::lab::{COMMITS_FIRST, Lab};

const SCENARIO: &str = r#"
title = "Two clients, one of whom renews"

[router]
dialect = "openwrt"
neighbours = 400

[[step]]
boot = {}

[[step]]
join = { client = "phone" }

[[step]]
join = { client = "pc" }

[[step]]
advance = "1h"

[[step]]
renew = { client = "phone" }
"#;

fn case(dialect: &str) -> Case {
    let text = SCENARIO.replace("openwrt", dialect);
    let mut cases =
        cases(Path::new("scenario.toml"), text, &Overrides::default()).expect("a scenario");
    cases.remove(0)
}

fn explored(case: &Case, script: Option<Function>, options: Options) -> Report {
    let (choice, gate) = (ScriptChoice::default(), GatePolicy::strict());
    explore(case, script, &choice, &gate, options).expect("a run")
}

fn shallow() -> Options {
    Options { depth: 1, ..Options::default() }
}

/// Unsets and commits, then sets and commits: in between, neither RAM nor flash has the lease.
fn unsets_before_it_sets(call: &Call, nvram: &mut dyn Nvram) -> Outcome {
    let word = |index: usize| call.args.get(index).cloned().unwrap_or_default();
    if matches!(word(0).as_slice(), b"add" | b"old") {
        let name = [b"dnsmasq_lease_".as_slice(), &word(2)].concat();
        for command in [[b"unset".as_slice(), &name].as_slice(), &[b"commit"]] {
            if nvram.run(command).is_err() {
                let nothing = (Vec::new(), Vec::new());
                return Outcome { stdout: nothing.0, stderr: nothing.1, exit: 0, killed: true };
            }
        }
    }
    lease_script::run(call, &Config::default(), nvram, &mut MemoryIntentLog::default())
}

/// Never commits.
fn forgets_to_commit(call: &Call, nvram: &mut dyn Nvram) -> Outcome {
    struct WithoutCommit<'a>(&'a mut dyn Nvram);
    impl Nvram for WithoutCommit<'_> {
        fn run(&mut self, words: &[&[u8]]) -> Result<lease_script::NvramOutput, OperationError> {
            let rest: Vec<_> = words.iter().copied().filter(|word| *word != b"commit").collect();
            self.0.run(if rest.is_empty() { &[b"get", b"x"] } else { &rest })
        }
    }
    let mut intent_log = MemoryIntentLog::default();
    lease_script::run(call, &Config::default(), &mut WithoutCommit(nvram), &mut intent_log)
}

fn invariants(report: &Report) -> Vec<Invariant> {
    let mut invariants: Vec<_> =
        report.violations.iter().map(|violation| violation.invariant).collect();
    invariants.sort();
    invariants.dedup();
    invariants
}

#[rstest]
#[case("openwrt")]
#[case("broadcom")]
fn our_script_violates_nothing_and_a_cut_inside_a_commit_loses_the_only_copy(
    #[case] dialect: &str,
) {
    let report = explored(&case(dialect), None, Options::default());
    assert_eq!(report.violations, []);
    assert_eq!(report.broken, 0);
    assert!(report.lost > 0 && report.kept > 0);
    assert_eq!(report.kept + report.lost, report.checked);
    assert_eq!(report.unreached(2), []);
    assert_eq!(report.window.commits, 3);
    // 64 KiB erase 150 ms, and 128 pages of 0.7 ms.
    let commit = report.window.per_commit().expect("commits");
    assert!((0.15..0.35).contains(&commit), "{commit}");
}

#[test]
fn a_script_that_unsets_before_it_sets_violates_atomicity_and_its_ids_reproduce_it() {
    let case = case("openwrt");
    let script = Function::Custom(unsets_before_it_sets);
    let report = explored(&case, Some(script.clone()), shallow());
    assert!(invariants(&report).contains(&Invariant::Atomicity), "{:?}", report.violations);
    for violation in &report.violations {
        let (choice, gate) = (ScriptChoice::default(), GatePolicy::strict());
        let replayed = replay(&case, Some(script.clone()), &choice, &gate, &violation.id, false)
            .expect("an id");
        assert_eq!(replayed.verdict, Verdict::Broken, "{}", violation.id);
        assert!(
            replayed.violations.iter().any(|found| found.text == violation.text),
            "{}",
            violation.id
        );
    }
}

#[test]
fn a_script_that_never_commits_violates_durability() {
    let report = explored(&case("broadcom"), Some(Function::Custom(forgets_to_commit)), shallow());
    assert!(invariants(&report).contains(&Invariant::Durability), "{:?}", report.violations);
}

#[test]
fn judging_known_states_again_gives_the_same_verdicts() {
    let case = case("broadcom");
    for script in [None, Some(Function::Custom(unsets_before_it_sets))] {
        let once = explored(&case, script.clone(), shallow());
        let often = explored(&case, script, Options { repeat: true, ..shallow() });
        assert!(once.checked < once.points);
        assert_eq!(often.checked, often.points);
        assert_eq!((often.points, often.distinct), (once.points, once.distinct));
        assert_eq!(once.checked, once.distinct);
        assert_eq!(invariants(&often), invariants(&once));
        assert_eq!(often.broken > 0, once.broken > 0);
    }
}

#[rstest]
#[case("openwrt")]
#[case("broadcom")]
fn ids_replay_to_the_same_verdict(#[case] dialect: &str) {
    let case = case(dialect);
    let report = explored(&case, None, Options { list: true, ..Options::default() });
    assert_eq!(report.listed.len() as u64, report.checked);
    let (mut verdicts, mut depths) = (Vec::new(), Vec::new());
    for (id, verdict) in report.listed.iter().step_by(19) {
        let id: Id = id.to_string().parse().expect("an id");
        let (choice, gate) = (ScriptChoice::default(), GatePolicy::strict());
        let replayed = replay(&case, None, &choice, &gate, &id, true).expect("a schedule");
        assert_eq!(replayed.verdict, *verdict, "{id}\n{}", replayed.log.join("\n"));
        verdicts.push(*verdict);
        depths.push(id.schedule.len());
    }
    assert!(verdicts.contains(&Verdict::Kept) && verdicts.contains(&Verdict::Lost));
    assert!(depths.contains(&1) && depths.contains(&2));
}

#[test]
fn operations_are_cut_at_powers_of_two() {
    let case = case("openwrt");
    let coarse = explored(&case, None, shallow());
    let torn = |report: &Report| report.coverage[&PointKind::TornProgram].points;
    // Three commits of 32 KiB: bytes 1, 2, 4, … 16384, and 32767.
    assert_eq!(torn(&coarse), 3 * 16);
}

fn lab_with(changes: &[(&str, &str)]) -> Lab {
    let text = changes.iter().fold(SCENARIO.to_owned(), |text, (from, to)| text.replace(from, to));
    let lab = Lab::new();
    lab.write("scenario.toml", text);
    lab
}

#[test]
fn a_declared_violation_is_not_a_failure() {
    let naive = "[script]\nuse = \"naive\"\n\n[[step]]\nboot = {}";
    // It commits in every call, and ignores a `set` that fails on a torn image.
    let breaks = ["no-redundant-writes", "durability", "neighbours"]
        .map(|name| format!("[[breaks]]\ninvariant = \"{name}\"\nwhy = \"no checks\"\n\n"))
        .concat();
    let breaks = &format!("{breaks}[router]");
    lab_with(&[("[[step]]\nboot = {}", naive), ("[router]", breaks)])
        .command(&["crash", "scenario.toml"])
        .assert()
        .code(0)
        .stdout(predicate::str::contains("broken as declared, 0 broken"))
        .stdout(
            predicate::str::is_match(
                r"\d+ points, \d+ distinct, \d+ checked, 0 broken, \d+ checks/s/core\n$",
            )
            .expect("a pattern"),
        );
    lab_with(&[("[[step]]\nboot = {}", naive)])
        .command(&["crash", "scenario.toml"])
        .assert()
        .code(1)
        .stdout(predicate::str::contains("leaselab replay c1:"));
}

#[test]
fn a_kind_of_point_that_is_never_reached_is_a_failure() {
    let lab = Lab::new();
    lab.write("scenario.toml", "title = \"A boot\"\n[[step]]\nboot = {}\n")
        .command(&["crash", "scenario.toml"])
        .assert()
        .code(1)
        .stderr(predicate::str::contains("was reached: inside an erase"));
}

#[rstest]
#[case::nothing_to_cut(&["crash", "dark.toml"], "nothing to explore")]
#[case::dialect(&["crash", "scenario.toml", "--dialect", "amiga"], "invalid value 'amiga'")]
#[case::depth(&["crash", "scenario.toml", "--depth", "0"], "--depth")]
#[case::budget(&["crash", "scenario.toml", "--target", "process", "--budget", "0"], "--budget")]
#[case::budget_without_processes(&["crash", "scenario.toml", "--budget", "5"], "--target process")]
#[case::script(&["crash", "scenario.toml", "--script", "nowhere.sh"], "nowhere.sh")]
#[case::filter(&["crash", "scenario.toml", "--filter", "nothing"], "no case matches these options")]
#[case::version(&["replay", "c0:00000000:scenario.toml::1p"], "version `c0`")]
#[case::no_id(&["replay", "hello"], "invalid id `hello`")]
#[case::damaged(&["replay", "c1:00000000:scenario.toml::1q"], "invalid fault `1q`")]
#[case::changed(&["replay", "c1:00000000:scenario.toml::1p"], "has changed")]
#[case::no_file(&["replay", "c1:00000000:nowhere.toml::1p"], "nowhere.toml")]
fn invalid_arguments_are_rejected(#[case] arguments: &[&str], #[case] text: &str) {
    let dark = "title = \"Never switched on\"\n[[step]]\nadvance = \"1h\"\n";
    lab_with(&[])
        .write("dark.toml", dark)
        .command(arguments)
        .assert()
        .code(2)
        .stderr(predicate::str::contains(text));
}

#[test]
fn a_case_with_an_unknown_chip_is_invalid() {
    lab_with(&[("neighbours", "chip = \"abacus\"\nneighbours")])
        .command(&["crash", "scenario.toml"])
        .assert()
        .code(2)
        .stdout(
            predicate::str::contains("scenario: invalid")
                .and(predicate::str::contains("the chips are")),
        );
}

const ONE_CLIENT: &str = r#"
title = "One client"

[router]
dialect = "broadcom"
neighbours = 400

[[step]]
boot = {}

[[step]]
join = { client = "phone" }
"#;

#[test]
fn a_script_file_is_explored_and_its_ids_replay() {
    let lab = Lab::new();
    lab.write("scenario.toml", ONE_CLIENT).write("bad.sh", COMMITS_FIRST);
    let explored = lab
        .command(&["crash", "scenario.toml", "--script", "bad.sh", "--shell", "sh", "--jobs", "2"])
        .output()
        .expect("leaselab runs");
    let text = String::from_utf8_lossy(&explored.stdout).into_owned();
    assert_eq!(
        explored.status.code(),
        Some(1),
        "{text}{}",
        String::from_utf8_lossy(&explored.stderr)
    );
    assert!(text.contains("bug durability"), "{text}");
    let commands = Lab::printed_commands(&explored.stdout);
    let id = commands.iter().find_map(|line| line.strip_prefix("leaselab replay "));
    let id = id.and_then(|rest| rest.split(' ').next()).expect("an id");
    lab.command(&["replay", id, "--script", "bad.sh", "--shell", "sh", "--verbose"])
        .assert()
        .code(1)
        .stdout(predicate::str::contains("FAULT").and(predicate::str::contains("NVRAM  commit")));
}

#[test]
fn a_script_that_hangs_is_not_explored() {
    let lab = Lab::new();
    lab.write("hangs.sh", "#!/bin/sh\n[ \"$1\" = init ] || exec sleep 1000\n").write(
        "scenario.toml",
        "title = \"x\"\n[[step]]\nboot = {}\n[[step]]\njoin = { client = \"pc\" }\n",
    );
    lab.command(&["crash", "scenario.toml", "--script", "hangs.sh", "--timeout", "1"])
        .assert()
        .code(1)
        .stdout(predicate::str::contains("hung and was killed").and(predicate::str::contains(
            "  0 points, 0 distinct: 0 kept, 0 lost unavoidably, 0 broken as declared, 0 broken\n  \
             not explored, because a call hung without a fault\n",
        )));
}

#[rstest]
#[case("openwrt")]
#[case("broadcom")]
fn processes_reach_the_same_states(#[case] dialect: &str) {
    let lab = Lab::new();
    lab.write("scenario.toml", ONE_CLIENT.replace("broadcom", dialect))
        .command(&["crash", "scenario.toml", "--depth", "1"])
        .args(["--target", "process", "--json", "report.json"])
        .assert()
        .code(0)
        .stdout(predicate::str::contains(" states, every one; 0 differ"));
    assert!(lab.read("report.json").contains("\"images\""));
}

#[test]
fn a_budget_takes_an_even_sample() {
    lab_with(&[])
        .command(&["crash", "scenario.toml", "--target", "process", "--budget", "1", "--jobs", "2"])
        .assert()
        .code(0)
        .stdout(
            predicate::str::is_match(r"confirmed \d+ of \d+ states, every \d+th; 0 differ")
                .expect("a pattern"),
        );
}

#[test]
fn counts_do_not_depend_on_the_number_of_threads() {
    let counts = |jobs: &str| {
        let output =
            lab_with(&[]).command(&["crash", "scenario.toml", "--list", "--jobs", jobs]).output();
        let text = String::from_utf8(output.expect("leaselab runs").stdout).expect("text");
        // The last line and the one with the processor time contain rates.
        let lines = text.lines().filter(|line| !line.contains("/s/core"));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(counts("1"), counts("2"));
}

#[test]
fn a_report_that_cannot_be_written_leaves_no_file() {
    let lab = lab_with(&[]);
    lab.command(&["crash", "scenario.toml", "--depth", "1", "--json", "nowhere/report.json"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("nowhere/report.json"));
    lab.command(&["crash", "scenario.toml", "--depth", "1", "--json", "/dev/full"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("/dev/full: No space left"));
    assert_eq!(std::fs::read_dir(lab.path()).expect("a folder").count(), 1);
}

/// The counts of a small scenario: an unintended change of the search shows here.
#[rstest]
#[case("openwrt")]
#[case("broadcom")]
fn the_counts_of_a_small_scenario_do_not_change(#[case] dialect: &str) {
    let report = explored(&case(dialect), None, Options::default());
    let Report { points, distinct, checked, images, kept, lost, broken, .. } = report;
    let mut text = format!(
        "{points} points, {distinct} distinct, {checked} checked, {images} images: {kept} kept, {lost} lost, {broken} broken\n"
    );
    for (kind, count) in &report.coverage {
        let _ = writeln!(text, "{kind:<24}{:>8}{:>8}", count.points, count.distinct);
    }
    insta::assert_snapshot!(format!("counts_of_a_small_scenario_{dialect}"), text);
}

#[test]
fn a_junit_report_contains_the_violations() {
    let lab = lab_with(&[]);
    lab.write("bad.sh", COMMITS_FIRST)
        .command(&["crash", "scenario.toml", "--depth", "1", "--junit", "good.xml"])
        .assert()
        .code(0);
    let text = lab.read("good.xml");
    assert!(text.contains("tests=\"1\"") && text.contains("failures=\"0\""), "{text}");
    assert!(text.contains("<testcase name=\"scenario\""), "{text}");
    lab.command(&["crash", "scenario.toml", "--script", "bad.sh", "--shell", "sh"])
        .args(["--junit", "bad.xml"])
        .assert()
        .code(1);
    let text = lab.read("bad.xml");
    assert!(text.contains("failures=\"1\""), "{text}");
    assert!(text.contains("bug durability") && text.contains("leaselab replay"), "{text}");
}

/// Runs in its own namespaces, with a full tmpfs of one page.
#[test]
fn a_full_disk_gets_no_partial_report() {
    let lab = lab_with(&[]);
    lab.write("bench/.keep", "");
    let steps = "mount -t tmpfs -o size=4k none bench && head -c 4096 /dev/zero >bench/filler && \
        \"$0\" crash scenario.toml --depth 1 \"$1\" bench/report; echo \"exit $?\"; ls -A bench";
    for option in ["--json", "--junit"] {
        let output = std::process::Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", steps])
            .args([env!("CARGO_BIN_EXE_leaselab"), option])
            .current_dir(lab.path())
            .output()
            .expect("unshare runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert!(stderr.contains("bench/report: No space left"), "{stdout}{stderr}");
        assert!(stdout.ends_with("exit 2\nfiller\n"), "{stdout}{stderr}");
    }
}
