//! SHA-256 in hex.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

pub(super) fn hex_digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        _ = write!(hex, "{byte:02x}");
        hex
    })
}

pub(super) fn hex_digest_of_file(path: &Path) -> io::Result<String> {
    Ok(hex_digest(&fs::read(path)?))
}
