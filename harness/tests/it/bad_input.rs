//! What a person is told who gives `leaselab` something that it cannot use.

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
fn an_unknown_key_is_pointed_at() {
    assert_snapshot!(transcript_of("title = \"x\"\n[router]\ndialekt = \"openwrt\"\n"));
}

#[test]
fn an_unknown_dialect_is_pointed_at() {
    let text =
        format!("title = \"x\"\n[router]\nspace = \"32 KiB\"\ndialect = \"vxworks\"\n{STEP}");
    assert_snapshot!(transcript_of(&text));
}

#[test]
fn a_wrong_length_of_time_is_pointed_at() {
    assert_snapshot!(transcript_of("title = \"x\"\n[[step]]\nadvance = \"5 parsecs\"\n"));
}

#[test]
fn a_parameter_that_is_none_is_pointed_at() {
    assert_snapshot!(transcript_of("title = \"x\"\n[router]\nrtc = \"$rtc\"\n"));
}

#[test]
fn a_parameter_that_nobody_uses_is_refused() {
    assert_snapshot!(transcript_of(&format!("title = \"x\"\n[parameters]\nclients = [1]\n{STEP}")));
}

#[test]
fn a_step_of_two_actions_is_refused() {
    assert_snapshot!(transcript_of("title = \"x\"\n[[step]]\nboot = {}\npower-cut = true\n"));
}

#[test]
fn a_client_that_never_came_is_pointed_at() {
    let text = format!("title = \"x\"\n{STEP}[[step]]\nrenew = {{ client = \"fone\" }}\n");
    assert_snapshot!(transcript_of(&text));
}

#[test]
fn an_option_that_the_engine_does_not_know_is_pointed_at() {
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
#[case::two_repeats(&["[[step]]\ntimes = 2\nevery = \"1s\"\nuntil = \"9s\"\nntp = true"], "either `times`")]
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
    lab.command(&["run", "story.toml", "--target", "in-process"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains(message).and(predicate::str::contains("story.toml")));
}

#[rstest]
#[case::no_such_path(&["run", "nowhere"], "nowhere")]
#[case::empty_folder(&["run", "."], "no scenario")]
#[case::no_such_dialect(&["run", "good.toml", "--dialect", "vxworks"], "expected one of openwrt, ")]
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
