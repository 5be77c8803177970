//! A full disk: a small tmpfs in a mount namespace.

use std::process::Command;

use super::support::run;

/// The commands in the namespace: a tmpfs of 16 KiB is filled, then space is freed.
const COMMANDS: &str = r#"
set -e
mount -t tmpfs -o size=16k,mode=0755 none "$1"
cd "$1"
export LEASE_STORE="journal:$1/dhcpd.leases" DNSMASQ_LEASE_EXPIRES=1700003600 LEASE_REWRITE_SIZE=2000
i=0
refused=0
while [ $i -lt 120 ]; do
	i=$((i + 1))
	if "$2" add 02:aa:00:00:00:0a 192.168.1.$i pc-$i 2>"$3.err"; then
		echo "1700003600 02:aa:00:00:00:0a 192.168.1.$i pc-$i *" >>"$3"
	else
		refused=$((refused + 1))
		grep -q 'not stored' "$3.err" || { cat "$3.err"; exit 1; }
	fi
done
echo "refused $refused"
"$2" init >"$3.found"
sort "$3" >"$3.wanted"
sort "$3.found" | cmp - "$3.wanted" && echo same
"$2" del 02:aa:00:00:00:0a 192.168.1.1 2>/dev/null && echo room
"#;

/// Needs unprivileged user namespaces; `ci/test` skips this test by name where there are none.
#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let notes = folder.path().join("notes");
    let small = folder.path().join("small");
    std::fs::create_dir(&small).expect("a folder");
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", COMMANDS, "sh"])
        .arg(&small)
        .arg(env!("CARGO_BIN_EXE_lease-update"))
        .arg(&notes);
    let output = run(&mut command);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines.contains(&"same"), "{output:?}");
    let refused: u32 =
        lines[0].strip_prefix("refused ").and_then(|n| n.parse().ok()).expect("a number");
    assert!((1..119).contains(&refused), "{stdout}");
}
