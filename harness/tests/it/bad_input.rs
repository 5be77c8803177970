//! Error messages about inputs that `leaselab` cannot use.

use insta::assert_snapshot;
use predicates::prelude::*;
use rstest::rstest;

use crate::lab::Lab;

const STEP: &str = "\n[[step]]\nboot = {}\n";

fn transcript_of(scenario: &str) -> String {
    let lab = Lab::new();
    lab.write("story.toml", scenario);
    lab.transcript(&["run", "story.toml", "--target", "in-process"])
}

#[test]
fn an_unknown_key_is_reported_with_its_place() {
    assert_snapshot!(transcript_of("title = \"x\"\n[router]\ndialekt = \"openwrt\"\n"));
}

#[test]
fn an_unknown_dialect_is_reported_with_its_place() {
    let text =
        format!("title = \"x\"\n[router]\nspace = \"32 KiB\"\ndialect = \"vxworks\"\n{STEP}");
    assert_snapshot!(transcript_of(&text));
}

#[test]
fn an_invalid_duration_is_reported_with_its_place() {
    assert_snapshot!(transcript_of("title = \"x\"\n[[step]]\nadvance = \"5 parsecs\"\n"));
}

#[test]
fn an_undefined_parameter_is_reported_with_its_place() {
    assert_snapshot!(transcript_of("title = \"x\"\n[router]\nrtc = \"$rtc\"\n"));
}

#[test]
fn an_unused_parameter_is_rejected() {
    assert_snapshot!(transcript_of(&format!("title = \"x\"\n[parameters]\nclients = [1]\n{STEP}")));
}

#[test]
fn a_step_with_two_actions_is_rejected() {
    assert_snapshot!(transcript_of("title = \"x\"\n[[step]]\nboot = {}\npower-cut = true\n"));
}

#[test]
fn an_unknown_client_is_reported_with_its_place() {
    let text = format!("title = \"x\"\n{STEP}[[step]]\nrenew = {{ client = \"fone\" }}\n");
    assert_snapshot!(transcript_of(&text));
}

#[test]
fn an_option_that_is_not_modelled_is_reported_with_its_place() {
    let text = format!("title = \"x\"\n[server]\noptions = [\"--enable-tea\"]\n{STEP}");
    assert_snapshot!(transcript_of(&text));
}

