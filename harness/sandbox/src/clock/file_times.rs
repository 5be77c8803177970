//! Modification times of files that programs have changed.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::time::{ClockId, clock_gettime};

use crate::file_tree::set_modified;

/// Interval between the modification times of two files that were changed in the same call.
const STEP_NANOSECONDS: u32 = 1_000_000;

/// Returns the earliest time that the kernel gives a file that is changed from now on, in seconds and nanoseconds.
pub fn earliest_file_time() -> (i64, i64) {
    let now = clock_gettime(ClockId::RealtimeCoarse);
    (now.tv_sec, now.tv_nsec as _)
}

/// Returns the latest time that the kernel can have given a file so far. Its resolution is finer than that of
/// [`earliest_file_time`] on file systems with multigrain timestamps.
pub(super) fn latest_file_time() -> (i64, i64) {
    let now = clock_gettime(ClockId::Realtime);
    (now.tv_sec, now.tv_nsec as _)
}

/// Sets the modification times of the files that have changed since `began` to the router's time. The files keep their
/// order, because `[ -nt ]` depends on it.
///
/// # Errors
/// If a folder cannot be read or a time cannot be set.
pub fn date_files(folder: &Path, began: (i64, i64), wall: i64) -> io::Result<()> {
    let mut changed = Vec::new();
    find_changed(folder, (began, latest_file_time()), &mut changed)?;
    changed.sort();
    let mut place = 0;
    let mut last = None;
    for (time, path) in changed {
        if last.is_some_and(|last| last != time) {
            place += 1;
        }
        last = Some(time);
        set_modified(&path, wall, (place * STEP_NANOSECONDS).min(999_999_999))?;
    }
    Ok(())
}

/// Seconds and nanoseconds.
type Time = (i64, i64);

type Changed = (Time, PathBuf);

/// Finds the files whose modification times lie in an interval of the machine's time. A time of the router may lie before or
/// after the interval.
fn find_changed(
    folder: &Path,
    (began, ended): (Time, Time),
    found: &mut Vec<Changed>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let data = entry.metadata()?;
        let time = (data.mtime(), data.mtime_nsec());
        if data.is_dir() {
            find_changed(&entry.path(), (began, ended), found)?;
        } else if began <= time && time <= ended {
            found.push((time, entry.path()));
        }
    }
    Ok(())
}
