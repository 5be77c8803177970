//! Every piece of unsafe code is listed in docs/unsafe.md, and every listed piece exists.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use syn::visit::Visit;

use super::root;

/// A function of a file: `folder/file.rs` and `function`.
type Place = (String, String);

/// Counts the `unsafe` blocks, functions and implementations of a file.
struct Counter<'a> {
    file: &'a str,
    /// The innermost function or implementation.
    place: String,
    found: &'a mut BTreeMap<Place, usize>,
}

impl Counter<'_> {
    fn count(&mut self) {
        *self.found.entry((self.file.to_owned(), self.place.clone())).or_default() += 1;
    }

    /// Visits a part of the file that has a name.
    fn inside(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.place, name);
        visit(self);
        self.place = outer;
    }
}

impl<'ast> Visit<'ast> for Counter<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.inside(item.sig.ident.to_string(), |inner| {
            if item.sig.unsafety.is_some() {
                inner.count();
            }
            syn::visit::visit_item_fn(inner, item);
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.inside(item.sig.ident.to_string(), |inner| {
            if item.sig.unsafety.is_some() {
                inner.count();
            }
            syn::visit::visit_impl_item_fn(inner, item);
        });
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if item.unsafety.is_some() {
            let (_, name, _) = item.trait_.as_ref().expect("only a trait is unsafe");
            let name = name.segments.last().expect("a name").ident.to_string();
            self.inside(name, |inner| {
                inner.count();
                syn::visit::visit_item_impl(inner, item);
            });
        } else {
            syn::visit::visit_item_impl(self, item);
        }
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.count();
        syn::visit::visit_expr_unsafe(self, block);
    }
}

fn count_in(folder: &Path, found: &mut BTreeMap<Place, usize>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            if !matches!(path.file_name().and_then(|name| name.to_str()), Some("target" | ".git")) {
                count_in(&path, found);
            }
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        if !text.contains("unsafe") {
            continue;
        }
        let file = path.strip_prefix(root()).expect("below the root").to_string_lossy();
        let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        Counter { file: &file, place: String::new(), found }.visit_file(&syntax);
    }
}

/// The rows of the table: `` | `file` | `function` | number | reason | test | ``.
fn documented() -> BTreeMap<Place, usize> {
    let text = fs::read_to_string(root().join("docs/unsafe.md")).expect("docs/unsafe.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        assert_eq!(cells.len(), 7, "{row}");
        assert!(cells[4..6].iter().all(|cell| !cell.is_empty()), "no reason or no test: {row}");
        let count = cells[3].parse().unwrap_or_else(|error| panic!("{row}: {error}"));
        ((cells[1].to_owned(), cells[2].to_owned()), count)
    })
    .collect()
}

#[test]
fn every_unsafe_block_is_documented() {
    let mut found = BTreeMap::new();
    count_in(&root(), &mut found);
    assert_eq!(found, documented(), "left: the sources; right: docs/unsafe.md");
}

#[test]
fn every_test_that_docs_unsafe_names_exists() {
    let text = fs::read_to_string(root().join("docs/unsafe.md")).expect("docs/unsafe.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    for row in rows {
        let tests = row.split('|').nth(5).expect("a column for tests");
        for test in tests.split('`').skip(1).step_by(2) {
            let (file, name) = test.split_once("::").expect("`FILE::TEST`");
            let source = fs::read_to_string(root().join(file));
            let source = source.unwrap_or_else(|error| panic!("{test}: {error}"));
            assert!(source.contains(&format!("fn {name}(")), "{test} does not exist");
        }
    }
}
