//! `leaselab races`: two processes that use one NVRAM at the same time.

use explore::races::{
    Anomaly, Locking, Process, Race, RaceReport, Schedule, catalogue, explore, replay, stress,
};
use predicates::prelude::*;
use rstest::rstest;

use crate::lab::Lab;

fn race(name: &str) -> Race {
    catalogue().into_iter().find(|race| race.name == name).expect("a race of this name")
}

fn explored(name: &str, lock: Locking) -> RaceReport {
    explore(&race(name), lock).expect("the openwrt dialect")
}

fn share(part: u128, report: &RaceReport) -> f64 {
    part as f64 / report.interleavings as f64
}

#[test]
fn two_sets_without_a_lock_mostly_lose_one_silently() {
    let report = explored("set+set", Locking::None);
    assert!(share(report.silent(), &report) > 0.5);
    let has =
        |anomaly: Anomaly| report.groups.iter().any(|group| group.anomalies.contains(&anomaly));
    for by in [Process::A, Process::B] {
        assert!(has(Anomaly::LostWrite { by, reported: false }), "{by}");
    }
    assert!(has(Anomaly::LostSettings), "older settings are lost as well");
    assert!(report.groups.iter().any(|group| group.crashes > 0), "some commands crash");
    assert!(report.correct() > 0, "one after the other, nothing is lost");
}

#[test]
fn a_commit_loses_what_is_set_at_the_same_time() {
    let report = explored("set+commit", Locking::None);
    let group = report
        .groups
        .iter()
        .find(|group| group.anomalies == [Anomaly::LostWrite { by: Process::A, reported: false }])
        .expect("a lost change");
    let log = replay(&group.example).expect("its own id").log.join("\n");
    assert!(log.contains("unlink /tmp/.nvram"), "{log}");
}

#[rstest]
fn nothing_is_lost_under_the_lock(
    #[values(
        "set+set",
        "set+set-staged",
        "set+commit",
        "naive+init",
        "ours+init",
        "web+init",
        "naive+web",
        "ours+web",
        "naive+naive",
        "ours+ours"
    )]
    name: &str,
) {
    let report = explored(name, Locking::PerCommand);
    assert_eq!(report.correct(), report.interleavings, "{report:?}");
}

#[rstest]
fn replaying_an_example_gives_the_anomalies_of_its_group(
    #[values("set+set", "set+commit", "naive+init", "ours+init")] name: &str,
    #[values(Locking::None, Locking::PerCommand)] lock: Locking,
) {
    for group in explored(name, lock).groups {
        let id = group.example.to_string();
        let parsed: Schedule = id.parse().expect("its own id");
        let replayed = replay(&parsed).expect("its own id");
        assert_eq!(replayed.anomalies, group.anomalies, "{id}");
        assert_eq!(replayed.log.len(), group.example.steps.len());
        assert!(replayed.lost_settings <= group.lost_settings, "{id}");
    }
}

#[test]
fn processes_one_after_the_other_lose_nothing() {
    for name in ["set+set", "naive+init", "ours+init"] {
        let report = explored(name, Locking::None);
        let correct = &report.groups[0];
        assert!(correct.anomalies.is_empty(), "{name}");
        assert_eq!(
            correct.example.steps.chunk_by(PartialEq::eq).count(),
            2,
            "{name}: {}",
            correct.example
        );
    }
}

#[test]
fn parallel_writers_lose_nothing_under_the_lock() {
    let leaselab = std::path::Path::new(env!("CARGO_BIN_EXE_leaselab"));
    let result = stress::run(leaselab, 15, 4, Locking::PerCommand).expect("processes");
    let expected = stress::StressReport { trials: 15, sets: 60, inits: 15, ..Default::default() };
    assert_eq!(result, expected);
}

#[test]
fn the_command_prints_what_is_lost_and_how_to_replay_it() {
    let lab = Lab::new();
    lab.command(&["races", "--race", "set+commit"])
        .assert()
        .success()
        .stdout(predicate::str::contains("leaselab replay r1:set+commit:A3B10A4 --verbose"))
        .stdout(predicate::str::ends_with(
            "1 race, 0 interleavings lose something under the lock\n",
        ));
    lab.command(&["replay", "r1:set+commit:A3B10A4", "--verbose"])
        .assert()
        .code(1)
        .stdout(predicate::str::ends_with("A's change lost, exit 0\n"));
    lab.command(&["replay", "r1:set+commit+lock:A1B1"]).assert().success().stdout("nothing lost\n");
}

#[rstest]
#[case(&["races", "--race", "nobody"], "[possible values: set+set, ")]
#[case(&["races", "--trials", "0"], "0 is not in 1..")]
#[case(&["races", "story.toml"], "unexpected argument 'story.toml'")]
#[case(&["races", "--race", "set+set", "--trials", "2"], "cannot be used with")]
#[case(&["races", "--no-lock"], "--trials")]
#[case(&["replay", "r1:nobody:A1"], "unknown race \"nobody\"")]
#[case(&["replay", "r1:set+set:A50"], "step 11 of the id")]
#[case(&["replay", "r1:set+set:A3"], "is it truncated?")]
#[case(&["replay", "r2:set+set:A3"], "invalid race id")]
fn invalid_arguments_are_rejected(#[case] arguments: &[&str], #[case] message: &str) {
    let lab = Lab::new();
    lab.command(arguments).assert().code(2).stderr(predicate::str::contains(message));
}
