//! Archives in the `newc` form that the kernel unpacks into its first root
//! (Documentation/driver-api/early-userspace/buffer-format.rst). Several may follow each other.

use std::collections::BTreeSet;

const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
const CHARACTER: u32 = 0o020_000;

/// An archive that grows.
#[derive(Debug, Default)]
pub(crate) struct Cpio {
    bytes: Vec<u8>,
    folders: BTreeSet<String>,
    inode: u32,
}

impl Cpio {
    /// A file; the folders above it come before it.
    pub(crate) fn file(&mut self, path: &str, mode: u32, data: &[u8]) {
        self.above(path);
        self.entry(path, REGULAR | mode, (0, 0), data);
    }

    /// A folder.
    pub(crate) fn folder(&mut self, path: &str) {
        self.above(path);
        if self.folders.insert(path.to_owned()) {
            self.entry(path, DIRECTORY | 0o755, (0, 0), &[]);
        }
    }

    /// A symbolic link.
    pub(crate) fn link(&mut self, path: &str, to: &str) {
        self.above(path);
        self.entry(path, LINK | 0o777, (0, 0), to.as_bytes());
    }

    /// A character device.
    pub(crate) fn device(&mut self, path: &str, major: u32, minor: u32) {
        self.above(path);
        self.entry(path, CHARACTER | 0o600, (major, minor), &[]);
    }

    /// The archive.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, (0, 0), &[]);
        self.bytes
    }

    fn above(&mut self, path: &str) {
        for (at, _) in path.match_indices('/') {
            if self.folders.insert(path[..at].to_owned()) {
                self.entry(&path[..at], DIRECTORY | 0o755, (0, 0), &[]);
            }
        }
    }

    fn entry(&mut self, name: &str, mode: u32, (major, minor): (u32, u32), data: &[u8]) {
        self.inode += 1;
        let length = name.len() as u32 + 1;
        let numbers =
            [self.inode, mode, 0, 0, 1, 0, data.len() as u32, 0, 0, major, minor, length, 0];
        self.bytes.extend_from_slice(b"070701");
        for number in numbers {
            self.bytes.extend_from_slice(format!("{number:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(data);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}
