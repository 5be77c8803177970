//! Journals written by dhcpd, with all their generations.

use std::collections::BTreeMap;

use lease_formats::dhcpd::{
    BindingState, Options, Reading, Verdict, View, ia_to_json, lease_to_json, read_bytes,
};
use rstest::rstest;

use super::recordings::{data, read, unpack};

fn journal(path: &str) -> Vec<u8> {
    read(&data("dhcpd-journals").join(path))
}

/// A time at which no lease has expired.
const EARLY: i64 = 1;

fn reading(bytes: &[u8], view: View) -> Reading {
    read_bytes(bytes, &Options::new(view, EARLY))
}

fn first_diagnostics(reading: &Reading) -> String {
    reading.diagnostics.iter().take(5).map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[rstest]
#[case("small/dhcpd.leases", 10)]
#[case("small/dhcpd.leases~", 10)]
#[case("medium/dhcpd.leases", 190)]
#[case("medium/dhcpd.leases~", 190)]
#[case("medium2/dhcpd.leases", 190)]
#[case("medium2/dhcpd.leases~", 190)]
#[case("v6/dhcpd.leases", 50)]
#[case("v6/dhcpd.leases~", 50)]
#[case("big/dhcpd.leases.journal", 14_000)]
#[case("big/dhcpd.leases.rewritten", 14_000)]
#[case("failover/dhcpd.leases.1", 20)]
#[case("failover/dhcpd.leases.1.rewritten", 15)]
#[case("failover/dhcpd.leases.2", 20)]
#[case("never/dhcpd.leases", 5)]
#[case("never/dhcpd.leases.rewritten", 5)]
#[case("local/dhcpd.leases", 5)]
#[case("delayed_ack/dhcpd.leases", 300)]
fn undamaged_journals_have_no_diagnostics(#[case] path: &str, #[case] at_least: usize) {
    let bytes = journal(path);
    for view in [View::Text, View::Salvage, View::Dhcpd] {
        let reading = reading(&bytes, view);
        assert!(reading.diagnostics.is_empty(), "{path} {view:?}\n{}", first_diagnostics(&reading));
        assert_eq!(reading.verdict, Verdict::Clean, "{path} {view:?}");
        let found = reading.leases().count() + reading.ias().count();
        assert!(found >= at_least, "{path} {view:?}: {found}");
    }
}

/// With `delayed-ack`, dhcpd writes records in chunks of 4096 bytes without regard to their ends, and calls `fsync` once for
/// a batch. The complete file has no diagnostics. A batch that a power cut truncated has one, unless it ends between
/// records.
#[test]
fn a_truncated_batch_has_a_diagnostic() {
    let bytes = journal("delayed_ack/dhcpd.leases");
    let ops = String::from_utf8(journal("delayed_ack/ops.tsv")).expect("text");
    let mut end = 0;
    let (mut whole, mut torn) = (0, 0);
    for line in ops.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        if fields[1] != "write" {
            continue;
        }
        end += fields[3].parse::<usize>().expect("a number");
        let left = &bytes[..end];
        let (server, salvaged) = (reading(left, View::Text), reading(left, View::Salvage));
        let text = left.trim_ascii_end();
        if text.ends_with(b"}") || left.ends_with(b";\n\n") {
            assert!(server.diagnostics.is_empty(), "{end}\n{}", first_diagnostics(&server));
            whole += 1;
            continue;
        }
        torn += 1;
        assert!(server.diagnostics.total() > 0, "{end}");
        assert_eq!(server.verdict, Verdict::Warns, "{end}");
        // The salvage view has the complete records before the torn one, and nothing else.
        let start = left.windows(3).rposition(|text| text == b"\n}\n").expect("a record") + 3;
        let before = reading(&left[..start], View::Salvage);
        let all = |reading: &Reading| -> Vec<String> {
            reading
                .leases()
                .map(|lease| format!("{} {}", lease.address, lease_to_json(&lease)))
                .collect()
        };
        assert!(all(&salvaged) == all(&before), "{end}");
    }
    assert_eq!(end, bytes.len());
    assert!(whole >= 20 && torn >= 40, "{whole} whole, {torn} torn");
}

#[rstest]
#[case("enospc_torn/dhcpd.leases")]
#[case("selfcorrupt_billing/dhcpd.leases")]
#[case("unescaped_bug/dhcpd.leases")]
fn damaged_journals_have_diagnostics_and_keep_more_in_the_salvage_view(#[case] path: &str) {
    let bytes = journal(path);
    let server = reading(&bytes, View::Dhcpd);
    assert_eq!(server.verdict, Verdict::Warns, "{path}");
    assert!(server.diagnostics.total() > 0, "{path}");
    let salvaged = reading(&bytes, View::Salvage);
    let kept = |reading: &Reading| reading.leases().map(|lease| lease.address).collect::<Vec<_>>();
    let (server, salvaged) = (kept(&server), kept(&salvaged));
    assert!(server.iter().all(|address| salvaged.contains(address)), "{path}");
    // Every address with a complete declaration is kept.
    let text = String::from_utf8_lossy(&bytes).into_owned();
    for record in text.split("\nlease ").skip(1) {
        if record.contains("\n}") && !record.contains("lease ") && record.contains("binding state")
        {
            let address = record.split(' ').next().expect("an address").parse().expect("IPv4");
            assert!(salvaged.contains(&address), "{path}: {address}\n{record}");
        }
    }
}

