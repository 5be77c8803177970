//! Programs that rewrite their lease database, and scenarios with leases in a journal.

use assert_cmd::Command;
use journal_lab::{DiskFaults, Loss, Strategy, WriteOrdering, explore, run_case};
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use scenario::{JournalLab, JournalLosses};

use crate::lab::Lab;

/// `leaselab` at the root of the project.
fn leaselab() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaselab"));
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    command
}

#[test]
fn a_truncated_database_is_reported_with_the_place_of_the_cut() {
    let report = explore(Strategy::Dnsmasq, WriteOrdering::Ordered);
    assert!(report.count(Loss::NoDatabase) > 0 && report.count(Loss::Torn) > 0);
    let between = "between `truncate dnsmasq.leases 0` and `write dnsmasq.leases`";
    assert!(
        report.examples.iter().any(|example| example.place == between),
        "{:?}",
        report.examples
    );
}

#[test]
fn undeclared_losses_fail_and_so_do_declared_ones_that_do_not_occur() {
    let lab = |strategy, ordered: &[Loss]| JournalLab {
        strategy,
        write_ordering: WriteOrdering::Ordered,
        faults: DiskFaults::Cuts,
        loses: JournalLosses { ordered: ordered.to_vec(), reordering: Vec::new() },
        window: None,
    };
    let deviations =
        run_case(&lab(Strategy::Dnsmasq, &[Loss::Old, Loss::Torn, Loss::Lost])).deviations;
    assert!(
        deviations[0].starts_with("no-database: ") && deviations[0].ends_with("does not expect it")
    );
    let deviations = run_case(&lab(Strategy::Ours, &[Loss::Old])).deviations;
    assert_eq!(deviations, ["old: expected, but shown by none of the cuts"]);
}

#[test]
fn scenarios_of_leases_run_over_a_journal() {
    leaselab()
        .args(["run", "scenarios/reboot/power-cut.toml", "--store", "journal"])
        .args(["--target", "both"])
        .assert()
        .success()
        .stdout(contains("0 failed, 0 skipped"));
    leaselab()
        .args(["run", "scenarios/reboot/cut-in-the-erase.toml", "--store", "journal"])
        .assert()
        .code(2)
        .stderr(contains("no case matches these options"));
}

/// The reports exist whether a case is about NVRAM or about programs that rewrite their lease database.
#[rstest]
#[case::as_declared("[\"no-database\", \"torn\", \"old\", \"lost\"]", 0, "failures=\"0\"")]
#[case::undeclared("[\"torn\"]", 1, "failures=\"1\"")]
fn an_exploration_of_journals_writes_reports(
    #[case] loses: &str,
    #[case] code: i32,
    #[case] failures: &str,
) {
    let lab = Lab::new();
    let journal = format!(
        "[journal]\nstrategy = \"dnsmasq\"\nwrite-ordering = \"ordered\"\nloses = {{ ordered = {loses} }}\n"
    );
    lab.write("story.toml", format!("title = \"dnsmasq's own file\"\n{journal}"));
    lab.command(&["crash", "story.toml", "--json", "a.json", "--junit", "b.xml"])
        .assert()
        .code(code);
    let json: serde_json::Value = serde_json::from_str(&lab.read("a.json")).expect("JSON");
    assert!(json["checked"].as_u64() > Some(100), "{json}");
    assert_eq!(json["broken"].as_u64() > Some(0), code == 1, "{json}");
    assert_eq!(json["faults"].as_array().map(Vec::is_empty), Some(code == 0), "{json}");
    let junit = lab.read("b.xml");
    assert!(junit.contains("tests=\"1\"") && junit.contains(failures), "{junit}");
}

fn lab_with_journal(script: &str) -> Lab {
    let lab = Lab::new();
    let sections = format!("[router]\nstore = \"journal\"\n[script]\nuse = \"{script}\"\n");
    lab.write("story.toml", format!("title = \"A boot\"\n{sections}[[step]]\nboot = {{}}\n"));
    lab
}

#[test]
fn a_script_without_a_journal_is_skipped_by_name() {
    lab_with_journal("naive").command(&["run", "story.toml"]).assert().code(0).stdout(
        contains(
            "SKIPPED story: `store = \"journal\"` needs `use = \"rust\"`: `naive` keeps no journal",
        )
        .and(contains("0 cases passed, 0 failed, 1 skipped")),
    );
}

#[test]
fn only_lease_update_itself_replaces_the_script_of_a_case_with_a_journal() {
    let lab = lab_with_journal("rust");
    lab.write("mine.sh", "#!/bin/sh\nexit 0\n");
    lab.command(&["run", "story.toml", "--script", "mine.sh"]).assert().code(0).stdout(
        contains("SKIPPED story: `store = \"journal\"` needs lease-update: --script mine.sh keeps no journal")
            .and(contains("0 cases passed, 0 failed, 1 skipped")),
    );
    // Recognised by its name, whatever it does.
    lab.write("lease-update", "#!/bin/sh\nexit 0\n");
    lab.command(&["run", "story.toml", "--script", "lease-update", "--shell", "sh"])
        .assert()
        .code(0)
        .stdout(contains("1 case passed, 0 failed, 0 skipped"));
}

/// The explorer of power cuts follows the NVRAM: it must not report that nothing of a journal was lost.
#[test]
fn crash_names_the_cases_with_a_journal_and_explores_none_of_them() {
    let lab = lab_with_journal("rust");
    lab.command(&["crash", "story.toml", "--junit", "report.xml"])
        .assert()
        .code(2)
        .stdout(contains(
            "story: skipped: `store = \"journal\"` cannot be run by the explorer of power cuts, which keeps leases in \
             NVRAM",
        ))
        .stderr(contains("nothing to explore"));
    assert!(lab.read("report.xml").contains("skipped=\"1\""));
}

#[test]
fn ids_of_cases_with_a_journal_are_refused_where_they_cannot_be_run() {
    let lab = lab_with_journal("rust");
    let output = lab.command(&["run", "story.toml", "--json", "a.json"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    let json: serde_json::Value = serde_json::from_str(&lab.read("a.json")).expect("JSON");
    let replay = json["scenarios"][0]["cases"][0]["replay"].as_str().expect("a command").to_owned();
    let id = replay.split_whitespace().nth(2).expect("an id").trim_matches('\'');
    let faults = id.strip_suffix("run").expect("the id of a case").to_owned() + "1p";
    lab.command(&["replay", &faults])
        .assert()
        .code(2)
        .stderr(contains("cannot be run by the explorer of power cuts"));
}