#[rstest]
#[case::off(&["[[step]]\nrenew = { client = \"a\" }"], "the router is off")]
#[case::twice(&["[[step]]\nboot = {}", "[[step]]\nboot = {}"], "the router is on")]
#[case::kill_in_flash(&["[[step]]\nboot = {}\nkill = \"erase\""], "completes a flash operation")]
#[case::endless(&["[[step]]\nevery = \"1s\"\nuntil = \"100y\"\nntp = true"], "at most 1000000 times")]
#[case::unending(&["[[step]]\nevery = \"1s\"\nntp = true"], "`every` needs `until`")]
#[case::no_pause(&["[[step]]\nevery = \"0s\"\nuntil = \"1s\"\nntp = true"], "at least one second")]
#[case::two_repeats(&["[[step]]\ntimes = 2\nevery = \"1s\"\nuntil = \"9s\"\nntp = true"], "but not with both")]
#[case::two_disturbances(&["[[step]]\nboot = {}\ncut = \"erase\"\nfail = \"set\""], "has `cut` and `fail`")]
#[case::call_of_nothing(&["[[step]]\nboot = {}\nat-call = 2"], "`at-call` needs")]
#[case::call_zero(&["[[step]]\nboot = {}\ncut = \"erase\"\nat-call = 0"], "at-call = 0")]
#[case::undisturbed(&["[[step]]\ncut = \"erase\"\nexpect = {}"], "no action that could be disturbed")]
#[case::page_without_call(&["[[step]]\nweb-page = true\nexpect = {}"], "no action that could be disturbed")]
#[case::false_flag(&["[[step]]\nntp = false"], "`ntp` can only be true")]
#[case::nothing(&["[[step]]\nnote = \"hm\""], "neither an action nor")]
#[case::point(&["[[step]]\nboot = {}\ncut = \"after lunch\""], "invalid point `after lunch`")]
#[case::image(&["[router]\nimage = \"none.bin\"", "[[step]]\nboot = {}"], "none.bin")]
#[case::chip(&["[router]\nchip = \"abacus\"", "[[step]]\nboot = {}"], "the chips are")]
#[case::size(&["[router]\nspace = \"64 KiB\"\npartition = \"32 KiB\"", "[[step]]\nboot = {}"], "partition")]
#[case::range(&["[server]\nrange = \"everywhere\"", "[[step]]\nboot = {}"], "FIRST-LAST")]
#[case::damage(&["[[step]]\ndamage = { offset = 99999999, bytes = \"00\" }"], "reach beyond")]
#[case::damage_repeated(&["[[step]]\ndamage = { offset = 0, bytes = \"00\", repeat = 4294967295 }"], "story.toml:3:47")]
#[case::times(&["[[step]]\ntimes = 4000000000\nboot = {}"], "at most 1000000 times")]
#[case::nul_in_a_call(&["[[step]]\nboot = {}", "[[step]]\ncall = { arguments = [\"a\\u0000b\"] }"], "NUL byte")]
#[case::nul_in_nvram(&["[[step]]\nboot = {}", "[[step]]\nnvram = [[\"a\\\\x00b\"]]"], "NUL byte")]
#[case::unused_parameter_and_its_name_in_a_text(&["story = \"[parameters]\"", "[parameters]", "idle = [1]", "[[step]]\nboot = {}"], "story.toml:3:1")]
#[case::hex(&["[[step]]\ndamage = { offset = 0, bytes = \"0\" }"], "hexadecimal digits")]
fn other_mistakes_in_a_scenario_have_exit_code_2(#[case] parts: &[&str], #[case] message: &str) {
    let lab = Lab::new();
    lab.write("story.toml", format!("title = \"x\"\n{}\n", parts.join("\n")));
    let transcript = lab.transcript(&["run", "story.toml", "--target", "in-process"]);
    let named = transcript.contains(message) && transcript.contains("story.toml");
    assert!(named && transcript.ends_with("exit 2\n"), "{transcript}");
}

/// A matrix of two cases, the second of which is invalid.
fn half_invalid(values: &str, parts: &[&str]) -> Lab {
    let text = ["title = \"x\"\n[parameters]", values, "[[step]]\nboot = {}"].join("\n");
    let lab = Lab::new();
    lab.write("story.toml", format!("{text}\n{}\n", parts.join("\n")));
    lab
}

#[rstest]
#[case::environment(r#"it = ["a", "a\u0000b"]"#, &["[script.environment]", "MODE = \"$it\""], "7:8", "NUL byte")]
#[case::option(r#"it = ["a", "a\u0000b"]"#, &["[server]", "options = [\"--domain=${it}\"]"], "7:12", "NUL byte")]
#[case::host_name(r#"it = ["a", "a\u0000b"]"#, &["[[step]]", "join = { client = \"$it\" }"], "6:1", "NUL byte")]
#[case::variable(r#"it = ["a", "a\u0000b"]"#, &["[router]", "variables = { a = \"$it\" }"], "6:1", "NUL byte")]
#[case::address(r#"it = ["192.168.1.60", "home"]"#, &["[[step]]", "join = { client = \"a\", address = \"$it\" }"], "7:34", "invalid IP address")]
#[case::script(r#"it = ["shell", "none.sh"]"#, &["[script]", "use = \"$it\""], "7:7", "none.sh: No such file")]
fn an_invalid_case_has_its_place_and_the_other_cases_are_run(
    #[case] values: &str,
    #[case] parts: &[&str],
    #[case] place: &str,
    #[case] message: &str,
    #[values("process", "both")] target: &str,
) {
    let lab = half_invalid(values, parts);
    let run = ["run", "story.toml", "--target", target, "--json", "a.json", "--junit", "a.xml"];
    let transcript = lab.transcript(&run);
    for text in ["INVALID story[", &format!("story.toml:{place}\n"), "^", message] {
        assert!(transcript.contains(text), "no {text} in {transcript}");
    }
    assert!(
        transcript.ends_with(
            "1 scenario: 1 case passed, 1 failed (1 of them invalid), 0 skipped\nexit 2\n"
        ),
        "{transcript}"
    );
    let json: serde_json::Value = serde_json::from_str(&lab.read("a.json")).expect("JSON");
    let verdicts: Vec<&str> = json["scenarios"][0]["cases"]
        .as_array()
        .expect("cases")
        .iter()
        .filter_map(|case| case["verdict"].as_str())
        .collect();
    assert_eq!(verdicts, ["passed", "invalid"]);
    assert_eq!((&json["failed"], &json["invalid"]), (&1.into(), &1.into()));
    let why = json["scenarios"][0]["cases"][1]["why"].as_str().expect("a reason");
    assert!(why.contains(place) && why.contains(message), "{why}");
    let junit = lab.read("a.xml");
    assert!(junit.contains("errors=\"1\"") && junit.contains("failures=\"0\""), "{junit}");
}

