//! `leaselab fuzz`: planted faults are found and minimised; the command, its files, invalid arguments.

use std::path::Path;

use backend::Function;
use dnsmasq_model::Release;
use explore::fuzz::{HouseholdId, Limits, Session, Subject, generate, minimise, reproducer};
use lease_script::{
    Call, Config, Environment, IntentLog, MemoryIntentLog, Nvram, NvramOutput, OperationError,
    Outcome, run,
};
use nvram_emu::Dialect;
use predicates::prelude::*;
use rstest::rstest;
use runner::{FindingKind, Tally};
use scenario::{Invariant, Overrides, Rtc, cases};

use crate::lab::Lab;

/// The project's own script.
fn ours(call: &Call, nvram: &mut dyn Nvram, intent_log: &mut dyn IntentLog) -> Outcome {
    let config = Config::from_env(&Environment::default()).expect("the default configuration");
    run(call, &config, nvram, intent_log)
}

/// Runs a command, or another one in its place.
type Fault = fn(&mut dyn Nvram, &[&[u8]]) -> Result<NvramOutput, OperationError>;

/// An `nvram` tool with a fault.
struct Faulty<'a>(&'a mut dyn Nvram, Fault);

impl Nvram for Faulty<'_> {
    fn run(&mut self, args: &[&[u8]]) -> Result<NvramOutput, OperationError> {
        (self.1)(self.0, args)
    }
}

fn commits_before_it_sets(
    call: &Call,
    nvram: &mut dyn Nvram,
    intent_log: &mut dyn IntentLog,
) -> Outcome {
    let fault: fn(&mut dyn Nvram, &[&[u8]]) -> _ = |nvram, args| match args {
        [b"set" | b"unset", ..] => {
            nvram.run(&[b"commit"])?;
            let rest: Vec<_> = args.iter().copied().filter(|word| *word != b"commit").collect();
            nvram.run(&rest)
        }
        [b"commit"] => Ok(NvramOutput::default()),
        _ => nvram.run(args),
    };
    ours(call, &mut Faulty(nvram, fault), intent_log)
}

fn trusts_show(call: &Call, nvram: &mut dyn Nvram, intent_log: &mut dyn IntentLog) -> Outcome {
    if call.args[0] != b"init" {
        return ours(call, nvram, intent_log);
    }
    let Ok(shown) = nvram.run(&[b"show"]) else {
        return Outcome { killed: true, ..Outcome::default() };
    };
    let records = shown.stdout.split(|byte| *byte == b'\n').filter_map(|line| {
        line.strip_prefix(b"dnsmasq_lease_")?.splitn(2, |byte| *byte == b'=').nth(1)
    });
    let stdout = records.flat_map(|record| [record, b"\n"].concat()).collect();
    Outcome { stdout, ..Outcome::default() }
}

fn forgets_the_duid(call: &Call, nvram: &mut dyn Nvram, intent_log: &mut dyn IntentLog) -> Outcome {
    let fault: fn(&mut dyn Nvram, &[&[u8]]) -> _ = |nvram, args| match args {
        [b"set", pair] if pair.starts_with(b"dnsmasq_lease_duid=") => Ok(NvramOutput::default()),
        _ => nvram.run(args),
    };
    let mut call = call.clone();
    call.env.set("DNSMASQ_SERVER_DUID", "");
    ours(&call, &mut Faulty(nvram, fault), intent_log)
}

fn unsets_before_it_sets(
    call: &Call,
    nvram: &mut dyn Nvram,
    intent_log: &mut dyn IntentLog,
) -> Outcome {
    let fault: fn(&mut dyn Nvram, &[&[u8]]) -> _ = |nvram, args| {
        if let [b"set", pair, ..] = args {
            let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
            nvram.run(&[b"unset", name])?;
        }
        nvram.run(args)
    };
    ours(call, &mut Faulty(nvram, fault), intent_log)
}

/// Does not commit what an interrupted call has set, because its intent log does not outlive the call.
fn forgets_its_intent_log(call: &Call, nvram: &mut dyn Nvram, _: &mut dyn IntentLog) -> Outcome {
    ours(call, nvram, &mut MemoryIntentLog::default())
}

