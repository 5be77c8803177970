//! Compares the erases of QEMU's flash chip with those that leaselab counts for the same commands.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use nvram_emu::Machine;
use nvram_emu::device::OpKind;

use super::erase_trace::Erase;

/// Number of erases by block.
type Blocks = BTreeMap<u64, u64>;

/// How commands that ran in a guest ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// All of them completed.
    Completed,
    /// The power was cut, at the latest in the last of them.
    PowerLost,
}

/// The erases of one router since its first boot: those of QEMU's flash chip, and those that an emulated router makes for
/// the same commands.
#[derive(Clone, Debug)]
pub struct EraseAudit {
    /// Bytes of an erase block.
    erase_block: u64,
    /// The emulated router, which runs the same commands.
    mirror: Machine,
    seen: Blocks,
    counted: Blocks,
    commits: u64,
    /// How the two differ.
    differences: Vec<String>,
}

impl EraseAudit {
    /// `machine` is the router before its first boot.
    pub(super) fn new(machine: &Machine) -> Self {
        Self {
            erase_block: u64::from(machine.flash().geometry().erase_block),
            mirror: machine.clone(),
            seen: Blocks::new(),
            counted: Blocks::new(),
            commits: 0,
            differences: Vec::new(),
        }
    }

    /// Records commands that ran in the guest, and the erases of QEMU's flash chip meanwhile.
    pub(super) fn record<'c>(
        &mut self,
        commands: impl Iterator<Item = &'c [Vec<u8>]>,
        erases: &[Erase],
        ending: Ending,
    ) {
        let mut counted: Vec<u64> = Vec::new();
        for command in commands {
            let arguments: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
            self.mirror.run(&arguments);
            let operations = self.mirror.take_ops();
            self.commits += u64::from(!operations.is_empty());
            let erases = operations.iter().filter(|operation| operation.kind == OpKind::Erase);
            counted.extend(erases.map(|erase| u64::from(erase.offset) / self.erase_block));
        }
        let mut seen = Vec::new();
        for erase in erases {
            match erase {
                Erase::InPartition(offset) => seen.push(offset / self.erase_block),
                Erase::Outside(offset) => self.differences.push(format!(
                    "QEMU's flash chip was erased at {offset:#x}, outside of the nvram partition"
                )),
            }
        }
        if ending == Ending::PowerLost {
            counted.truncate(seen.len());
        }
        if seen != counted {
            self.differences.push(format!(
                "QEMU's flash chip erased the blocks {seen:?}, leaselab counts {counted:?}"
            ));
        }
        for block in seen {
            *self.seen.entry(block).or_default() += 1;
        }
        for block in counted {
            *self.counted.entry(block).or_default() += 1;
        }
    }

    /// Gives the emulated router the contents of the guest's flash, after a power cut or damage.
    pub(super) fn copy_flash(&mut self, flash: &[u8]) {
        if let Some(mirror) = self.mirror.with_contents(flash, None) {
            self.mirror = mirror;
        }
    }

    /// Records a difference if the guest's flash and the emulated router's differ.
    pub(super) fn compare(&mut self, flash: &[u8]) {
        let own = self.mirror.flash_bytes();
        if let Some(at) = (0..own.len().max(flash.len())).find(|at| own.get(*at) != flash.get(*at))
        {
            let text = format!("the guest's flash differs from the emulated router's at byte {at}");
            self.differences.push(text);
            self.copy_flash(flash);
        }
    }

    /// How the two counts, or the contents of the two flash chips, differ.
    pub fn differences(&self) -> &[String] {
        &self.differences
    }

    /// Adds another router's counts.
    pub fn add(&mut self, other: &Self) {
        for (sum, part) in [(&mut self.seen, &other.seen), (&mut self.counted, &other.counted)] {
            for (block, count) in part {
                *sum.entry(*block).or_default() += count;
            }
        }
        self.commits += other.commits;
        self.differences.extend(other.differences.iter().cloned());
    }

    /// Commits that touched the flash.
    pub fn commits(&self) -> u64 {
        self.commits
    }
}

/// A table, with consecutive blocks of equal counts on one line.
impl fmt::Display for EraseAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let block = self.erase_block / 1024;
        let size = format!("block ({block} KiB)");
        writeln!(f, "{size:<16} {:>16} {:>16}", "QEMU saw", "leaselab counts")?;
        let keys: BTreeSet<u64> = self.seen.keys().chain(self.counted.keys()).copied().collect();
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
        let verdict = if self.differences.is_empty() { "equal" } else { "NOT EQUAL" };
        writeln!(f, "{:<16} {seen:>16} {counted:>16}   {verdict}", "all")
    }
}