#[test]
fn a_failed_case_decides_the_exit_code_rather_than_an_invalid_one() {
    let values = r#"it = ["192.168.1.60", "home"]"#;
    let join = "[[step]]\njoin = { client = \"a\", address = \"$it\" }";
    half_invalid(values, &[join, "expect = { leases = 7 }"])
        .command(&["run", "story.toml", "--target", "in-process"])
        .assert()
        .code(1)
        .stdout(predicate::str::contains("0 cases passed, 2 failed (1 of them invalid)"));
}

#[test]
fn an_exploration_goes_on_after_an_invalid_case() {
    let values = r#"it = ["192.168.1.60", "home"]"#;
    let lab = half_invalid(values, &["[[step]]\njoin = { client = \"a\", address = \"$it\" }"]);
    lab.command(&["crash", "story.toml", "--json", "a.json", "--junit", "a.xml"])
        .assert()
        .code(2)
        .stdout(predicate::str::contains("story[it=home]: invalid\n"))
        .stdout(predicate::str::contains("story.toml:7:34"))
        .stdout(predicate::str::contains("story[it=192.168.1.60]\n"));
    let json: serde_json::Value = serde_json::from_str(&lab.read("a.json")).expect("JSON");
    assert!(json["checked"].as_u64() > Some(0), "{json}");
    assert_eq!(json["invalid"][0]["case"], "story[it=home]");
    assert!(lab.read("a.xml").contains("errors=\"1\""));
}

#[rstest]
#[case::no_such_path(&["run", "nowhere"], "nowhere")]
#[case::empty_folder(&["run", "."], "no scenario")]
#[case::no_such_dialect(&["run", "good.toml", "--dialect", "vxworks"], "[possible values: openwrt, ")]
#[case::no_such_part(&["run", "good.toml", "--shard", "4/3"], "invalid shard \"4/3\": expected I/N, for example 1/3")]
#[case::nothing_fits(&["run", "good.toml", "--filter", "zzz"], "no case matches these options")]
#[case::no_such_script(&["run", "good.toml", "--script", "none.sh"], "none.sh")]
#[case::no_jobs(&["run", "good.toml", "--jobs", "0"], "--jobs must be at least 1")]
#[case::report_is_a_folder(&["run", "good.toml", "--json", "."], ".: is a folder")]
#[case::report_nowhere(&["run", "good.toml", "--junit", "no/where.xml"], "no/where.xml")]
#[case::binary(&["run", "binary.toml"], "line 2, column 3: not UTF-8")]
#[case::large(&["run", "large.toml"], "larger than 1048576 bytes")]
fn wrong_arguments_have_exit_code_2(#[case] arguments: &[&str], #[case] message: &str) {
    let lab = Lab::new();
    let empty = arguments == ["run", "."];
    if !empty {
        lab.write("good.toml", format!("title = \"x\"\n{STEP}"));
        lab.write("binary.toml", b"title = \"x\"\n# \xff\n");
        lab.write("large.toml", "#".repeat((1 << 20) + 1));
    }
    lab.command(arguments).assert().code(2).stderr(predicate::str::contains(message));
}
