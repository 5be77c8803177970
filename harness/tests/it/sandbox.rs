//! What scripts see of the machine: files, processes, clock.
//!
//! Needs unprivileged user namespaces: the test command skips this file by name where there are none.

use std::path::Path;

use predicates::prelude::*;
use rstest::rstest;

use crate::lab::Lab;

const STORY: &str = r#"
title = "Two leases and a power cut"
[parameters]
lease = ["1h", "2h"]
[router]
ROUTER
[server]
lease-time = "$lease"
[[step]]
boot = {}
expect = { leases = 0 }
[[step]]
join = { client = "pc", count = 2 }
expect = { leases = 2 }
[[step]]
power-cut = true
[[step]]
boot = { off = "1m" }
expect = { leases = 2, names = ["pc-1"] }
"#;

/// Keeps leases in the file `FILE`. `SYNC` stands for what writes it to the medium.
const KEEPS_A_FILE: &str = r#"#!/bin/sh
f=FILE
[ -e "$f" ] || { : >"$f"; SYNC; }
case $1 in
init) cat "$f"; exit 0 ;;
add | old | del) ;;
*) exit 0 ;;
esac
grep -v " $3 " "$f" >"$f.new"
[ "$1" = del ] || echo "${DNSMASQ_LEASE_EXPIRES:-$DNSMASQ_LEASE_LENGTH} $2 $3 ${4:-*} ${DNSMASQ_CLIENT_ID:-*}" >>"$f.new"
SYNC
mv "$f.new" "$f"
SYNC
"#;

/// Prints a lease that ends an hour after its last confirmation by the script's own clock.
const USES_THE_CLOCK: &str = r#"#!/bin/sh
f=/jffs/seen
[ -e "$f" ] || : >"$f"
case $1 in
init) cat "$f"; exit 0 ;;
add | old | del) ;;
*) exit 0 ;;
esac
grep -v " $3 " "$f" >"$f.new"
[ "$1" = del ] || echo "$(($(date +%s) + 3600)) $2 $3 ${4:-*} ${DNSMASQ_CLIENT_ID:-*}" >>"$f.new"
mv "$f.new" "$f"
"#;

/// A lab with a script and the story of [`STORY`].
fn lab(script: &str, router: &str) -> Lab {
    let lab = Lab::new();
    lab.write("script.sh", script).write("story.toml", STORY.replace("ROUTER", router));
    lab
}

fn keeps_a_file(file: &str, sync: &str) -> String {
    KEEPS_A_FILE.replace("FILE", file).replace("SYNC", sync)
}

/// A file name that nothing else on this machine has.
fn unique(folder: &str) -> String {
    format!("{folder}/leaselab-sandbox-test-{}", std::process::id())
}

#[rstest]
fn persistent_files_survive_a_power_cut_and_belong_to_one_case(
    #[values("/jffs", "/etc", "/var/lib/misc", "/var/tmp")] folder: &str,
) {
    let file = unique(folder);
    let lab = lab(&keeps_a_file(&file, ":"), "");
    lab.command(&["run", "story.toml", "--script", "script.sh"]).assert().code(0);
    assert!(!Path::new(&file).exists(), "the machine was touched");
}

#[rstest]
fn other_folders_are_in_ram_or_read_only(
    #[values("/tmp", "/run", "/var/run", "/var/cache", "/usr/share", "/root")] folder: &str,
) {
    let file = unique(folder);
    let lab = lab(&keeps_a_file(&file, ":"), "");
    lab.command(&["run", "story.toml", "--script", "script.sh"]).assert().code(1);
    assert!(!Path::new(&file).exists(), "the machine was touched");
}

#[test]
fn a_scenario_names_its_persistent_folders() {
    let script = keeps_a_file("/data/leases", ":");
    let router = "persistent = [\"/data\"]";
    lab(&script, router).command(&["run", "story.toml", "--script", "script.sh"]).assert().code(0);
    lab(&script, "persistent = [\"/tmp/x\"]")
        .command(&["run", "story.toml", "--script", "script.sh"])
        .assert()
        .code(2)
        .stdout(predicate::str::contains("/tmp never survives a reboot"));
}

/// A lab whose story boots once, with an exit code that `init` must have.
fn boot(script: &str, router: &str, exit: i32) -> Lab {
    let lab = Lab::new();
    let story = format!(
        "title = \"A boot\"\n[router]\n{router}\n[[step]]\nboot = {{}}\nexpect = {{ exit = {exit} }}\n"
    );
    lab.write("script.sh", script).write("story.toml", story);
    lab
}

