//! Two processes at one NVRAM.

use explore::races::{Effect, Found, Lock, Race, Schedule, catalogue, explore, replay, trials};
use predicates::prelude::*;
use rstest::rstest;

use crate::lab::Lab;

fn race(name: &str) -> Race {
    catalogue().into_iter().find(|race| race.name == name).expect("a race of this name")
}

fn found(name: &str, lock: Lock) -> Found {
    explore(&race(name), lock).expect("the openwrt dialect")
}

fn share(part: u128, found: &Found) -> f64 {
    part as f64 / found.interleavings as f64
}

#[test]
fn two_sets_without_a_lock_mostly_lose_one_silently() {
    let found = found("set+set", Lock::None);
    assert!(share(found.silent(), &found) > 0.5);
    let has = |wanted: Effect| found.groups.iter().any(|group| group.effects.contains(&wanted));
    for by in ['A', 'B'] {
        assert!(has(Effect::Lost { by, said: false }), "{by}");
    }
    assert!(has(Effect::Older), "older settings go with them");
    assert!(found.groups.iter().any(|group| group.crashes > 0), "the tool crashes at times");
    assert!(found.held() > 0, "one after the other, nothing is lost");
}

#[test]
fn a_commit_loses_a_concurrent_set() {
    let found = found("set+commit", Lock::None);
    let group = found
        .groups
        .iter()
        .find(|group| group.effects == [Effect::Lost { by: 'A', said: false }])
        .expect("a lost change");
    let log = replay(&group.example).expect("its own id").log.join("\n");
    assert!(log.contains("unlink /tmp/.nvram"), "{log}");
}

#[rstest]
fn the_lock_keeps_everything(
    #[values(
        "set+set",
        "set+set-staged",
        "set+commit",
        "naive+init",
        "ours+init",
        "naive+web",
        "ours+web",
        "naive+naive",
        "ours+ours"
    )]
    name: &str,
) {
    let found = found(name, Lock::Held);
    assert_eq!(found.held(), found.interleavings, "{found:?}");
}

#[rstest]
fn an_example_has_the_effects_of_its_group(
    #[values("set+set", "set+commit", "naive+init", "ours+init")] name: &str,
    #[values(Lock::None, Lock::Held)] lock: Lock,
) {
    for group in found(name, lock).groups {
        let id = group.example.to_string();
        let read: Schedule = id.parse().expect("its own id");
        let replayed = replay(&read).expect("its own id");
        assert_eq!(replayed.effects, group.effects, "{id}");
        assert_eq!(replayed.log.len(), group.example.steps.len());
        assert!(replayed.older <= group.older, "{id}");
    }
}

#[test]
fn one_process_after_the_other_loses_nothing() {
    for name in ["set+set", "naive+init", "ours+init"] {
        let found = found(name, Lock::None);
        let well = &found.groups[0];
        assert!(well.effects.is_empty(), "{name}");
        assert_eq!(
            well.example.steps.chunk_by(PartialEq::eq).count(),
            2,
            "{name}: {}",
            well.example
        );
    }
}

#[test]
fn parallel_writers_lose_nothing_under_the_lock() {
    let leaselab = std::path::Path::new(env!("CARGO_BIN_EXE_leaselab"));
    let result = trials::run(leaselab, 60, 4, Lock::Held).expect("processes");
    let expected = trials::Trials { trials: 60, sets: 240, ..trials::Trials::default() };
    assert_eq!(result, expected);
}

#[test]
fn the_command_prints_losses_and_how_to_replay_them() {
    let lab = Lab::new();
    lab.command(&["races", "--race", "set+commit"])
        .assert()
        .success()
        .stdout(predicate::str::contains("leaselab replay r1:set+commit:A3B10A4 --verbose"))
        .stdout(predicate::str::ends_with(
            "1 races, 0 interleavings lose something under the lock\n",
        ));
    lab.command(&["replay", "r1:set+commit:A3B10A4", "--verbose"])
        .assert()
        .code(1)
        .stdout(predicate::str::ends_with("A's change lost, exit 0\n"));
    lab.command(&["replay", "r1:set+commit+lock:A1B1"]).assert().success().stdout("nothing lost\n");
}

#[rstest]
#[case(&["races", "--race", "nobody"], "unknown race \"nobody\": expected one of set+set, ")]
#[case(&["races", "--trials", "0"], "0 is not in 1..")]
#[case(&["races", "story.toml"], "unexpected argument 'story.toml'")]
#[case(&["races", "--race", "set+set", "--trials", "2"], "cannot be used with")]
#[case(&["races", "--no-lock"], "--trials")]
#[case(&["replay", "r1:nobody:A1"], "no race `nobody`")]
#[case(&["replay", "r1:set+set:A50"], "step 11 of the id")]
#[case(&["replay", "r1:set+set:A3"], "cut short")]
#[case(&["replay", "r2:set+set:A3"], "no id of a race of this version")]
fn invalid_arguments_are_refused(#[case] arguments: &[&str], #[case] why: &str) {
    let lab = Lab::new();
    lab.command(arguments).assert().code(2).stderr(predicate::str::contains(why));
}
