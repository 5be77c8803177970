//! The times of files that programs have changed.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::time::{ClockId, clock_gettime};

use crate::file_tree::set_modified;

/// Distance between the times of two files that were changed in the same call.
const STEP_NANOSECONDS: u32 = 1_000_000;

/// The time that the kernel would give a file that is changed now: seconds and nanoseconds.
pub fn file_time_now() -> (i64, i64) {
    let now = clock_gettime(ClockId::RealtimeCoarse);
    (now.tv_sec, now.tv_nsec as _)
}

/// Gives the files that have changed since `began` the time of the router's clock. Their order is kept, which `[ -nt ]` needs.
///
/// # Errors
/// If a folder cannot be read or a time cannot be set.
pub fn date_files(folder: &Path, began: (i64, i64), wall: i64) -> io::Result<()> {
    let mut changed = Vec::new();
    find_changed(folder, (began, file_time_now()), &mut changed)?;
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

/// Finds the files whose times lie between two moments. A time of the router may lie before or after both.
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
