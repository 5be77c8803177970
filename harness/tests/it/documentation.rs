//! The documentation: its links, and the list of its pages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository")
}

/// The Markdown files of a folder, build output left out.
fn pages(root: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages
}

/// The text of an anchor that GitHub and mdBook make of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The links and the anchors of a page.
fn links_and_anchors(text: &str) -> (Vec<String>, BTreeSet<String>) {
    let (mut links, mut anchors) = (Vec::new(), BTreeSet::new());
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                links.push(dest_url.to_string());
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                anchors.extend(heading.take().map(|text| anchor(&text)));
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    (links, anchors)
}

#[test]
fn every_link_of_the_documentation_leads_to_a_file_and_a_heading() {
    let root = root();
    let pages: BTreeMap<PathBuf, (Vec<String>, BTreeSet<String>)> = pages(&root)
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a page");
            (path, links_and_anchors(&text))
        })
        .collect();
    assert!(pages.len() > 10, "{pages:?}");
    let mut broken = Vec::new();
    for (page, (links, _)) in &pages {
        for link in links.iter().filter(|link| !link.contains("://")) {
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => Ok(page.clone()),
                file => page.with_file_name("").join(file).canonicalize(),
            };
            // mdBook renders `docs/` alone.
            let book = root.join("docs");
            let leads_there = target.is_ok_and(|target| {
                let is_rendered = !page.starts_with(&book) || target.starts_with(&book);
                let has_anchor =
                    || pages.get(&target).is_some_and(|(_, anchors)| anchors.contains(fragment));
                is_rendered && (fragment.is_empty() || has_anchor())
            });
            if !leads_there {
                let page = page.strip_prefix(&root).expect("a page below the root");
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn the_summary_of_the_book_lists_every_page_once() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).expect("a summary");
    let (links, _) = links_and_anchors(&summary);
    let mut listed: Vec<PathBuf> = links.iter().map(|link| docs.join(link)).collect();
    listed.sort();
    let mut pages = pages(&docs);
    pages.retain(|page| !page.ends_with("SUMMARY.md"));
    pages.sort();
    assert_eq!(listed, pages);
}

#[test]
fn the_readme_is_short() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a README");
    let lines = readme.lines().count();
    assert!(lines <= 150, "{lines} lines; what does not fit belongs to docs/");
}

#[test]
fn the_reference_of_the_command_line_is_up_to_date() {
    let output =
        crate::lab::Lab::new().command(&["man", "--markdown"]).output().expect("help texts");
    let page = fs::read_to_string(root().join("docs/cli.md")).expect("a page");
    assert!(
        page == String::from_utf8_lossy(&output.stdout),
        "docs/cli.md is stale: write it with `leaselab man --markdown > docs/cli.md`"
    );
}
