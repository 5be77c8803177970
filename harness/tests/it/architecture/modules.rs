//! The modules of a crate and which of them use which, read from the source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// A module's path below the crate, `[]` for the crate root.
pub(super) type ModulePath = Vec<String>;

/// One source file.
#[derive(Default)]
struct Module {
    /// Names that `use` declarations bring into the module, and where each comes from.
    imports: BTreeMap<String, Vec<String>>,
    /// Modules whose contents a glob brings in.
    globs: Vec<Vec<String>>,
    /// Paths that the module uses, without those that it only re-exports.
    uses: Vec<Vec<String>>,
    children: BTreeSet<String>,
}

/// The modules of one crate.
pub(super) struct Modules {
    modules: BTreeMap<ModulePath, Module>,
}

impl Modules {
    /// Reads a crate from its root file.
    pub(super) fn read(root: &Path) -> Self {
        let mut modules = Self { modules: BTreeMap::new() };
        let folder = root.parent().expect("a source file lies in a folder");
        modules.read_file(root, folder, Vec::new());
        modules
    }

    fn read_file(&mut self, file: &Path, folder: &Path, path: ModulePath) {
        let text =
            fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed =
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut module = Module::default();
        module.visit_file(&parsed);
        for child in &module.children {
            let place = child_folder(folder, &path, file);
            let flat = place.join(format!("{child}.rs"));
            let nested = place.join(child).join("mod.rs");
            let mut child_path = path.clone();
            child_path.push(child.clone());
            if flat.is_file() {
                self.read_file(&flat, &place, child_path);
            } else if nested.is_file() {
                self.read_file(&nested, &place.join(child), child_path);
            } else {
                panic!("{}: no file for module `{child}`", file.display());
            }
        }
        self.modules.insert(path, module);
    }

    /// For each module, the other modules of the crate that it uses.
    pub(super) fn edges(&self) -> BTreeMap<ModulePath, BTreeSet<ModulePath>> {
        let mut edges = BTreeMap::new();
        for (path, module) in &self.modules {
            let targets: BTreeSet<ModulePath> = module
                .uses
                .iter()
                .filter_map(|used| self.resolve(path, used, 0))
                .filter(|target| target != path)
                .collect();
            edges.insert(path.clone(), targets);
        }
        edges
    }

    /// The module that defines what a path names; `None` for what other crates define.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<ModulePath> {
        const MAX_DEPTH: usize = 16;
        if depth > MAX_DEPTH {
            return None;
        }
        let mut at = from.to_vec();
        let mut rest = path;
        let mut anchored = false;
        while let [first, others @ ..] = rest {
            match first.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                _ => break,
            }
            anchored = true;
            rest = others;
        }
        while let [first, others @ ..] = rest {
            let module = self.modules.get(&at)?;
            if module.children.contains(first) {
                at.push(first.clone());
                anchored = true;
                rest = others;
            } else if let Some(origin) = module.imports.get(first) {
                let whole: Vec<String> = origin.iter().chain(others).cloned().collect();
                if whole == path {
                    return None;
                }
                return self.resolve(&at, &whole, depth + 1);
            } else if let Some(found) = module.globs.iter().find_map(|glob| {
                let whole: Vec<String> = glob.iter().chain(rest).cloned().collect();
                self.resolve(&at, &whole, depth + 1)
            }) {
                return Some(found);
            } else {
                return anchored.then_some(at);
            }
        }
        Some(at)
    }
}

/// Where the files of a module's children lie.
fn child_folder(folder: &Path, path: &[String], file: &Path) -> PathBuf {
    let is_root = path.is_empty() || file.file_name().is_some_and(|name| name == "mod.rs");
    match path.last() {
        Some(name) if !is_root => folder.join(name),
        _ => folder.to_owned(),
    }
}

impl Visit<'_> for Module {
    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        if is_for_tests(&item.attrs) {
            return;
        }
        if item.content.is_none() {
            self.children.insert(item.ident.to_string());
        }
        visit::visit_item_mod(self, item);
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        let is_private = matches!(item.vis, syn::Visibility::Inherited);
        self.tree(&item.tree, &mut Vec::new(), is_private);
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let words: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if words.len() > 1 {
            self.uses.push(words);
        }
        visit::visit_path(self, path);
    }

    fn visit_item_fn(&mut self, item: &syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }
}

impl Module {
    fn tree(&mut self, tree: &syn::UseTree, prefix: &mut Vec<String>, is_private: bool) {
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.tree(&path.tree, prefix, is_private);
                prefix.pop();
            }
            syn::UseTree::Name(name) => self.import(&name.ident, &name.ident, prefix, is_private),
            syn::UseTree::Rename(name) => {
                self.import(&name.ident, &name.rename, prefix, is_private);
            }
            syn::UseTree::Glob(_) => {
                self.globs.push(prefix.clone());
                if is_private {
                    self.uses.push(prefix.clone());
                }
            }
            syn::UseTree::Group(group) => {
                for item in &group.items {
                    self.tree(item, prefix, is_private);
                }
            }
        }
    }

    fn import(
        &mut self,
        name: &syn::Ident,
        alias: &syn::Ident,
        prefix: &[String],
        is_private: bool,
    ) {
        let mut path = prefix.to_vec();
        let mut local = alias.to_string();
        if name == "self" {
            local = path.last().cloned().unwrap_or_default();
        } else {
            path.push(name.to_string());
        }
        if is_private {
            self.uses.push(path.clone());
        }
        self.imports.insert(local, path);
    }
}

/// Whether an item is compiled for tests only.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "test")
    })
}
