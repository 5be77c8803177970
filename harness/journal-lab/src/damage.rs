//! Damages the medium: changes bytes, replaces the data of blocks with zeros or 0xff bytes, and writes blocks to the wrong
//! place.

use std::ffi::{OsStr, OsString};

use super::acknowledged::Acknowledged;
use super::programs::program;
use super::report::{FaultKind, LossExample, Report};
use super::run::{ENDS, TASKS, address, difference, installed, run_tasks};
use disk_model::{Disk, WriteOrdering};
use scenario::{Loss, Strategy};

/// Size in bytes of the units in which a disk writes.
const BLOCK: usize = 512;
/// Distance in bytes between the positions at which a byte is changed.
const STEP: usize = 13;

/// A change to the data on the medium.
struct Damage {
    name: OsString,
    at: usize,
    bytes: Vec<u8>,
    place: String,
}

/// Damages the files of a strategy in many ways. The next start may find fewer leases, but must then report damage, and must
/// not find a lease that was never acknowledged. A later change must not lose a lease that this start found.
pub(super) fn explore_damage(strategy: Strategy, ordering: WriteOrdering) -> Report {
    Report::timed(strategy, ordering, |report| {
        let (mut disk, mut acknowledged) = installed(strategy, ordering);
        let mut running = program(strategy);
        // No fault is scheduled, so this cannot fail.
        let _ = run_tasks(running.as_mut(), &mut disk, &mut acknowledged, &TASKS);
        report.calls = disk.take_steps().len() as u64;
        disk.sync_all();
        disk.end_processes();
        for (number, damage) in damages(&disk).into_iter().enumerate() {
            let mut damaged = disk.clone();
            damaged.damage(&damage.name, damage.at, &damage.bytes);
            report.points += 1;
            report.distinct += 1;
            // Making a change after every damage would take too long.
            check(report, damaged, &acknowledged, &damage.place, number % 16 == 0);
        }
    })
}

fn damages(disk: &Disk) -> Vec<Damage> {
    let mut found = Vec::new();
    // A backup is not read while the live file exists.
    let is_live = |name: &OsStr| !name.as_encoded_bytes().ends_with(b"~");
    for (name, data) in disk.files().filter(|(name, _)| is_live(name)) {
        let shown = name.to_string_lossy();
        for at in (0..data.len()).step_by(STEP) {
            let bytes = vec![data[at] ^ 1 << (at / STEP % 8)];
            let place =
                format!("byte {at} of {shown} changed from {:#04x} to {:#04x}", data[at], bytes[0]);
            found.push(Damage { name: name.to_owned(), at, bytes, place });
        }
        let blocks: Vec<&[u8]> = data.chunks(BLOCK).collect();
        for (number, block) in blocks.iter().enumerate() {
            let mut add = |bytes: Vec<u8>, what: &str| {
                let place = format!("block {number} of {shown} {what}");
                found.push(Damage { name: name.to_owned(), at: number * BLOCK, bytes, place });
            };
            add(vec![0; block.len()], "is zeros");
            add(vec![0xff; block.len()], "is erased");
            for (other_name, other) in disk.files() {
                for (other_number, other) in other.chunks(BLOCK).enumerate() {
                    if other != *block && other.len() >= block.len() {
                        let what = format!("has block {other_number} of {}", other_name.display());
                        add(other[..block.len()].to_vec(), &what);
                    }
                }
            }
        }
    }
    found
}

fn check(
    report: &mut Report,
    mut disk: Disk,
    acknowledged: &Acknowledged,
    place: &str,
    with_change: bool,
) {
    let strategy = report.strategy;
    let mut next = program(strategy);
    let Ok(found) = next.start(&mut disk) else { return };
    report.checked += 1;
    let mut loss = acknowledged.unnoticed_loss(&found);
    let mut text = difference(acknowledged, &found);
    if let (None, Some(leases), true) = (loss, &found.leases, with_change) {
        let _ = next.commit(&mut disk, address(103), ENDS + 70);
        disk.close_all();
        let later = program(strategy).start(&mut disk).ok().and_then(|found| found.leases);
        let lost = leases.iter().find(|(address, ends)| {
            later.as_ref().and_then(|later| later.get(*address)) != Some(*ends)
        });
        if let Some((address, _)) = lost {
            loss = Some(Loss::Lost);
            text = format!("{address} was found, and was lost by the next change");
        }
    }
    let Some(loss) = loss else { return };
    report.lost(FaultKind::Damage, loss, || LossExample {
        kind: FaultKind::Damage,
        loss,
        place: place.to_owned(),
        text,
        names: disk.names().collect(),
    });
}