/// Stores the leases five seconds after a change, in the background.
const STORES_LATER: &str = r#"#!/bin/sh
f=/tmp/leases
[ -e "$f" ] || nvram get dnsmasq_lease_all >"$f"
case $1 in
init) grep . "$f"; exit 0 ;;
add) echo "${DNSMASQ_LEASE_EXPIRES:-$DNSMASQ_LEASE_LENGTH} $2 $3 ${4:-*} ${DNSMASQ_CLIENT_ID:-*}" >>"$f" ;;
*) exit 0 ;;
esac
( sleep 5; nvram set dnsmasq_lease_all="$(cat "$f")"; nvram commit ) >/dev/null 2>&1 &
"#;

/// Nothing waits: the process sleeps by the router's clock.
#[rstest]
#[case::before_it_wakes("2s", 1)]
#[case::after_it_wakes("6s", 0)]
fn a_process_that_sleeps_in_the_background_wakes_by_the_routers_clock(
    #[case] later: &str,
    #[case] code: i32,
) {
    let lab = lab(STORES_LATER, "");
    let power_cut = format!("[[step]]\nadvance = \"{later}\"\n[[step]]\npower-cut = true");
    let story = lab.read("story.toml").replace("[[step]]\npower-cut = true", &power_cut);
    lab.write("story.toml", &story);
    let run = lab.command(&["run", "story.toml", "--script", "script.sh"]).assert().code(code);
    if code != 0 {
        run.stdout(predicate::str::contains("bug durability"));
    }
}

#[test]
fn a_persistent_folder_can_start_with_files() {
    let lab = boot(
        "#!/bin/sh\n[ \"$(cat /data/a/b)\" = text ]\n",
        "persistent = [{ path = \"/data\", from = \"files\" }]",
        0,
    );
    lab.write("files/a/b", "text\n");
    lab.command(&["run", "story.toml", "--script", "script.sh"]).assert().code(0);
}

#[test]
fn the_persistent_folders_can_be_full() {
    let run = ["run", "story.toml", "--script", "script.sh"];
    let fits = "#!/bin/sh\nhead -c 20000 /dev/zero >/jffs/big\n";
    boot(fits, "", 0).command(&run).assert().code(0);
    let fails = "#!/bin/sh\n! head -c 20000 /dev/zero >/jffs/big\n";
    boot(fails, "persistent-size = \"8 KiB\"", 0).command(&run).assert().code(0);
}

#[test]
fn files_of_a_scenario_that_do_not_fit_are_an_error_of_the_case() {
    let files = format!(
        "persistent-size = \"8 KiB\"\nfiles = {{ \"/jffs/big\" = \"{}\" }}",
        "a".repeat(20_000)
    );
    boot("#!/bin/sh\n", &files, 0)
        .command(&["run", "story.toml", "--script", "script.sh"])
        .assert()
        .code(2)
        .stdout(predicate::str::contains(
            "the persistent folders cannot hold these files: /jffs/big: No space left on device (os error 28); increase \
             `persistent-size`",
        ))
        .stdout(predicate::str::contains("1 of them invalid"));
}

#[rstest]
#[case(&[])]
#[case(&["--shell", "busybox ash"])]
fn the_scripts_clock_is_that_of_the_router(#[case] shell: &[&str]) {
    let lab = Lab::new();
    lab.write("script.sh", USES_THE_CLOCK).write(
        "story.toml",
        r#"
title = "A lease that ends while dnsmasq is stopped"
[parameters]
clock = ["kept", "2031-05-01T00:00:00Z"]
[router]
clock = "$clock"
[server]
lease-time = "1h"
[[step]]
boot = {}
[[step]]
join = { client = "pc" }
expect = { leases = 1 }
[[step]]
dnsmasq = "stop"
[[step]]
advance = "2h"
[[step]]
dnsmasq = "start"
expect = { leases = 0, no-names = ["pc"] }
"#,
    );
    let run = [&["run", "story.toml", "--script", "script.sh"], shell].concat();
    lab.command(&run).assert().code(0);
}

/// Fails in `init` unless a file that was written an hour ago is an hour old by the script's clock, whichever program asks.
#[test]
fn the_times_of_files_agree_with_the_clock() {
    let script = r#"#!/bin/sh
case $1 in
init)
    [ -e /jffs/old ] || { : >/jffs/old; exit 0; }
    : >/jffs/new
    [ /jffs/new -nt /jffs/old ] || exit 1
    age=$(($(date +%s) - $(stat -c %Y /jffs/old)))
    [ "$age" -eq 3600 ] || exit 2
    [ "$(cut -d. -f1 /proc/uptime)" -eq 3630 ] || exit 3
    ;;
esac
"#;
    let lab = Lab::new();
    lab.write("script.sh", script).write(
        "story.toml",
        r#"
title = "An hour between two starts of dnsmasq"
[[step]]
boot = {}
[[step]]
dnsmasq = "stop"
[[step]]
advance = "1h"
[[step]]
dnsmasq = "start"
expect = { exit = 0 }
"#,
    );
    lab.command(&["run", "story.toml", "--script", "script.sh"]).assert().code(0);
}

