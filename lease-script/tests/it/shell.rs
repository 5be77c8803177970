//! Functions of the shell script that need no NVRAM.

use std::fmt::Write;
use std::fs;
use std::process::Command;

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

/// The script without its main part.
fn functions() -> String {
    let text = fs::read_to_string(script()).expect("the script");
    let (functions, _) = text.split_once("# --- main").expect("a main part");
    functions.to_owned()
}

/// Runs `body` after the functions in every shell; the output must be the same.
fn in_every_shell(body: &str) -> String {
    let program = format!("{}\n{body}\n", functions());
    let outputs = shells().map(|mut shell| {
        let output = shell.args(["-c", &program, "script"]).output().expect("a shell");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("plain text")
    });
    assert_eq!(outputs[0], outputs[1]);
    assert_eq!(outputs[1], outputs[2]);
    outputs[0].clone()
}

/// Every number that a shell computes with stays below 2^31: the script runs with `set -x`, which prints every operand of
/// a comparison and every assigned value.
#[test]
fn times_stay_within_31_bits() {
    let times =
        ["0", "1", "99999", "100000", "2147483647", "2147483648", "4294967295", "9999999999"];
    let mut body = String::from("set -x\n");
    for a in times {
        for b in times {
            let _ = writeln!(
                body,
                "add_times {a} {b}; at_most {a} {b}; is_iaid {a}; rank {a}; edge=$key; rank {b}; above_edge"
            );
        }
    }
    for mut shell in shells() {
        let output = shell
            .args(["-c", &format!("{}\n{body}", functions()), "script"])
            .output()
            .expect("a shell");
        let trace = String::from_utf8(output.stderr).expect("plain text");
        let mut operands = 0;
        for line in
            trace.lines().map(|line| line.replace('\'', "")).filter(|line| line.contains("+ [ "))
        {
            for word in line.split(' ') {
                if !word.is_empty()
                    && word.bytes().all(|c| c.is_ascii_digit())
                    && !line.contains("= ")
                {
                    operands += 1;
                    assert!(word.parse::<i32>().is_ok(), "{line}");
                }
            }
        }
        assert!(operands > 100, "the trace shows only {operands} operands");
    }
}

/// Operands in `$((…))` are small: halves of times, lengths, counts.
#[test]
fn halves_are_six_digits() {
    let output = in_every_shell(
        r#"for t in 0 1 1000000000 9999999999; do split "$t"; echo "$high $low"; done"#,
    );
    for word in output.split_whitespace() {
        assert!(word.len() == 6 && word.starts_with('1'), "{word}");
    }
    assert_eq!(output.lines().count(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn times_are_added_and_compared_like_numbers(
        pairs in prop::collection::vec((time(), time()), 40)
    ) {
        let mut body = String::new();
        let mut expected = String::new();
        for (a, b) in pairs {
            let _ = writeln!(body, "add_times {a} {b}; at_most {a} {b}; echo $sum $?");
            let _ = writeln!(expected, "{}\n{}", (a + b).min(9_999_999_999), u8::from(a > b));
        }
        // The script separates words at line breaks.
        prop_assert_eq!(in_every_shell(&body).replace(' ', "\n"), expected);
    }

    #[test]
    fn only_canonical_addresses_are_accepted(
        addresses in prop::collection::vec(address(), 60)
    ) {
        let mut body = String::new();
        let mut expected = String::new();
        for text in addresses {
            let _ = writeln!(body, "family '{text}'; printf '%s\\n' \"$fam\"");
            expected += match lease_script::Address::parse(text.as_bytes()) {
                Some(lease_script::Address::V4(_)) => "4\n",
                Some(lease_script::Address::V6(_)) => "6\n",
                None => "\n",
            };
        }
        prop_assert_eq!(in_every_shell(&body), expected);
    }
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..10_u64,
        99_990..100_010_u64,
        0..10_000_000_000_u64,
        (0..100_000_u64).prop_map(|n| n * 100_000)
    ]
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