fn session(seed: u64) -> Session {
    let routers = vec![
        (Dialect::OpenWrt, Rtc::Good),
        (Dialect::Broadcom, Rtc::Broken),
        (Dialect::Tomato, Rtc::Good),
    ];
    Session {
        seed,
        events: 40,
        routers,
        releases: vec![Release::NEWEST],
        script: "shell".to_owned(),
        file_faults: false,
    }
}

#[rstest]
#[case::commits_before_it_sets(commits_before_it_sets, &[Invariant::Durability, Invariant::NoRedundantWrites])]
#[case::trusts_show(trusts_show, &[Invariant::Parsability, Invariant::Agreement, Invariant::Durability])]
#[case::forgets_the_duid(forgets_the_duid, &[Invariant::Agreement, Invariant::Durability])]
#[case::unsets_before_it_sets(unsets_before_it_sets, &[Invariant::Atomicity, Invariant::Agreement])]
#[case::forgets_its_intent_log(forgets_its_intent_log, &[Invariant::Durability])]
fn a_planted_fault_is_found_and_minimised(
    #[case] script: fn(&Call, &mut dyn Nvram, &mut dyn IntentLog) -> Outcome,
    #[case] expected: &[Invariant],
) {
    let subject = Subject::function(Function::CustomWithLog(script));
    let limits = Limits { cases: Some(512), time: None };
    let outcome = session(5).run(&subject, limits, &|_: &_| ()).expect("functions do not fail");
    let failure = outcome.failure.expect("the fault is found");
    let small = minimise(&subject, &failure.trial).expect("functions do not fail");
    let FindingKind::Broken(invariant) = small.finding.kind else {
        panic!("{:?}", small.finding);
    };
    assert!(expected.contains(&invariant), "{:?}", small.finding);
    let reproducer = reproducer(&subject, &small, Path::new("small.toml"), "planted")
        .expect("a scenario")
        .expect("it fails when it is read from its text");
    assert!(small.scenario.steps.len() <= 6, "{}", reproducer.text);
    assert!(
        reproducer.text.contains(&format!("step {}", reproducer.finding.step)),
        "{}",
        reproducer.text
    );
    // The project's own script passes.
    let mut cases =
        cases(Path::new("small.toml"), reproducer.text, &Overrides::default()).expect("a scenario");
    let findings = Subject::in_process().judge(&cases.remove(0)).expect("functions do not fail");
    assert_eq!(findings, []);
}

#[test]
fn a_session_is_the_same_on_any_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let limits = Limits { cases: Some(24), time: None };
        let subject = Subject::in_process();
        let outcome =
            pool.install(|| session(9).run(&subject, limits, &|_: &_| ())).expect("functions");
        assert!(outcome.failure.is_none(), "{:?}", outcome.failure.map(|f| f.trial.findings));
        let Tally { calls, commits, erases, programmed, .. } = outcome.summary.total;
        (outcome.summary.coverage, outcome.summary.events, calls, commits, erases, programmed)
    };
    assert_eq!(run(1), run(3));
}

/// Every router that can be generated can be created and plays its households.
#[test]
fn every_dialect_plays_random_households() {
    let routers: Vec<(Dialect, Rtc)> = Dialect::ALL
        .iter()
        .flat_map(|dialect| [(*dialect, Rtc::Good), (*dialect, Rtc::Broken)])
        .collect();
    let count = routers.len() as u64;
    let session = Session {
        seed: 3,
        events: 12,
        routers,
        releases: vec![Release::NEWEST],
        script: "shell".to_owned(),
        file_faults: false,
    };
    let limits = Limits { cases: Some(12 * count), time: None };
    let outcome =
        session.run(&Subject::in_process(), limits, &|_: &_| ()).expect("functions do not fail");
    let failed = outcome.failure.map(|failure| (failure.id.to_string(), failure.trial.findings));
    assert_eq!(failed, None);
    assert_eq!(outcome.summary.cases, 12 * count);
    let missing = session.missing(&outcome.summary);
    let is_short = session.is_short(&outcome.summary);
    assert!(is_short && missing.iter().all(|kind| !kind.starts_with("router")), "{missing:?}");
}

