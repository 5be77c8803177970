//! Loads pages in headless Chromium. ci/test skips this file by name if Chromium is not installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lab_report::{Document, page};
use rstest::rstest;

const BEGIN: &str = include_str!("self-test-begin.js");
const END: &str = include_str!("self-test-end.js");

/// Returns the page of a report, with a script that uses all of its controls.
fn tested_page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let document = Document::read(&std::fs::read(path).expect("a report")).expect("a report");
    page(&document)
        .expect("a page")
        .replacen("<head>", &format!("<head><script>{BEGIN}</script>"), 1)
        .replacen("</body>", &format!("<script>{END}</script></body>"), 1)
}

fn chromium() -> PathBuf {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let candidates =
        std::env::split_paths(&folders).flat_map(|folder| names.map(|name| folder.join(name)));
    candidates.into_iter().find(|path| path.is_file()).expect("chromium in PATH")
}

/// Number of attempts to load a page. Headless Chromium sometimes hangs when it starts or ends.
const ATTEMPTS: usize = 4;

/// Returns the page after its scripts have run.
fn dump_dom(file: &Path, window: &str, folder: &Path) -> Output {
    for attempt in 0..ATTEMPTS {
        let output = Command::new("timeout")
            .args(["--kill-after=5", "120"])
            .arg(chromium())
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--dump-dom", "--virtual-time-budget=60000", "--enable-logging=stderr"])
            .arg(format!("--window-size={window}"))
            .arg(format!("--user-data-dir={}", folder.join(format!("profile-{attempt}")).display()))
            .arg(format!("file://{}", file.display()))
            .env("HOME", folder)
            .output()
            .expect("chromium runs");
        if output.status.success() {
            return output;
        }
    }
    panic!("chromium did not load the page in {ATTEMPTS} attempts");
}

#[rstest]
fn a_page_has_no_errors_and_works_with_the_keyboard_alone(
    #[values("run.json", "crash.json", "wear.json")] report: &str,
    #[values("1280,900", "390,800")] window: &str,
) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("page.html");
    std::fs::write(&file, tested_page(report)).expect("a file");
    let output = dump_dom(&file, window, folder.path());
    let log = String::from_utf8_lossy(&output.stderr);
    let messages: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert_eq!(messages, [] as [&str; 0]);
    let dom = String::from_utf8_lossy(&output.stdout);
    let result = dom.split_once("data-result=\"").and_then(|(_, rest)| rest.split_once('"'));
    let (result, _) = result.unwrap_or_else(|| panic!("no result: {log}"));
    let result: serde_json::Value =
        serde_json::from_str(&result.replace("&quot;", "\"")).expect("JSON");
    assert_eq!(result["errors"], serde_json::json!([]), "{result}");
    assert_eq!(result["failures"] == 0, report == "wear.json", "{result}");
}
