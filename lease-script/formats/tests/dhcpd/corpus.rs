//! Compares every view with the 99 cases of the corpus, which were recorded with dhcpd 4.4.3-P1.

use lease_formats::dhcpd::{Options, Reading, View, read_bytes};
use serde_json::Value;

use super::recordings::{cases, config};

fn json(reading: &Reading) -> Value {
    let mut out = Vec::new();
    reading.write_json(&mut out).expect("memory does not fail");
    serde_json::from_slice(&out).expect("the output is JSON")
}

/// Returns the differences for each key, as a readable message.
fn difference(name: &str, got: &Value, wanted: &Value) -> Option<String> {
    if got == wanted {
        return None;
    }
    let (Some(got), Some(wanted)) = (got.as_object(), wanted.as_object()) else {
        return Some(format!("{name}:\n  got    {got}\n  wanted {wanted}"));
    };
    let mut keys: Vec<&String> = got.keys().chain(wanted.keys()).collect();
    keys.sort();
    keys.dedup();
    let lines: Vec<String> = keys
        .into_iter()
        .filter(|key| got.get(*key) != wanted.get(*key))
        .take(4)
        .map(|key| {
            let shown = |side: Option<&Value>| side.map_or("-".to_owned(), Value::to_string);
            format!(
                "  {key}\n    got    {}\n    wanted {}",
                shown(got.get(key)),
                shown(wanted.get(key))
            )
        })
        .collect();
    Some(format!("{name}:\n{}", lines.join("\n")))
}

fn options(view: View, expected: &Value) -> Options {
    let now = expected["now_epoch"].as_i64().expect("a clock");
    let mut options = Options::new(view, now);
    options.config = Some(config(expected["conf"].as_str().expect("a configuration")));
    options
}

fn all_equal(check: impl Fn(&str, &[u8], &Value) -> Option<String>) {
    let cases = cases();
    assert_eq!(cases.len(), 99);
    let wrong: Vec<String> =
        cases.iter().filter_map(|(name, file, expected)| check(name, file, expected)).collect();
    assert!(wrong.is_empty(), "{} of 99 differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_server_view_equals_the_leases_after_a_restart() {
    all_equal(|name, file, expected| {
        let mut with_fast_path = options(View::Dhcpd, expected);
        with_fast_path.fast_path_from = 0;
        let got = json(&read_bytes(file, &options(View::Dhcpd, expected)));
        let short = json(&read_bytes(file, &with_fast_path));
        if got != short {
            return Some(format!("{name}: the fast path reads something different"));
        }
        let leases = expected.get("leases_after_restart");
        let ias = expected.get("ias_after_restart");
        difference(name, &got["verdict"], &expected["dhcpd"]["verdict"])
            .or_else(|| difference(name, &got["leases"], leases?))
            .or_else(|| difference(name, &got["ias"], ias?))
    });
}

#[test]
fn diagnostics_equal_the_log_of_the_server() {
    all_equal(|name, file, expected| {
        let reading = read_bytes(file, &options(View::Dhcpd, expected));
        let log: Vec<String> = reading
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.logged)
            .map(|diagnostic| {
                let message = &diagnostic.message;
                if message.starts_with("Corrupt") || message.ends_with("no subnet.") {
                    message.clone()
                } else {
                    format!("LEASES line {}: {message}", diagnostic.location.line)
                }
            })
            .collect();
        let wanted: Vec<&str> = expected["dhcpd"]["log"]
            .as_array()
            .expect("a log")
            .iter()
            .map(|line| line.as_str().expect("text"))
            .collect();
        let count = expected["dhcpd"]["warnings"].as_u64();
        let same = log.iter().zip(&wanted).all(|(got, wanted)| got == wanted)
            && log.len() >= wanted.len()
            && Some(reading.diagnostics.logged()) == count;
        (!same).then(|| format!("{name}: {count:?}\n  got    {log:#?}\n  wanted {wanted:#?}"))
    });
}

