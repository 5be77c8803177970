//! Wrappers that source the script instead of executing it, or after it has failed, as those of OpenWrt do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rstest::rstest;

use crate::support::Implementation::{Ash, Bash, Dash, Executable, Library};
use crate::support::{Implementation, script};

/// OpenWrt 15.05 to 18.06: a script that fails is sourced again.
const OLD: &str = r#"[ -x "$SCRIPT" ] && "$SCRIPT" "$@" || . "$SCRIPT" "$@""#;
/// OpenWrt since 19.07.
const NEW: &str = r#"[ -f "$SCRIPT" ] && . "$SCRIPT" "$@""#;

/// A tool that keeps each variable in a file.
const TOOL: &str = r#"#!/bin/sh
cd "$NVRAM_FILES" || exit 1
while [ $# -gt 0 ]; do
	case $1 in
	get) cat "$2" 2>/dev/null; shift ;;
	set) [ -w . ] && printf '%s\n' "${2#*=}" >"${2%%=*}"; shift ;;
	unset) rm -f "$2"; shift ;;
	show) for name in *; do [ ! -f "$name" ] || printf '%s=%s\n' "$name" "$(cat "$name")"; done ;;
	commit) [ ! -f ../broken ] || exit 1 ;;
	esac
	shift
done
"#;

fn is_shell(on: Implementation) -> bool {
    !matches!(on, Library | Executable)
}

fn run(on: Implementation, wrapper: &str, folder: &Path, args: &[&str]) -> String {
    assert!(is_shell(on));
    let shell = on.command().expect("a shell");
    let body = format!(
        "set +f; IFS=' '; umask 022; unset LC_ALL; own=kept; fail() {{ echo own; }}\n{wrapper}\n\
         case $- in *f*) own=noglob ;; esac\n\
         echo \"$own $(fail) $(umask) ${{LC_ALL-unset}} [$IFS]\"; echo hotplug \"$1\"\n"
    );
    let mut command = Command::new(shell.get_program());
    let words: Vec<_> = shell.get_args().collect();
    command.args(&words[..words.len() - 1]).args(["-c", &body, "wrapper"]).args(args);
    command.env("SCRIPT", folder.join("lease_update.sh")).env("LEASE_NVRAM", folder.join("nvram"));
    command.env("NVRAM_FILES", folder.join("files")).env("LEASE_RUN", folder.join("run"));
    command.env("DNSMASQ_LEASE_EXPIRES", "1700000000");
    let output = command.output().expect("a shell");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[rstest]
fn a_wrapper_goes_on_after_the_script(
    #[values(Ash, Dash, Bash)] on: Implementation,
    #[values(OLD, NEW)] wrapper: &str,
    #[values(false, true)] fails: bool,
) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for name in ["files", "run"] {
        fs::create_dir(path(name)).expect("a folder");
    }
    fs::copy(script(), path("lease_update.sh")).expect("the script");
    fs::write(path("nvram"), TOOL).expect("the tool");
    for name in ["lease_update.sh", "nvram"] {
        fs::set_permissions(path(name), fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    if fails {
        fs::write(path("broken"), "").expect("a file");
    }
    for args in [
        &["add", "02:aa:00:00:00:01", "192.168.1.1", "one"][..],
        &["arp-add", "02:aa:00:00:00:01", "192.168.1.1"],
        &["del", "02:aa:00:00:00:01", "192.168.1.1"],
    ] {
        let printed = run(on, wrapper, folder.path(), args);
        let expected = format!("kept own 0022 unset [ ]\nhotplug {}\n", args[0]);
        assert_eq!(printed, expected);
        let record = path("files/dnsmasq_lease_192.168.1.1");
        assert_eq!(record.exists(), args[0] != "del", "{args:?}");
    }
}

/// OpenWrt's wrapper since 19.07 has nothing to do after `init` and ends with 1; dnsmasq does not start then.
#[rstest]
fn after_init_the_wrapper_ends_with_the_scripts_exit_code(
    #[values(Ash, Dash, Bash)] on: Implementation,
    #[values((false, 0), (true, 1))] (fails, code): (bool, i32),
) {
    let folder = tempfile::tempdir().expect("a folder");
    let tool = folder.path().join("nvram");
    fs::write(&tool, if fails { "#!/bin/sh\nexit 1\n" } else { "#!/bin/sh\n" }).expect("the tool");
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("a mode");
    let shell = on.command().expect("a shell");
    let words: Vec<_> = shell.get_args().collect();
    let mut command = Command::new(shell.get_program());
    let body = format!("{NEW}\necho more\n[ -n '' ] && echo told");
    command.args(&words[..words.len() - 1]).args(["-c", &body, "wrapper", "init"]);
    command.env("SCRIPT", script()).env("LEASE_NVRAM", tool).env("LEASE_STRICT", "1");
    let output = command.env("LEASE_RUN", folder.path()).output().expect("a shell");
    assert_eq!((output.status.code(), &*output.stdout), (Some(code), &b"more\n"[..]));
}
