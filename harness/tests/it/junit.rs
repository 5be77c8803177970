//! JUnit reports of every command that writes them: the elements and attributes that Maven Surefire's schema knows, which
//! Jenkins and GitLab read.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use rstest::rstest;
use std::collections::BTreeMap;

use crate::lab::{COMMITS_FIRST, Lab, TWO_CLIENTS};

/// An element with the attributes that it must and may have, and its children.
///
/// The schema has no `skipped` of `testsuites`, and no `file` and `line` of `testcase`. The readers of GitLab and of GitHub
/// actions use these, and the others ignore them.
struct Element {
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    children: &'static [&'static str],
}

const SCHEMA: [Element; 7] = [
    Element {
        name: "testsuites",
        required: &[],
        optional: &["name", "time", "tests", "failures", "errors", "skipped"],
        children: &["testsuite"],
    },
    Element {
        name: "testsuite",
        required: &["name", "tests", "failures", "errors"],
        optional: &["skipped", "time", "timestamp", "file"],
        children: &["testcase", "system-out", "system-err"],
    },
    Element {
        name: "testcase",
        required: &["name", "classname", "time", "file", "line"],
        optional: &[],
        children: &["skipped", "error", "failure", "system-out", "system-err"],
    },
    Element { name: "skipped", required: &[], optional: &["type", "message"], children: &[] },
    Element { name: "error", required: &["type", "message"], optional: &[], children: &[] },
    Element { name: "failure", required: &["type", "message"], optional: &[], children: &[] },
    Element { name: "system-err", required: &[], optional: &[], children: &[] },
];

/// Numbers of elements by name.
type Counts = BTreeMap<String, usize>;

/// Checks a report, and counts its elements.
fn check(text: &str) -> Counts {
    let is_xml = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert_eq!(text.chars().find(|c| !is_xml(*c)), None, "a character that XML does not allow");
    let mut reader = Reader::from_str(text);
    let mut open: Vec<String> = Vec::new();
    let mut counts = Counts::new();
    // What the suite that is open announces.
    let mut announced = BTreeMap::new();
    let mut before = Counts::new();
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(element) => {
                let (name, attributes) = check_element(&element, open.last());
                *counts.entry(name.clone()).or_default() += 1;
                if name == "testsuite" {
                    (announced, before) = (attributes, counts.clone());
                }
                open.push(name);
            }
            Event::Empty(element) => {
                let (name, _) = check_element(&element, open.last());
                *counts.entry(name).or_default() += 1;
            }
            Event::End(_) => {
                let name = open.pop().expect("an open element");
                let words = [
                    ("tests", "testcase"),
                    ("failures", "failure"),
                    ("errors", "error"),
                    ("skipped", "skipped"),
                ];
                for (attribute, element) in words.into_iter().filter(|_| name == "testsuite") {
                    let count = |counts: &Counts| counts.get(element).copied().unwrap_or(0);
                    let found = (count(&counts) - count(&before)).to_string();
                    assert_eq!(announced.get(attribute), Some(&found), "{attribute} of a suite");
                }
            }
            Event::Decl(_) | Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {}
            Event::Eof => break,
            other => panic!("{other:?} in a report"),
        }
    }
    assert_eq!(open, [""; 0], "all elements are closed");
    counts
}

/// Checks one element below another one. Returns its name and its attributes.
fn check_element(
    element: &BytesStart<'_>,
    parent: Option<&String>,
) -> (String, BTreeMap<String, String>) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let name = text(element.name().as_ref());
    let known = |name: &str| {
        let found = SCHEMA.iter().find(|known| known.name == name);
        found.unwrap_or_else(|| panic!("{name} is not in the schema"))
    };
    match parent {
        None => assert_eq!(name, "testsuites", "the root"),
        Some(parent) => assert!(known(parent).children.contains(&&*name), "{name} in {parent}"),
    }
    let attributes: BTreeMap<String, String> = element
        .attributes()
        .map(|attribute| attribute.expect("an attribute"))
        .map(|attribute| (text(attribute.key.as_ref()), text(&attribute.value)))
        .collect();
    let Element { required, optional, .. } = known(&name);
    for attribute in *required {
        assert!(attributes.contains_key(*attribute), "{name} lacks {attribute}");
    }
    for attribute in attributes.keys() {
        let attribute = attribute.as_str();
        assert!(
            required.contains(&attribute) || optional.contains(&attribute),
            "{attribute} of {name}"
        );
    }
    for count in ["tests", "failures", "errors", "skipped", "line"] {
        let value = attributes.get(count);
        assert!(
            value.is_none_or(|value| value.parse::<u32>().is_ok()),
            "{count} of {name}: {value:?}"
        );
    }
    if let Some(time) = attributes.get("time") {
        assert!(time.parse::<f64>().is_ok_and(|time| time >= 0.0), "time of {name}: {time}");
    }
    (name, attributes)
}

/// Writes what XML does not allow.
const HOSTILE: &str = r#"#!/bin/sh
printf '\033[31mred\033[0m \377\376 ]]> <script>alert(1)</script> \357\277\277 \001\n' >&2
[ "$1" = init ] && printf 'not \033[2J a <b>lease</b> & more\n'
exit 0
"#;

#[rstest]
#[case::run(&["run", "a <b> & \"c\".toml", "good.toml", "not.toml"], "failure")]
#[case::one_build(&["run", "a <b> & \"c\".toml", "good.toml", "--dialect", "broadcom"], "failure")]
#[case::crash(&["crash", "a <b> & \"c\".toml", "good.toml"], "failure")]
#[case::check(&["check", "hostile.sh", "--quick", "--rtc", "good", "--jobs", "2"], "failure")]
fn reports_follow_the_schema(#[case] words: &[&str], #[case] element: &str) {
    let lab = Lab::new();
    let quoted = TWO_CLIENTS.replace("& a power cut", r#"& \"a\" power cut"#);
    lab.write("a <b> & \"c\".toml", quoted)
        .write("good.toml", TWO_CLIENTS.replace("count = 2", "count = 1"))
        .write("not.toml", "title = \"x\"\n[router]\ndialect = \"vms\"\n[[step]]\nboot = {}\n")
        .write("hostile.sh", HOSTILE)
        .write("commits-first.sh", COMMITS_FIRST);
    let script: &[&str] = if words[0] == "check" { &[] } else { &["--script", "hostile.sh"] };
    lab.command(words).args(script).args(["--junit", "out.xml"]).assert().code(1);
    let counts = check(&lab.read("out.xml"));
    assert!(counts.contains_key(element), "{counts:?}");
    assert!(counts.contains_key("system-err") || words[0] == "crash", "{counts:?}");
}
