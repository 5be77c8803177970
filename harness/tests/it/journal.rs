//! Programs that rewrite their lease database, and scenarios with leases in a journal.

use assert_cmd::Command;
use journal_lab::{Loss, Strategy, WriteOrdering, explore, run_case};
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

#[rstest]
#[case(WriteOrdering::Ordered)]
#[case(WriteOrdering::Reordering)]
fn no_cut_loses_a_record_of_our_own_journal(#[case] files: WriteOrdering) {
    let report = explore(Strategy::Ours, files);
    assert!(report.calls > 20 && report.checked > 100, "{report:?}");
    assert!(report.losses.is_empty(), "{:?}", report.breaches);
}

#[test]
fn a_truncated_database_is_reported_with_the_place_of_the_cut() {
    let report = explore(Strategy::Dnsmasq, WriteOrdering::Ordered);
    assert!(report.count(Loss::NoDatabase) > 0 && report.count(Loss::Torn) > 0);
    let between = "between `truncate dnsmasq.leases 0` and `write dnsmasq.leases`";
    assert!(report.breaches.iter().any(|breach| breach.place == between), "{:?}", report.breaches);
}

#[test]
fn undeclared_losses_fail_and_so_do_declared_ones_that_do_not_occur() {
    let lab = |strategy, ordered: &[Loss]| JournalLab {
        strategy,
        files: WriteOrdering::Ordered,
        loses: JournalLosses { ordered: ordered.to_vec(), reordering: Vec::new() },
        window: None,
    };
    let deviations =
        run_case(&lab(Strategy::Dnsmasq, &[Loss::Old, Loss::Torn, Loss::Lost])).deviations;
    assert!(
        deviations[0].starts_with("no-database: ") && deviations[0].ends_with("does not expect it")
    );
    let deviations = run_case(&lab(Strategy::Ours, &[Loss::Old])).deviations;
    assert_eq!(deviations, ["old: expected, and no cut shows it"]);
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
        "[journal]\nstrategy = \"dnsmasq\"\nfiles = \"ordered\"\nloses = {{ ordered = {loses} }}\n"
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
