//! The rules of deny.toml that need no list of advisories: licences, sources, and crates in more than one version.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::iter::Peekable;
use std::process::Command;

use serde_json::Value;

use super::root;

/// The packages of Cargo.lock that are compiled for this platform, tests included.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON of cargo");
    let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes");
    let compiled: BTreeSet<&str> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
    let packages = metadata["packages"].as_array().expect("packages").iter();
    packages
        .filter(|package| package["id"].as_str().is_some_and(|id| compiled.contains(id)))
        .cloned()
        .collect()
}

fn rules() -> toml::Table {
    let text = fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    text.parse().expect("TOML")
}

/// Whether the licences of an SPDX expression, such as `(MIT OR Apache-2.0) AND Unicode-3.0`, are allowed.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', "( ").replace(')', " )");
    any_of(&mut spaced.split_whitespace().peekable(), allowed)
}

fn any_of<'a>(words: &mut Peekable<impl Iterator<Item = &'a str>>, allowed: &[&str]) -> bool {
    let mut any = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        any |= all_of(words, allowed);
    }
    any
}

fn all_of<'a>(words: &mut Peekable<impl Iterator<Item = &'a str>>, allowed: &[&str]) -> bool {
    let mut all = one_of(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        all &= one_of(words, allowed);
    }
    all
}

fn one_of<'a>(words: &mut Peekable<impl Iterator<Item = &'a str>>, allowed: &[&str]) -> bool {
    let word = words.next().unwrap_or_default();
    if word == "(" {
        let any = any_of(words, allowed);
        words.next();
        return any;
    }
    if words.next_if_eq(&"WITH").is_none() {
        return allowed.contains(&word);
    }
    allowed.contains(&&*format!("{word} WITH {}", words.next().unwrap_or_default()))
}

#[test]
fn licences_and_sources_of_dependencies_are_allowed() {
    let rules = rules();
    let texts = |table: &str, key: &str| -> Vec<String> {
        let values = rules[table][key].as_array().expect("a list");
        values.iter().map(|value| value.as_str().expect("a text").to_owned()).collect()
    };
    let (licences, registries) = (texts("licenses", "allow"), texts("sources", "allow-registry"));
    let licences: Vec<&str> = licences.iter().map(String::as_str).collect();
    for package in packages() {
        let (name, licence) = (&package["name"], package["license"].as_str().unwrap_or_default());
        assert!(is_allowed(licence, &licences), "{name}: {licence:?} is not allowed by deny.toml");
        // The crates of the workspace have no source.
        if let Some(source) = package["source"].as_str() {
            let registry = source.strip_prefix("registry+").unwrap_or(source);
            assert!(registries.iter().any(|allowed| allowed == registry), "{name}: {source}");
        }
    }
    assert!(!is_allowed("GPL-3.0-only", &licences));
    assert!(!is_allowed("(MIT OR GPL-3.0-only) AND GPL-2.0-only", &licences));
}

#[test]
fn dependencies_in_two_versions_are_listed_with_their_reason() {
    let rules = rules();
    let skipped: Vec<(&str, &str)> = rules["bans"]["skip"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|skip| {
            skip["crate"].as_str().and_then(|text| text.split_once('@')).expect("NAME@VERSION")
        })
        .collect();
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        let text = |key: &str| package[key].as_str().expect("a text").to_owned();
        versions.entry(text("name")).or_default().insert(text("version"));
    }
    let is = |version: &str, wanted: &str| {
        version.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    for (name, wanted) in &skipped {
        let known = versions.get(*name).is_some_and(|all| all.iter().any(|v| is(v, wanted)));
        assert!(known, "deny.toml lists {name}@{wanted}, which nothing depends on any more");
    }
    for (name, mut versions) in versions {
        versions.retain(|version| !skipped.iter().any(|(skip, v)| *skip == name && is(version, v)));
        assert!(versions.len() <= 1, "{name} is compiled in the versions {versions:?}");
    }
}
