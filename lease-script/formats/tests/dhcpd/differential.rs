//! Random journals with random damage, recorded with dhcpd 4.4.3-P1 (`dhcpd -T` at a fixed time; its new lease file was
//! kept). They contain valid and invalid statements in any order, and are truncated, repeated, swapped, or have flipped
//! bits.

use lease_formats::dhcpd::{Family, Options, View, read_bytes};
use serde_json::Value;

use super::recordings::{config, data, read};

#[test]
fn random_journals_are_read_as_the_server_reads_them() {
    let text = String::from_utf8(read(&data("dhcpd-differential.jsonl"))).expect("text");
    let mut wrong = Vec::new();
    let mut count = 0;
    for (number, line) in text.lines().enumerate() {
        let case: Value = serde_json::from_str(line).expect("JSON");
        let word = |key: &str| case[key].as_str().expect("text");
        let file: Vec<u8> = word("file").chars().map(|c| c as u8).collect();
        let now = case["now"].as_i64().expect("a clock");
        for fast_path_from in [0, u64::MAX] {
            let mut options = Options::new(View::Dhcpd, now);
            options.config = Some(config(word("conf")));
            options.family = Some(if word("family") == "v4" { Family::V4 } else { Family::V6 });
            options.fast_path_from = fast_path_from;
            let mut out = Vec::new();
            read_bytes(&file, &options).write_json(&mut out).expect("memory does not fail");
            let got: Value = serde_json::from_slice(&out).expect("JSON");
            for key in ["verdict", "leases", "ias"] {
                if got[key] != case[key] {
                    wrong.push(format!("{number}: {key}\n  {}\n  {}", got[key], case[key]));
                }
            }
        }
        count += 1;
    }
    assert!(count > 250, "{count}");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