#[test]
fn an_executed_scenario_has_the_same_result_when_played_strictly() {
    for case in 0..12 {
        let id = session(11).id(case);
        let subject = Subject::in_process();
        let lenient = subject.play_leniently(generate(&id)).expect("functions do not fail");
        let strict =
            subject.play_leniently(lenient.executed_scenario()).expect("functions do not fail");
        assert_eq!(lenient.total, strict.total, "{id}");
        assert_eq!(strict.executed_scenario().steps.len(), strict.scenario.steps.len(), "{id}");
    }
}

/// A failure of the naive script is printed with its id, minimised, and written to a file that fails.
#[test]
fn the_command_minimises_a_failure_and_writes_a_scenario_that_fails() {
    let lab = Lab::new();
    lab.write("out/fuzz-4-0.toml", "mine");
    let arguments = ["fuzz", "--use", "naive", "--seed", "4", "--events", "30", "--out", "out"];
    let output = lab
        .command(&[&arguments[..], &["--cases", "8", "--dialect", "openwrt,broadcom"]].concat())
        .assert()
        .code(1)
        .stdout(predicate::str::contains("FAILED f1:"));
    let stdout = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert_eq!(lab.read("out/fuzz-4-0.toml"), "mine");
    let written = stdout.lines().find_map(|line| line.trim().strip_prefix("written: leaselab "));
    let words: Vec<&str> = written.expect("a file").split(' ').collect();
    lab.command(&words).assert().code(1).stdout(predicate::str::contains("FAIL "));
    let id = stdout.lines().find_map(|line| line.strip_prefix("FAILED ")).expect("an id");
    lab.command(&["replay", id]).assert().code(1).stdout(predicate::str::contains("broken"));
    assert!(HouseholdId::parse(id).is_ok());
}

#[rstest]
#[case::no_cases(&["--cases", "0"], "--cases")]
#[case::no_time(&["--time", "0s"], "expected at least 1s")]
#[case::no_unit(&["--time", "5"], "invalid length of time")]
#[case::no_events(&["--events", "0"], "--events")]
#[case::dialect(&["--dialect", "vms"], "invalid value 'vms'")]
#[case::script(&["--script", "nowhere.sh"], "nowhere.sh")]
#[case::two_scripts(&["--script", "/bin/true", "--use", "naive"], "expected only one of them")]
#[case::both(&["--target", "both"], "invalid value 'both'")]
#[case::out(&["--out", "/proc/leases"], "--out /proc/leases")]
fn invalid_arguments_are_rejected(#[case] arguments: &[&str], #[case] message: &str) {
    Lab::new()
        .command(&[&["fuzz"], arguments].concat())
        .assert()
        .code(2)
        .stdout("")
        .stderr(predicate::str::contains(message));
}

#[rstest]
#[case("f0:00000000:1:2:20:openwrt:good:shell", "version `f0`")]
#[case("f1:00000000:1:2:20:openwrt:good:shell", "generates another household")]
fn an_id_of_another_version_is_rejected(#[case] id: &str, #[case] message: &str) {
    Lab::new().command(&["replay", id]).assert().code(2).stderr(predicate::str::contains(message));
}

#[test]
fn a_script_file_runs_in_processes() {
    let lab = Lab::new();
    lab.write("mine.sh", "#!/bin/sh\n[ \"$1\" = init ] || nvram commit\n");
    lab.command(&["fuzz", "--script", "mine.sh", "--cases", "4", "--events", "10"])
        .args(["--shell", "sh", "--dialect", "openwrt", "--rtc", "good", "--seed", "2"])
        .assert()
        .code(1)
        .stdout(
            predicate::str::contains("FAILED f1:")
                .and(predicate::str::contains("--script mine.sh --shell sh")),
        );
}
