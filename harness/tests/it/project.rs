//! The project file `leaselab.toml`, and `leaselab init`.

use insta::assert_snapshot;
use predicates::prelude::*;
use rstest::rstest;

use crate::lab::Lab;

/// A scenario that fails with any script, so that the command that repeats it is printed.
const FAILING: &str = "title = \"x\"\n[[step]]\nboot = {}\nexpect = { leases = 7 }\n";
const SCRIPT: &str = "#!/bin/sh\nexit 0\n";

fn project(text: &str) -> Lab {
    let lab = Lab::new();
    lab.write("leaselab.toml", text);
    lab.write("mine.sh", SCRIPT);
    lab.write("other.sh", SCRIPT);
    lab.write("stories/story.toml", FAILING);
    lab
}

#[rstest]
#[case::from_the_project(&[], "--script ../mine.sh --shell 'sh -e'")]
#[case::of_the_command_line(&["--shell", "sh"], "--script ../mine.sh --shell sh")]
#[case::other_script(&["--script", "../other.sh"], "--script ../other.sh\n")]
#[case::dialect(&[], "--dialect padavan ")]
#[case::other_dialect(&["--dialect", "tomato"], "--dialect tomato ")]
fn the_nearest_project_above_sets_defaults_and_the_command_line_wins(
    #[case] arguments: &[&str],
    #[case] printed: &str,
) {
    let lab = project("script = \"mine.sh\"\nshell = \"sh -e\"\ndialect = \"padavan\"\n");
    let words = [&["run", "story.toml"], arguments].concat();
    let mut command = lab.command(&words);
    command.current_dir(lab.path().join("stories"));
    let output = command.assert().code(1).get_output().stdout.clone();
    let text = String::from_utf8_lossy(&output).into_owned();
    assert!(text.contains(printed), "{text}");
}

#[test]
fn a_printed_command_needs_no_project() {
    let lab = project("script = \"mine.sh\"\n");
    let output = lab.command(&["run", "stories"]).assert().code(1).get_output().stdout.clone();
    std::fs::remove_file(lab.path().join("leaselab.toml")).expect("the project");
    for line in Lab::printed_commands(&output) {
        assert!(line.contains("--script mine.sh"), "{line}");
        lab.shell(&line).assert().code(1);
    }
}

#[test]
fn help_shows_the_defaults_of_the_project() {
    let lab = project("script = \"mine.sh\"\nrouter = \"rt-ac51u\"\n");
    lab.command(&["run", "--help"]).assert().code(0).stdout(
        predicate::str::contains("[default: mine.sh]")
            .and(predicate::str::contains("[default: padavan]")),
    );
}

#[rstest]
#[case(&[], "Asus RT-AC51U", "padavan on spi-nor, 64 KiB")]
#[case(&["--router", "wrt54gl"], "Linksys WRT54GL", "wrt54gl on parallel-nor, 32 KiB")]
#[case(&["--dialect", "openwrt"], "Asus RT-AC51U", "openwrt on spi-nor, 64 KiB")]
fn wear_counts_the_router_of_the_project(
    #[case] arguments: &[&str],
    #[case] model: &str,
    #[case] flash: &str,
) {
    let lab = project("router = \"rt-ac51u\"\nscript = \"mine.sh\"\n");
    let words = ["wear", "--quiet", "--clients", "1", "--for", "1d", "--no-limits"];
    let words = [&words[..], arguments].concat();
    lab.command(&words).assert().code(0).stdout(
        predicate::str::contains(model)
            .and(predicate::str::contains(flash))
            .and(predicate::str::contains("run by processes").not()),
    );
}

#[rstest]
#[case::key("skript = \"mine.sh\"\n")]
#[case::dialect("script = \"mine.sh\"\ndialect = \"tomatoe\"\n")]
#[case::router("router = \"abacus\"\n")]
#[case::empty("shell = \" \"\n")]
#[case::no_toml("script = mine.sh\n")]
#[case::kind("owns = \"dnsmasq_lease_*\"\n")]
fn a_mistake_in_the_project_is_reported_with_its_place(#[case] text: &str) {
    let name = text.split('=').next().unwrap_or_default().trim().replace('\n', "_");
    let lab = project(text);
    let transcript = lab.transcript(&["run", "stories"]);
    insta::with_settings!({snapshot_suffix => format!("{}_{}", name, text.len())}, {
        assert_snapshot!(transcript);
    });
}

#[test]
fn an_invalid_project_does_not_concern_other_commands() {
    let lab = project("skript = 1\n");
    lab.write("dhcpd.leases", "lease 10.0.0.1 {\n  starts never;\n  binding state free;\n}\n");
    for words in [
        &["schema"][..],
        &["run", "--help"],
        &["leases", "show", "dhcpd.leases"],
        &["replay", "r1:set+set+lock:A5B12A3"],
    ] {
        let project = predicate::str::contains("leaselab.toml");
        lab.command(words).assert().stderr(project.not());
    }
}

#[rstest]
#[case::github("github", ".github/workflows/leaselab.yml")]
#[case::gitlab("gitlab", ".gitlab-ci.yml")]
fn init_writes_a_project_and_a_job_and_overwrites_nothing(#[case] ci: &str, #[case] job: &str) {
    let lab = Lab::new();
    lab.write("it's mine.sh", SCRIPT);
    lab.write("stories/story.toml", FAILING);
    let words = ["init", "--shell", "sh -e", "--router", "wrt54gl", "--ci", ci];
    lab.command(&words)
        .assert()
        .code(0)
        .stdout(format!("created leaselab.toml\ncreated {job}\nnext: leaselab check\n"));
    assert!(lab.read(job).contains("leaselab check "), "{}", lab.read(job));
    let written = lab.read("leaselab.toml");
    let output = lab.command(&["run", "stories"]).assert().code(1).get_output().stdout.clone();
    let text = String::from_utf8_lossy(&output).into_owned();
    for option in [r#"--script "it's mine.sh""#, "--shell 'sh -e'", "--dialect wrt54gl"] {
        assert!(text.contains(option), "{option}: {text}\n{written}");
    }

    lab.write("leaselab.toml", "# mine\n");
    lab.command(&words)
        .assert()
        .code(2)
        .stderr(predicate::str::contains("not changed: leaselab.toml exists already"))
        .stderr(predicate::str::contains("nothing to write"));
    assert_eq!(lab.read("leaselab.toml"), "# mine\n");
    std::fs::remove_file(lab.path().join(job)).expect("the job");
    lab.command(&words).assert().code(0).stdout(predicate::str::contains(format!("created {job}")));
}

#[test]
fn init_needs_a_script_that_can_be_run() {
    let lab = Lab::new();
    let refused = |words: &[&str], message: &str| {
        lab.command(words).assert().code(2).stderr(predicate::str::contains(message));
    };
    refused(&["init"], "no *.sh file in this folder");
    refused(&["init", "missing.sh"], "missing.sh: No such file");
    lab.write("a.sh", SCRIPT);
    lab.write("b.sh", "#!/bin/sh\r\n");
    refused(&["init"], "several *.sh files in this folder (a.sh, b.sh)");
    refused(&["init", "b.sh"], "CR LF");
    refused(&["init", "a.sh", "--router", "rt-n66"], "'rt-n66u'");
    assert!(!lab.path().join("leaselab.toml").exists());
}
