//! The scenarios that are embedded in the program.

use std::path::{Path, PathBuf};

use scenario::{Action, Case};

/// Begins the paths of embedded scenarios, for example `builtin:reboot/power-cut.toml`.
const PREFIX: &str = "builtin:";

/// Paths and texts of the embedded scenario files, in the order of their paths.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded_scenarios.rs"));

/// The folder of scenarios for commands that are given no path: `folder` in the working directory if it exists, otherwise
/// the embedded folder of this name. Of the folder `scenarios`, that is all embedded scenarios.
pub fn default_folder(folder: &str) -> PathBuf {
    let path = Path::new(folder);
    if path.is_dir() {
        return path.to_owned();
    }
    let inside = folder.strip_prefix("scenarios").unwrap_or(folder);
    PathBuf::from(format!("{PREFIX}{}", inside.trim_start_matches('/')))
}

/// The embedded file of a path or the files of an embedded folder, each with its text; `None` if the path does not begin
/// with `builtin:`.
pub fn files(path: &Path) -> Option<Vec<(PathBuf, &'static str)>> {
    let inside = path.to_str()?.strip_prefix(PREFIX)?.trim_end_matches('/');
    let is_inside = |name: &str| {
        let rest = name.strip_prefix(inside);
        rest.is_some_and(|rest| inside.is_empty() || rest.is_empty() || rest.starts_with('/'))
    };
    let files = FILES.iter().filter(|(name, _)| is_inside(name));
    Some(files.map(|(name, text)| (PathBuf::from(format!("{PREFIX}{name}")), *text)).collect())
}

/// A file that a case of an embedded scenario needs, and that is not embedded.
pub fn missing_file(case: &Case) -> Option<&str> {
    if !case.source.path.to_str()?.starts_with(PREFIX) {
        return None;
    }
    let program = case.scenario.script.program.get_ref();
    if !matches!(program.as_str(), "shell" | "rust" | "naive") {
        return Some(program);
    }
    if let Some(image) = &case.scenario.router.image {
        return Some(image.get_ref());
    }
    case.scenario.steps.iter().find_map(|step| match &step.get_ref().action {
        Action::Journal(journal) => Some(journal.path.get_ref().as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_file_a_folder_or_all() {
        let count = |path: &str| files(Path::new(path)).map(|files| files.len());
        assert_eq!(count("builtin:reboot/power-cut.toml"), Some(1));
        assert!(count("builtin:reboot").is_some_and(|count| count > 1));
        assert_eq!(count("builtin:reboot/"), count("builtin:reboot"));
        assert_eq!(count("builtin:"), Some(FILES.len()));
        assert_eq!(count("builtin:reb"), Some(0));
        assert_eq!(count("reboot"), None);
    }

    #[test]
    fn every_embedded_file_has_the_text_of_the_repository() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
        for (name, text) in FILES {
            let read = std::fs::read_to_string(folder.join(name)).expect("a scenario file");
            assert!(read == *text, "{name}");
        }
    }
}