#[test]
fn the_text_view_has_the_last_accepted_declaration_of_each_address() {
    all_equal(|name, file, expected| {
        // The model that generated the expectations has no result for one case.
        let wanted = expected.get("leases_in_text")?;
        if wanted.is_null() && expected["dhcpd"]["exit"] == 0 {
            return None;
        }
        let reading = read_bytes(file, &options(View::Text, expected));
        let counts = &expected["text_parse"];
        difference(name, &json(&reading)["leases"], wanted).or_else(|| {
            (!wanted.is_null())
                .then(|| {
                    difference(
                        &format!("{name}: counts"),
                        &serde_json::json!([
                            reading.counts.declarations,
                            reading.counts.rejected,
                            reading.counts.corrupt
                        ]),
                        &serde_json::json!([
                            counts["declarations"],
                            counts["rejected"],
                            counts["corrupt_top_level"]
                        ]),
                    )
                })
                .flatten()
        })
    });
}

/// Compares the lease of an address with `ideal_recovery` of the recordings.
fn equals_ideal_recovery(
    words: &str,
    address: &str,
    got: Option<&Value>,
    file: &[u8],
    expected: &Value,
) -> bool {
    let Some(got) = got else { return false };
    // Reads each declaration of the address separately.
    let text = String::from_utf8_lossy(file).into_owned();
    let head = format!("lease {address} {{");
    let alone = |number: usize| {
        let start = text.match_indices(&head).nth(number)?.0;
        let rest = &text[start + 1..];
        let end = rest
            .find("lease ")
            .unwrap_or(rest.len())
            .min(rest.find("}\n").map_or(rest.len(), |at| at + 2));
        let mut record = text[start..start + 1 + end].trim_end().to_owned();
        if !record.ends_with('}') {
            record.push_str("\n}\n");
        }
        let lines: Vec<&str> = record.lines().filter(|line| !line.trim().is_empty()).collect();
        let record = lines.join("\n");
        Some(
            json(&read_bytes(record.as_bytes(), &options(View::Salvage, expected)))["leases"]
                [address]
                .clone(),
        )
    };
    match words {
        "the complete first declaration" | "first declaration" => alone(0).as_ref() == Some(got),
        "kept" | "unchanged" | "kept without the statement" => {
            got["state"] == "active"
                && got["hardware"].is_string()
                && got["hostname"].is_string()
                && got["ends"].is_number()
                && alone(0).as_ref() == Some(got)
        }
        other => panic!("unknown words: {other}"),
    }
}

#[test]
fn the_salvage_view_equals_the_ideal_recovery() {
    let mut checked = 0;
    let mut wrong = Vec::new();
    for (name, file, expected) in cases() {
        let Some(ideal) = expected.get("ideal_recovery") else { continue };
        let got = json(&read_bytes(&file, &options(View::Salvage, &expected)));
        for (address, words) in ideal.as_object().expect("by address") {
            checked += 1;
            let words = words.as_str().expect("words");
            let lease = got["leases"].get(address);
            if !equals_ideal_recovery(words, address, lease, &file, &expected) {
                wrong.push(format!("{name} {address}: {words}\n  got {lease:?}"));
            }
        }
    }
    assert!(checked > 30, "{checked} addresses");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Replaces calendar dates from 2038 on, which only the salvage view keeps, with `never`, as dhcpd reads them.
fn read_far_dates_as_never(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for key in ["starts", "ends", "tstp", "tsfp", "atsfp", "cltt"] {
                let date = object.get(key).and_then(Value::as_i64);
                if date.is_some_and(|date| date >= 2_145_916_800) {
                    object[key] = "never".into();
                }
            }
            object.values_mut().for_each(read_far_dates_as_never);
        }
        Value::Array(list) => list.iter_mut().for_each(read_far_dates_as_never),
        _ => {}
    }
}

#[test]
fn the_salvage_and_text_views_agree_on_undamaged_files() {
    all_equal(|name, file, expected| {
        if expected["category"] == "damage" || expected["dhcpd"]["verdict"] != "clean" {
            return None;
        }
        let mut salvaged = json(&read_bytes(file, &options(View::Salvage, expected)));
        let mut text = json(&read_bytes(file, &options(View::Text, expected)));
        read_far_dates_as_never(&mut salvaged);
        read_far_dates_as_never(&mut text);
        difference(name, &salvaged["leases"], &text["leases"])
            .or_else(|| difference(name, &salvaged["verdict"], &"clean".into()))
    });
}
