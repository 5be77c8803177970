//! Scenarios that are part of the executable.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

/// The prefix of their paths, for example `builtin:conformance/survives/power-cut.toml`.
const PREFIX: &str = "builtin:";

static CONFORMANCE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../scenarios/conformance");

/// The path among the scenarios of the executable that a path on the command line names, if it names one.
pub fn inside(path: &Path) -> Option<&Path> {
    path.to_str()?.strip_prefix(PREFIX).map(Path::new)
}

/// The scenarios of a file or folder, in the order of their paths: the path on the command line, and the text.
pub fn scenarios(inside: &Path) -> Vec<(PathBuf, &'static str)> {
    let mut files = Vec::new();
    collect(&CONFORMANCE, &mut files);
    files.retain(|(path, _)| path.starts_with(inside));
    files.sort();
    let named =
        |(path, text): (PathBuf, _)| (PathBuf::from(format!("{PREFIX}{}", path.display())), text);
    files.into_iter().map(named).collect()
}

fn collect(folder: &Dir<'static>, files: &mut Vec<(PathBuf, &'static str)>) {
    for file in folder.files() {
        if let Some(text) = file.contents_utf8() {
            files.push((Path::new("conformance").join(file.path()), text));
        }
    }
    for folder in folder.dirs() {
        collect(folder, files);
    }
}
