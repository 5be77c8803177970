//! Files that runs write.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use predicates::prelude::*;

use crate::lab::Lab;

const FAILING: &str = "title = \"x\"\n[[step]]\nboot = {}\nexpect = { leases = 7 }\n";

#[test]
fn kept_folders_are_named_after_the_case_and_visible() {
    let lab = Lab::new();
    lab.write("stories/failing.toml", FAILING);
    for path in ["./stories/failing.toml", "stories/failing.toml"] {
        let words = ["run", path, "--target", "in-process", "--keep", "kept"];
        lab.command(&words).assert().code(1);
    }
    let entries = std::fs::read_dir(lab.path().join("kept")).expect("a folder");
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["stories_failing"]);
    assert!(lab.read("kept/stories_failing/scenario.toml").contains("leases = 7"));
}

#[test]
fn the_error_for_a_report_that_cannot_be_written_names_no_temporary_file() {
    let lab = Lab::new();
    lab.write("story.toml", FAILING);
    let folder = lab.path().join("locked");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::set_permissions(&folder, Permissions::from_mode(0o555)).expect("permissions");
    for path in ["locked/out.json", "/proc/out.json", "missing/out.json", "story.toml/out.json"] {
        let words = ["run", "story.toml", "--target", "in-process", "--json", path];
        let output = lab.command(&words).output().expect("leaselab runs");
        // The superuser can write to a folder without the write bit.
        if path == "locked/out.json" && output.status.code() == Some(1) {
            continue;
        }
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        let named = predicate::str::contains(path).and(predicate::str::contains(".tmp").not());
        assert!(named.eval(&message), "{message}");
    }
}
