//! The files that a script call has changed, as lines of text.

use std::collections::BTreeSet;

use backend::RouterFiles;
use backend::process::{FileTree, Octets};

/// Maximum number of lines of one file.
const MAX_LINES: usize = 20;
/// Maximum number of bytes of one line.
const MAX_LINE: usize = 200;

/// The files that differ, each with its length and the beginning of its contents. Folders and links are left out.
pub(super) fn file_lines(before: &RouterFiles, after: &RouterFiles) -> Vec<String> {
    let mut lines = Vec::new();
    add_tree(&before.persistent, &after.persistent, &mut lines);
    add_tree(&before.ram, &after.ram, &mut lines);
    lines
}

fn add_tree(before: &FileTree, after: &FileTree, lines: &mut Vec<String>) {
    let contents = |tree: &FileTree, name: &Octets| {
        tree.0.get(name).and_then(|node| node.contents()).map(<[u8]>::to_vec)
    };
    let names: BTreeSet<&Octets> = before.0.keys().chain(after.0.keys()).collect();
    for name in names {
        let (old, new) = (contents(before, name), contents(after, name));
        if old == new {
            continue;
        }
        let path = name.0.escape_ascii();
        let Some(new) = new else {
            lines.push(format!("/{path}: removed"));
            continue;
        };
        lines.push(format!("/{path}: {} bytes", new.len()));
        let text: Vec<&[u8]> = new.trim_ascii_end().split(|byte| *byte == b'\n').collect();
        for line in text.iter().take(MAX_LINES).filter(|_| !new.is_empty()) {
            lines.push(format!("  {}", line[..line.len().min(MAX_LINE)].escape_ascii()));
        }
        if let Some(more @ 1..) = text.len().checked_sub(MAX_LINES) {
            lines.push(format!("  and {more} more lines"));
        }
    }
}
