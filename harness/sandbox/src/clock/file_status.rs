//! Answers `stat` and similar system calls for files that were changed during the current call, because the kernel has given
//! these files the machine's time.

use std::ffi::CString;
use std::path::PathBuf;

use rustix::process::Pid;

use super::file_times::latest_file_time;
use super::listener::{Answer, SystemCall};
use super::memory;
use super::router_clock::RouterClock;

/// Folders of the machine. Their files do not change.
const UNCHANGED: [&[u8]; 6] = [b"/usr/", b"/bin/", b"/sbin/", b"/lib", b"/dev/", b"/proc/"];

/// A system call that queries the status of a file by its name.
struct StatusQuery {
    folder: i32,
    path: u64,
    buffer: u64,
    flags: i32,
    kind: Kind,
}

enum Kind {
    /// `struct stat`
    Status,
    /// `struct statx`, with the mask of requested fields.
    Extended(u32),
}

/// Answers a system call that queries the status of a file. Returns `None` for any other system call.
pub(super) fn answer(call: &SystemCall, clock: &RouterClock) -> Option<Answer> {
    let [first, second, third, fourth, fifth, _] = call.arguments;
    let query = match call.number {
        libc::SYS_newfstatat => StatusQuery {
            folder: first as i32,
            path: second,
            buffer: third,
            flags: fourth as i32,
            kind: Kind::Status,
        },
        libc::SYS_statx => StatusQuery {
            folder: first as i32,
            path: second,
            buffer: fifth,
            flags: third as i32,
            kind: Kind::Extended(fourth as u32),
        },
        #[cfg(target_arch = "x86_64")]
        libc::SYS_stat | libc::SYS_lstat => StatusQuery {
            folder: libc::AT_FDCWD,
            path: first,
            buffer: second,
            flags: if call.number == libc::SYS_lstat { libc::AT_SYMLINK_NOFOLLOW } else { 0 },
            kind: Kind::Status,
        },
        _ => return None,
    };
    Some(query.answer(call.pid, clock).unwrap_or(Answer::Continue))
}

impl StatusQuery {
    /// Returns `None` if the kernel's own answer is correct.
    fn answer(&self, pid: Pid, clock: &RouterClock) -> Option<Answer> {
        let (wall, began) = clock.began()?;
        let path = self.path_of(pid)?;
        let ended = latest_file_time();
        // Translates a time that the kernel has set during this call to the router's time.
        let translate = |seconds: &mut i64, nanoseconds: &mut i64| {
            let time = (*seconds, *nanoseconds);
            let is_of_this_call = began <= time && time <= ended;
            if is_of_this_call {
                // Two files of the call keep their order, although the clock stands still.
                *nanoseconds = (*nanoseconds - began.1).rem_euclid(1_000_000_000);
                *seconds = wall;
            }
            is_of_this_call
        };
        let bytes = match self.kind {
            Kind::Status => status(&path, self.flags, translate),
            Kind::Extended(mask) => extended(&path, self.flags, mask, translate),
        }?;
        memory::write(pid, self.buffer, &bytes).ok()?;
        Some(Answer::Value(0))
    }

    /// Returns a path through which this process can open the file, or `None` for a file of the machine.
    fn path_of(&self, pid: Pid) -> Option<CString> {
        let path = memory::read_string(pid, self.path);
        if path.is_empty() || UNCHANGED.iter().any(|folder| path.starts_with(folder)) {
            return None;
        }
        if path.starts_with(b"/") {
            return CString::new(path).ok();
        }
        let process = format!("/proc/{}", pid.as_raw_nonzero());
        let folder = match self.folder {
            libc::AT_FDCWD => PathBuf::from(process).join("cwd"),
            descriptor => PathBuf::from(process).join("fd").join(descriptor.to_string()),
        };
        let absolute = [folder.into_os_string().into_encoded_bytes(), path].join(&b'/');
        CString::new(absolute).ok()
    }
}

fn status(
    path: &CString,
    flags: i32,
    translate: impl Fn(&mut i64, &mut i64) -> bool,
) -> Option<Vec<u8>> {
    // SAFETY: all bytes zero is a valid value of this struct of numbers, the kernel fills it, and its bytes are initialised.
    unsafe {
        let mut status: libc::stat = std::mem::zeroed();
        if libc::fstatat(libc::AT_FDCWD, path.as_ptr(), &raw mut status, flags) != 0 {
            return None;
        }
        let changed = translate(&mut status.st_mtime, &mut status.st_mtime_nsec);
        translate(&mut status.st_atime, &mut status.st_atime_nsec);
        translate(&mut status.st_ctime, &mut status.st_ctime_nsec);
        changed.then(|| bytes_of(&status))
    }
}

fn extended(
    path: &CString,
    flags: i32,
    mask: u32,
    translate: impl Fn(&mut i64, &mut i64) -> bool,
) -> Option<Vec<u8>> {
    // SAFETY: all bytes zero is a valid value of this struct of numbers, the kernel fills it, and its bytes are initialised.
    unsafe {
        let mut status: libc::statx = std::mem::zeroed();
        if libc::statx(libc::AT_FDCWD, path.as_ptr(), flags, mask, &raw mut status) != 0 {
            return None;
        }
        let times = [
            &mut status.stx_mtime,
            &mut status.stx_atime,
            &mut status.stx_ctime,
            &mut status.stx_btime,
        ];
        let changed = times.map(|time| {
            let mut nanoseconds = i64::from(time.tv_nsec);
            let changed = translate(&mut time.tv_sec, &mut nanoseconds);
            time.tv_nsec = nanoseconds as u32;
            changed
        });
        changed[0].then(|| bytes_of(&status))
    }
}

/// Returns the bytes of a struct that has no padding and was zeroed before it was filled.
///
/// # Safety
/// All bytes of `value` must be initialised.
unsafe fn bytes_of<T>(value: &T) -> Vec<u8> {
    // SAFETY: the pointer is valid for the size of the type, and the caller guarantees initialised bytes.
    unsafe { std::slice::from_raw_parts((&raw const *value).cast::<u8>(), size_of::<T>()) }.to_vec()
}
