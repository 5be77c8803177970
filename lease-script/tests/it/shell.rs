//! Properties of the shell script as a text, and of its parser.

use std::fmt::Write;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use assert_cmd::assert::OutputAssertExt;
use predicates::prelude::*;
use proptest::prelude::*;

use crate::support::{on_path, script};

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
    assert!(text.len() <= 13_900, "{} bytes", text.len());
}

/// The awk programs that a router or a computer can have.
fn awks() -> Vec<Vec<String>> {
    let names = [&["busybox", "awk"][..], &["mawk"], &["gawk"], &["original-awk"]];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &str| std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
    let found = names.iter().filter(|words| is_there(words[0]));
    found.map(|words| words.iter().map(|word| (*word).to_owned()).collect()).collect()
}

/// What the awk program of the script prints for the output of `show`.
fn list(awk: &[String], text: &str) -> String {
    let script = fs::read_to_string(script()).expect("the script");
    let (_, program) = script.split_once("program='").expect("a program");
    let (program, _) = program.split_once("}'\n").expect("its end");
    let mut command = Command::new(on_path(&awk[0]));
    command.args(&awk[1..]).arg(format!("{program}}}"));
    command.env_clear().env("LC_ALL", "C").env("p", "lease_").env("max", "0");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("awk");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("input");
    String::from_utf8(child.wait_with_output().expect("an end").stdout).expect("plain text")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_canonical_addresses_are_accepted(
        addresses in prop::collection::btree_set(address(), 60)
    ) {
        let mut text = String::new();
        let [mut v4, mut v6, mut invalid] = [const { String::new() }; 3];
        for address in addresses {
            let parsed = lease_script::Address::parse(address.as_bytes());
            let is_v4 = matches!(parsed, Some(lease_script::Address::V4(_)));
            let second = if is_v4 { "02:aa" } else { "1" };
            let value = format!("0 {second} {address} * 00:01");
            let _ = writeln!(text, "lease_{address}={value}");
            let _ = match parsed {
                Some(lease_script::Address::V4(_)) => writeln!(v4, "{value}"),
                Some(lease_script::Address::V6(_)) => writeln!(v6, "{value}"),
                None => writeln!(invalid, "lease_{address}={value}"),
            };
        }
        text.push_str("exit 0\n");
        for awk in awks() {
            let printed = list(&awk, &text);
            let mut lines = printed.lines();
            prop_assert_eq!(lines.next(), Some("exit 0;"));
            prop_assert!(lines.next().is_some_and(|words| words.starts_with("words")));
            let rest: String = lines.flat_map(|line| [line, "\n"]).collect();
            prop_assert_eq!(&rest, &format!("{invalid}{v4}{v6}"), "{:?}", awk);
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