#[test]
fn processes_of_the_machine_are_out_of_reach() {
    // This test's own process must survive, and so must the script itself after each attempt.
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = init ] || exit 0\nkill -9 1\nkill -9 {} 2>/dev/null\nbusybox reboot\n\
         busybox reboot -f\nbusybox killall leaselab\n[ $(ls /proc | grep -c '^[0-9]') -lt 9 ]\n",
        std::process::id()
    );
    let lab = boot(&script, "", 0);
    lab.command(&["run", "story.toml", "--script", "script.sh"]).assert().code(0);
}

#[test]
fn a_script_finds_the_files_beside_it() {
    let lab = lab("#!/bin/sh\n. \"$(dirname \"$0\")/rest.sh\"\n", "");
    lab.write("rest.sh", keeps_a_file("/jffs/leases", ":"));
    lab.command(&["run", "story.toml", "--script", "script.sh"]).assert().code(0);
}

#[test]
fn a_scenario_can_lose_what_was_not_synced() {
    let run = ["run", "story.toml", "--script", "script.sh"];
    let careless = keeps_a_file("/jffs/leases", ":");
    lab(&careless, "unsynced = \"lost\"").command(&run).assert().code(1);
    let careful = keeps_a_file("/jffs/leases", "sync");
    lab(&careful, "unsynced = \"lost\"").command(&run).assert().code(0);
}

#[test]
fn crash_keeps_what_a_script_has_synced() {
    let lab = lab(&keeps_a_file("/jffs/leases", "sync"), "");
    lab.command(&["crash", "story.toml", "--script", "script.sh", "--filter", "lease=1h"])
        .assert()
        .code(0)
        .stdout(predicate::str::contains("0 broken"));
}

#[test]
fn what_a_script_has_not_synced_is_a_risk_where_the_file_system_is_not_known() {
    let lab = lab(&keeps_a_file("/jffs/leases", ":"), "");
    let crash = ["crash", "story.toml", "--script", "script.sh", "--filter", "lease=1h"];
    lab.command(&crash).assert().code(0).stdout(predicate::str::contains("risk durability"));
    lab.command(&[&crash[..], &["--deny", "risk"]].concat()).assert().code(1);
}

#[test]
fn crash_finds_what_a_script_has_not_synced_and_replays_it() {
    let lab = lab(&keeps_a_file("/jffs/leases", ":"), "write-ordering = \"reordering\"");
    let crash = ["crash", "story.toml", "--script", "script.sh", "--filter", "lease=1h"];
    let output = lab.command(&crash).assert().code(1).get_output().stdout.clone();
    let commands = Lab::printed_commands(&output);
    lab.shell(&commands[0]).assert().code(1).stdout(predicate::str::contains("broken"));
}

/// Overwrites its file: a call empties it, then writes it.
const OVERWRITES_A_FILE: &str = r#"#!/bin/sh
case $1 in
init) cat /jffs/leases 2>/dev/null; exit 0 ;;
add | old | del) ;;
*) exit 0 ;;
esac
leases=$(grep -v " $3 " /jffs/leases 2>/dev/null)
{
    [ -z "$leases" ] || echo "$leases"
    [ "$1" = del ] || echo "${DNSMASQ_LEASE_EXPIRES:-$DNSMASQ_LEASE_LENGTH} $2 $3 ${4:-*} ${DNSMASQ_CLIENT_ID:-*}"
} >/jffs/leases
"#;

/// A story in which the call that stores a second lease is disturbed, and that script.
fn interrupted_at(disturbance: &str) -> Lab {
    let lab = Lab::new();
    lab.write("script.sh", OVERWRITES_A_FILE).write(
        "story.toml",
        format!(
            "title = \"A call is interrupted\"\n[[step]]\nboot = {{}}\n[[step]]\njoin = {{ client = \"a\" }}\n\
             [[step]]\njoin = {{ client = \"b\" }}\n{disturbance}\n"
        ),
    );
    lab
}

#[rstest]
#[case("kill = \"file change 1\"", "bug agreement")]
#[case("kill = \"file change 2\"", "ok ")]
#[case("kill = \"file change 3\"", "did not occur")]
#[case("cut = \"file change 1\"\n[[step]]\nboot = {}", "bug durability")]
#[case("cut = \"file change 2\"\n[[step]]\nboot = {}", "ok ")]
#[case("cut = \"file change 2 state 9\"\n[[step]]\nboot = {}", "risk ")]
fn a_scenario_interrupts_a_call_at_a_change_of_a_file(
    #[case] disturbance: &str,
    #[case] printed: &str,
) {
    let lab = interrupted_at(disturbance);
    let run = ["run", "story.toml", "--script", "script.sh"];
    lab.command(&run).assert().stdout(predicate::str::contains(printed));
}