/// Returns the files of an archive of generations, in order.
fn generations(path: &str) -> Vec<(String, Vec<u8>)> {
    const BLOCK: usize = 512;
    let packed = std::fs::read(data("dhcpd-journals").join(path)).expect("the archive is there");
    let tar = unpack(&packed);
    let mut files = BTreeMap::new();
    let mut at = 0;
    while at + BLOCK <= tar.len() && tar[at] != 0 {
        let field = |from: usize, to: usize| {
            String::from_utf8_lossy(&tar[at + from..at + to]).trim_matches(['\0', ' ']).to_owned()
        };
        let size = usize::from_str_radix(&field(124, 135), 8).expect("an octal size");
        let start = at + BLOCK;
        if tar[at + 156] == b'0' {
            files.insert(field(0, 100), tar[start..start + size].to_vec());
        }
        at = start + size.div_ceil(BLOCK) * BLOCK;
    }
    files.into_iter().collect()
}

/// Reverses the order of the declarations, so that the first one of each address counts.
fn reversed(bytes: &[u8]) -> Vec<u8> {
    let text: Vec<char> = bytes.iter().map(|&byte| char::from(byte)).collect();
    let text: String = text.into_iter().collect();
    let mut records: Vec<&str> = text.split("\nlease ").skip(1).collect();
    records.reverse();
    let text = format!("\nlease {}\n", records.join("\n\nlease "));
    text.chars().map(|c| c as u8).collect()
}

fn by_address(reading: &Reading) -> BTreeMap<String, String> {
    reading.leases().map(|lease| (lease.address.to_string(), lease_to_json(&lease))).collect()
}

/// Compares two leases without `cltt`. A renewal that the server answers from its cache changes `cltt` in memory, and is
/// written only by the next rewrite.
fn is_equal_but_for_cltt(before: &str, after: &str) -> bool {
    let split = |text: &str| {
        let mut value: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let cltt = value["cltt"].take();
        (value, cltt.as_i64())
    };
    let ((before, then), (after, now)) = (split(before), split(after));
    before == after && then <= now
}

#[rstest]
#[case("small/gens.tar.xz", 6)]
#[case("medium/gens.tar.xz", 20)]
#[case("medium2/gens.tar.xz", 10)]
fn the_leases_of_a_generation_are_the_first_records_of_the_next_one(
    #[case] path: &str,
    #[case] at_least: usize,
) {
    let generations = generations(path);
    assert!(generations.len() >= at_least, "{path}: {}", generations.len());
    for pair in generations.windows(2) {
        let (name, before) = &pair[0];
        // The server writes neither names that it cannot print nor free leases without a client.
        let meaning = by_address(&reading(before, View::Dhcpd));
        let head = by_address(&reading(&reversed(&pair[1].1), View::Dhcpd));
        assert!(!meaning.is_empty());
        for (address, lease) in &meaning {
            let next = head.get(address).unwrap_or_else(|| panic!("{path} {name}: no {address}"));
            assert!(
                is_equal_but_for_cltt(lease, next),
                "{path} {name}: {address}\n{lease}\n{next}"
            );
        }
    }
}

/// Returns the associations whose addresses are in use, by kind and identifier.
fn by_association(reading: &Reading) -> BTreeMap<String, String> {
    reading
        .ias()
        .filter(|ia| {
            ia.addresses
                .iter()
                .all(|held| matches!(held.state, BindingState::Active | BindingState::Abandoned))
        })
        .map(|ia| (format!("{:?} {:?}", ia.kind, ia.id), ia_to_json(ia)))
        .collect()
}

#[test]
fn the_associations_of_a_generation_are_the_first_records_of_the_next_one() {
    let generations = generations("v6/gens.tar.xz");
    assert!(generations.len() >= 5);
    let mut compared = 0;
    for pair in generations.windows(2) {
        let (name, before) = &pair[0];
        let meaning = by_association(&reading(before, View::Text));
        let next: String = pair[1].1.iter().map(|&byte| char::from(byte)).collect();
        let mut blocks: Vec<&str> = next.split("\nia-").collect();
        blocks[1..].reverse();
        let next: Vec<u8> = blocks.join("\nia-").chars().map(|c| c as u8).collect();
        let head = by_association(&reading(&next, View::Text));
        for (key, ia) in &meaning {
            compared += 1;
            let next = head.get(key).unwrap_or_else(|| panic!("{name}: {ia} is gone"));
            assert!(is_equal_but_for_cltt(ia, next), "{name}\n{ia}\n{next}");
        }
    }
    assert!(compared > 100, "{compared}");
}
