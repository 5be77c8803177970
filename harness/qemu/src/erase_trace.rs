//! QEMU's trace of the erases of a flash chip.
//!
//! QEMU's flash device writes a line for each block that it is told to erase (trace event `pflash_write_block_erase` of
//! hw/block/pflash_cfi01.c), independently of the software in the guest.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The trace event, as QEMU's command line names it.
pub(super) const EVENT: &str = "pflash_write_block_erase";

/// The trace of one flash chip, which is read while it grows.
#[derive(Clone, Debug)]
pub(super) struct EraseTrace {
    path: PathBuf,
    /// Bytes that were read.
    read: u64,
    /// Offset of the partition in the chip.
    start: u64,
    /// Bytes of the partition.
    size: u64,
}

/// An erase of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Erase {
    /// At this offset in the partition.
    InPartition(u64),
    /// At this offset in the chip, outside of the partition.
    Outside(u64),
}

impl EraseTrace {
    /// The trace in a file, of a chip with a partition of `size` bytes at `start`.
    pub(super) fn new(path: &Path, start: u64, size: u64) -> Self {
        Self { path: path.to_owned(), read: 0, start, size }
    }

    /// The erases since the last call, in their order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn read_new(&mut self) -> io::Result<Vec<Erase>> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        file.seek(SeekFrom::Start(self.read))?;
        let mut erases = Vec::new();
        let mut reader = BufReader::new(file);
        let mut line = String::new();
        loop {
            line.clear();
            let length = reader.read_line(&mut line)?;
            if !line.ends_with('\n') {
                return Ok(erases);
            }
            self.read += length as u64;
            if let Some(offset) = parse_offset(&line) {
                let is_inside = (self.start..self.start + self.size).contains(&offset);
                erases.push(if is_inside {
                    Erase::InPartition(offset - self.start)
                } else {
                    Erase::Outside(offset)
                });
            }
        }
    }
}

/// The offset in a line of the trace.
fn parse_offset(line: &str) -> Option<u64> {
    let digits = line.split("offset:0x").nth(1)?;
    let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    u64::from_str_radix(&digits[..end], 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "pflash_write_block_erase system.flash1: block erase offset:0x3f0000 bytes:0x1000\n",
        Some(0x3f_0000)
    )]
    #[case("pflash_write_block_erase system.flash1: something else\n", None)]
    fn only_lines_with_an_offset_are_erases(#[case] line: &str, #[case] wanted: Option<u64>) {
        assert_eq!(parse_offset(line), wanted);
    }

    #[test]
    fn only_complete_new_lines_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("trace");
        let mut trace = EraseTrace::new(&path, 0x100, 0x100);
        assert_eq!(trace.read_new().expect("no file yet"), []);
        std::fs::write(&path, "x offset:0x100 \nx offset:0x200 \nx offset:0x18").expect("a trace");
        let erases = [Erase::InPartition(0), Erase::Outside(0x200)];
        assert_eq!(trace.read_new().expect("two erases"), erases);
        let complete = "x offset:0x100 \nx offset:0x200 \nx offset:0x180 \n";
        std::fs::write(&path, complete).expect("a trace");
        assert_eq!(trace.read_new().expect("one erase"), [Erase::InPartition(0x80)]);
    }
}