#[test]
fn crash_replays_cuts_and_kills_at_changes_of_files() {
    let lab = interrupted_at("");
    let crash = ["crash", "story.toml", "--script", "script.sh"];
    let output = lab.command(&crash).assert().code(1).get_output().stdout.clone();
    let printed = String::from_utf8_lossy(&output).into_owned();
    for kind in ["after change of a file", "kill after file change"] {
        let line = printed.lines().find(|line| line.starts_with(kind)).expect("it is counted");
        assert!(!line.ends_with(" 0"), "{line}");
    }
    let commands = Lab::printed_commands(&output);
    let cut = commands.into_iter().find(|it| it.contains("w1.0 ")).expect("the file is emptied");
    for command in [cut.replace("w1.0", "kw1"), cut] {
        lab.shell(&command).assert().code(1).stdout(predicate::str::contains("broken"));
    }
}

#[test]
fn fuzz_interrupts_a_script_at_changes_of_files_and_replays_it() {
    let lab = interrupted_at("");
    let fuzz =
        ["fuzz", "--script", "script.sh", "--cases", "4", "--events", "30", "--dialect", "openwrt"];
    let output = lab.command(&fuzz).assert().code(1).get_output().clone();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("shell+files"), "{printed}");
    let commands = Lab::printed_commands(&output.stdout);
    lab.shell(&commands[0]).assert().code(1).stdout(predicate::str::contains("broken"));
}

#[test]
fn without_a_sandbox_scripts_keep_their_files_in_a_folder_of_the_case() {
    let script = "#!/bin/sh\n[ -d \"$TMPDIR\" ] && [ \"$LEASE_RUN\" = \"$TMPDIR\" ]\n";
    let run = ["run", "story.toml", "--script", "script.sh", "--no-sandbox"];
    boot(script, "", 0).command(&run).assert().code(0);
}

/// A script that tries to get out, and changes the folder `VICTIM` if it can.
#[rstest]
#[case::of_a_system_folder("mount -o remount,bind,rw \"$machine\" && echo changed >VICTIM/file")]
#[case::of_the_files_in_ram("mv /.leaselab/ram /.leaselab/old; ln -s VICTIM /.leaselab/ram")]
#[case::of_the_executable("chmod 600 /.leaselab/bin/leaselab")]
#[case::of_a_descriptor("echo changed >&9; echo changed >/proc/1/fd/2")]
fn a_script_cannot_change_the_machine(#[case] attempt: &str) {
    let lab = Lab::new();
    // Not in /tmp, which is another folder in the sandbox.
    let outside = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let victim = outside.path().join("victim");
    std::fs::create_dir(&victim).expect("a folder");
    std::fs::write(victim.join("file"), "precious").expect("written");
    let victim = victim.to_str().expect("a path in UTF-8");
    let machine = format!("/{}", victim.split('/').nth(1).expect("a folder of the root"));
    let attempt = attempt.replace("VICTIM", victim);
    lab.write("script.sh", format!("#!/bin/sh\nmachine={machine}\n{attempt}\nexit 0\n"));
    lab.write("story.toml", STORY.replace("ROUTER", ""));
    let executable = std::fs::metadata(env!("CARGO_BIN_EXE_leaselab")).expect("a file");
    let line = "leaselab run story.toml --script script.sh 9>>inherited 2>errors";
    lab.shell(line).assert().code(predicate::in_iter([1, 3]));
    assert_eq!(std::fs::read_to_string(format!("{victim}/file")).expect("a file"), "precious");
    assert_eq!(std::fs::read_dir(victim).expect("a folder").count(), 1);
    let after = std::fs::metadata(env!("CARGO_BIN_EXE_leaselab")).expect("a file");
    assert_eq!(after.permissions(), executable.permissions());
    assert_eq!(lab.read("inherited"), "");
    assert!(!lab.read("errors").contains("changed"));
}

/// What a script puts in the place of a file of the lab is neither waited for nor followed.
#[rstest]
fn a_script_cannot_stop_the_lab_with_a_pipe(
    #[values("flash", "staging", "operations", "commands", "uptime", "ram/run/dnsmasq.pid")]
    file: &str,
) {
    let lab = Lab::new();
    let file = format!("/.leaselab/{file}");
    lab.write("script.sh", format!("#!/bin/sh\nrm -f {file}; mkfifo {file}; exit 0\n"));
    lab.write("story.toml", STORY.replace("ROUTER", ""));
    lab.command(&["run", "story.toml", "--script", "script.sh"])
        .timeout(std::time::Duration::from_secs(60))
        .assert()
        .code(predicate::in_iter([1, 3]));
}
