//! Erases as the machine saw them, beside what the lab counts for the same commands.
//!
//! QEMU's flash device writes a line for each block that it is told to erase (trace event
//! `pflash_write_block_erase` of hw/block/pflash_cfi01.c): nothing that runs in the guest has a say in it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use nvram_emu::Machine;
use nvram_emu::device::{Op, OpKind};

/// The trace event, as QEMU's command line names it.
pub(super) const EVENT: &str = "pflash_write_block_erase";

/// QEMU's trace of one flash chip, read as it grows.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    path: PathBuf,
    read: u64,
    /// Where the partition begins in the chip.
    start: u64,
    size: u64,
}

impl Trace {
    /// The trace in a file, of a partition of `size` bytes from `start`.
    pub(super) fn new(path: &Path, start: u64, size: u64) -> Self {
        Self { path: path.to_owned(), read: 0, start, size }
    }

    /// The erases since it was last asked: offsets in the partition, in their order. `Err` holds an erase outside
    /// of it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn take(&mut self) -> io::Result<Vec<Result<u64, u64>>> {
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
            if let Some(offset) = offset(&line) {
                let inside = (self.start..self.start + self.size).contains(&offset);
                erases.push(if inside { Ok(offset - self.start) } else { Err(offset) });
            }
        }
    }
}

/// The offset in a line of the trace.
fn offset(line: &str) -> Option<u64> {
    let digits = line.split("offset:0x").nth(1)?;
    let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    u64::from_str_radix(&digits[..end], 16).ok()
}

/// Erases by block.
pub(super) type Blocks = BTreeMap<u64, u64>;

/// Both counts of one router, from its first boot on.
#[derive(Clone, Debug)]
pub struct EraseAudit {
    erase: u64,
    /// The lab's own router, which runs the same commands.
    mirror: Machine,
    seen: Blocks,
    counted: Blocks,
    commits: u64,
    /// How the two differ, in words.
    complaints: Vec<String>,
}

impl EraseAudit {
    /// Nothing has happened yet.
    pub(super) fn new(machine: &Machine) -> Self {
        Self {
            erase: u64::from(machine.flash().geometry().erase_block),
            mirror: machine.clone(),
            seen: Blocks::new(),
            counted: Blocks::new(),
            commits: 0,
            complaints: Vec::new(),
        }
    }

    /// Commands have run in the guest, and the machine saw these erases meanwhile. `whole`: all of them came to
    /// their end; else power went in the last one.
    pub(super) fn enter<'c>(
        &mut self,
        commands: impl Iterator<Item = &'c [Vec<u8>]>,
        seen: &[Result<u64, u64>],
        whole: bool,
    ) {
        let mut foretold: Vec<u64> = Vec::new();
        for command in commands {
            let words: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
            self.mirror.run(&words);
            let ops = self.mirror.take_ops();
            self.commits += u64::from(!ops.is_empty());
            foretold.extend(erased(&ops));
        }
        let mut inside = Vec::new();
        for erase in seen {
            match erase {
                Ok(offset) => inside.push(*offset),
                Err(offset) => {
                    let text =
                        format!("the machine erased at {offset:#x}, outside of the partition");
                    self.complaints.push(text);
                }
            }
        }
        let blocks = |offsets: &[u64]| -> Vec<u64> {
            offsets.iter().map(|offset| offset / self.erase).collect()
        };
        let (seen, mut foretold) = (blocks(&inside), blocks(&foretold));
        if !whole {
            foretold.truncate(seen.len());
        }
        if seen != foretold {
            let text =
                format!("the machine erased the blocks {seen:?}, the lab counts {foretold:?}");
            self.complaints.push(text);
        }
        for block in seen {
            *self.seen.entry(block).or_default() += 1;
        }
        for block in foretold {
            *self.counted.entry(block).or_default() += 1;
        }
    }

    /// Power went, or flash was damaged: the lab's router holds from now on what the flash holds.
    pub(super) fn reboot(&mut self, flash: &[u8]) {
        if let Some(mirror) = self.mirror.with_contents(flash, None) {
            self.mirror = mirror;
        }
    }

    /// Whether flash in the guest and in the lab hold the same bytes.
    pub(super) fn compare(&mut self, flash: &[u8]) {
        let own = self.mirror.flash_bytes();
        if let Some(at) = (0..own.len().max(flash.len())).find(|at| own.get(*at) != flash.get(*at))
        {
            let text = format!("the flash differs from the lab's from byte {at} on");
            self.complaints.push(text);
            self.reboot(flash);
        }
    }

    /// How the two differ.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// Adds another router's counts.
    pub fn add(&mut self, other: &Self) {
        for (sum, part) in [(&mut self.seen, &other.seen), (&mut self.counted, &other.counted)] {
            for (block, count) in part {
                *sum.entry(*block).or_default() += count;
            }
        }
        self.commits += other.commits;
        self.complaints.extend(other.complaints.iter().cloned());
    }

    /// Commits that touched the flash.
    pub fn commits(&self) -> u64 {
        self.commits
    }
}

fn erased(ops: &[Op]) -> impl Iterator<Item = u64> {
    ops.iter().filter(|op| op.kind == OpKind::Erase).map(|op| u64::from(op.offset))
}

/// The table: neighbouring blocks with equal counts on one line.
impl fmt::Display for EraseAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let block = self.erase / 1024;
        let size = format!("block ({block} KiB)");
        writeln!(f, "{size:<16} {:>16} {:>16}", "QEMU saw", "leaselab counts")?;
        let keys: std::collections::BTreeSet<u64> =
            self.seen.keys().chain(self.counted.keys()).copied().collect();
        let count = |blocks: &Blocks, at: u64| blocks.get(&at).copied().unwrap_or(0);
        let mut rows: Vec<(u64, u64, u64, u64)> = Vec::new();
        for key in keys {
            let (seen, counted) = (count(&self.seen, key), count(&self.counted, key));
            match rows.last_mut() {
                Some((_, last, s, c)) if *last + 1 == key && (*s, *c) == (seen, counted) => {
                    *last = key;
                }
                _ => rows.push((key, key, seen, counted)),
            }
        }
        for (first, last, seen, counted) in rows {
            let name =
                if first == last { first.to_string() } else { format!("{first} to {last}, each") };
            let mark = if seen == counted { "" } else { "   DIFFERS" };
            writeln!(f, "{name:<16} {seen:>16} {counted:>16}{mark}")?;
        }
        let sum = |blocks: &Blocks| blocks.values().sum::<u64>();
        let (seen, counted) = (sum(&self.seen), sum(&self.counted));
        let verdict = if self.complaints.is_empty() { "equal" } else { "NOT EQUAL" };
        writeln!(f, "{:<16} {seen:>16} {counted:>16}   {verdict}", "all")
    }
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
    fn lines_of_the_trace(#[case] line: &str, #[case] wanted: Option<u64>) {
        assert_eq!(offset(line), wanted);
    }
}
