//! Properties of the shell script as a text, and of its parser.

use std::fmt::Write;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use assert_cmd::assert::OutputAssertExt;
use predicates::prelude::*;
use proptest::prelude::*;

use crate::support::{on_path, script, shells};

#[test]
fn shellcheck_reports_nothing() {
    let mut shellcheck = Command::new(on_path("shellcheck"));
    shellcheck.args(["--shell=sh", "--severity=style"]).arg(script());
    shellcheck.assert().success().stdout(predicate::str::is_empty());
}

/// It has to fit into a small flash, and a maintainer has to read it.
#[test]
fn the_script_is_small() {
    let text = fs::read_to_string(script()).expect("the script");
    assert!(text.lines().count() <= 320, "{} lines", text.lines().count());
    assert!(text.len() <= 10_240, "{} bytes", text.len());
}

/// What the function `valid` of the script says about lines: the kind of a lease, or `-`, before each line.
fn validate(mut shell: Command, lines: &str) -> String {
    let script = fs::read_to_string(script()).expect("the script");
    let (_, functions) = script.split_once("# --- The format of a lease ---\n").expect("a part");
    let (functions, _) = functions.split_once("# --- ").expect("its end");
    let body = format!(
        "set -f; prefix=lease_ IFS=\n{functions}\nwhile read -r line; do\n\
         if valid \"$line\"; then echo \"$kind $line\"; else echo \"- $line\"; fi\ndone\n"
    );
    shell.args(["-c", &body]).env("LC_ALL", "C");
    let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
    child.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("input");
    String::from_utf8(child.wait_with_output().expect("an end").stdout).expect("plain text")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_canonical_addresses_are_accepted(
        addresses in prop::collection::btree_set(address(), 60)
    ) {
        let (mut lines, mut expected) = (String::new(), String::new());
        for address in addresses {
            let (kind, second) = match lease_script::Address::parse(address.as_bytes()) {
                Some(lease_script::Address::V4(_)) => ("4", "02:aa"),
                Some(lease_script::Address::V6(_)) => ("6", "1"),
                None => ("-", if address.contains(':') { "1" } else { "02:aa" }),
            };
            let line = format!("lease_{address}=0 {second} {address} * 00:01");
            let _ = writeln!(lines, "{line}");
            let _ = writeln!(expected, "{kind} {line}");
        }
        for shell in shells() {
            let name = format!("{shell:?}");
            prop_assert_eq!(&validate(shell, &lines), &expected, "{}", name);
        }
    }
}

/// Addresses, and text that is almost an address.
fn address() -> impl Strategy<Value = String> {
    let group = prop::sample::select(vec![
        "0", "0", "0", "1", "a", "ffff", "1f2e", "00", "01", "12345", "",
    ]);
    prop_oneof![
        any::<u32>().prop_map(|bits| std::net::Ipv4Addr::from_bits(bits).to_string()),
        any::<u128>().prop_map(|bits| std::net::Ipv6Addr::from_bits(bits).to_string()),
        // Runs of zeros in several spellings.
        (any::<u8>(), any::<u128>()).prop_map(|(mask, bits)| {
            let bits = (0..8)
                .filter(|i| mask >> i & 1 == 1)
                .fold(0, |sum, i| sum | (bits & 0xFFFF << (16 * i)));
            std::net::Ipv6Addr::from_bits(bits).to_string()
        }),
        prop::collection::vec(group, 1..10).prop_map(|groups| groups.join(":")),
        prop::collection::vec(
            prop::sample::select(vec!["0", "1", "10", "255", "256", "01", "", "a"]),
            1..6
        )
        .prop_map(|octets| octets.join(".")),
        "[0-9a-f:.]{0,20}",
    ]
}
