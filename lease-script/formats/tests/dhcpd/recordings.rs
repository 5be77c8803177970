//! Finds recordings and unpacks them.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lease_formats::dhcpd::Config;
use lzma_rust2::XzReader;

/// Returns the path of a file or folder below `tests/data`.
pub(super) fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

/// Returns the contents of a file, which may be stored as `path` or as `path.xz`.
pub(super) fn read(path: &Path) -> Vec<u8> {
    if let Ok(bytes) = fs::read(path) {
        return bytes;
    }
    let packed = fs::read(format!("{}.xz", path.display()))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    unpack(&packed)
}

/// Unpacks a `.xz` file.
pub(super) fn unpack(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    XzReader::new(packed, true).read_to_end(&mut bytes).expect("recordings are complete");
    bytes
}

/// Returns a configuration of the corpus.
pub(super) fn config(name: &str) -> Arc<Config> {
    Arc::new(Config::parse(&read(&data("dhcpd-corpus-conf").join(name))))
}

/// Returns the cases of the corpus: the name, the file, and the expected results.
pub(super) fn cases() -> Vec<(String, Vec<u8>, serde_json::Value)> {
    let mut folders: Vec<PathBuf> = fs::read_dir(data("dhcpd-corpus"))
        .expect("the corpus is there")
        .map(|entry| entry.expect("readable").path())
        .collect();
    folders.sort();
    folders
        .into_iter()
        .map(|folder| {
            let name = folder.file_name().expect("named").to_string_lossy().into_owned();
            let expected = serde_json::from_slice(&read(&folder.join("expected.json")))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, read(&folder.join("dhcpd.leases")), expected)
        })
        .collect()
}

/// Returns the number of cases of a test: `short`, or `long` with `LEASELAB_LONG_TESTS` in the environment.
pub(crate) fn cases_of(short: usize, long: usize) -> usize {
    if std::env::var_os("LEASELAB_LONG_TESTS").is_some() { long } else { short }
}
