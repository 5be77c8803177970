//! A power cut in the middle of a flash operation: a thread watches QEMU's trace of the flash chip, and kills QEMU at an
//! erase.

use std::fs;
use std::io::{self, PipeReader, PipeWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify;
use rustix::io::Errno;

use super::error::QemuError;
use super::power_switch::PowerSwitch;

/// A watcher of the trace. Dropping it ends the thread without cutting the power.
#[derive(Debug)]
pub(super) struct PowerCutOnErase {
    has_cut: Arc<AtomicBool>,
    /// Closed to end the thread.
    stop: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread needs.
struct Watcher {
    trace: PathBuf,
    changes: rustix::fd::OwnedFd,
    stop: PipeReader,
    /// The number of lines in the trace at which the power is cut.
    lines: u64,
    power: PowerSwitch,
    has_cut: Arc<AtomicBool>,
}

impl PowerCutOnErase {
    /// Cuts the power at the `nth` erase from now on, counting from 1. `trace` must exist: QEMU creates it at its start.
    ///
    /// # Errors
    /// When the trace cannot be read or watched.
    pub(super) fn arm(trace: &Path, nth: u64, power: PowerSwitch) -> Result<Self, QemuError> {
        let (thread_end, stop) = io::pipe().map_err(QemuError::file(trace))?;
        let has_cut = Arc::new(AtomicBool::new(false));
        let watcher = Watcher {
            trace: trace.to_owned(),
            // Watched before its lines are counted, so that no erase in between is missed.
            changes: watch(trace).map_err(QemuError::file(trace))?,
            stop: thread_end,
            lines: lines(trace).map_err(QemuError::file(trace))? + nth,
            power,
            has_cut: Arc::clone(&has_cut),
        };
        let thread = thread::spawn(move || watcher.run());
        Ok(Self { has_cut, stop: Some(stop), thread: Some(thread) })
    }

    /// Whether it has cut the power.
    pub(super) fn has_cut(&self) -> bool {
        self.has_cut.load(Ordering::Acquire)
    }
}

impl Drop for PowerCutOnErase {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

impl Watcher {
    fn run(self) {
        loop {
            if lines(&self.trace).is_ok_and(|lines| lines >= self.lines) {
                self.has_cut.store(true, Ordering::Release);
                // A QEMU that does not end makes the next command fail at its deadline.
                _ = self.power.turn_off();
                return;
            }
            let mut fds =
                [PollFd::new(&self.changes, PollFlags::IN), PollFd::new(&self.stop, PollFlags::IN)];
            match poll(&mut fds, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return,
            }
            if !fds[1].revents().is_empty() {
                return;
            }
            // The events only show that the trace has grown; their contents are not needed.
            let mut events = [0; 4096];
            _ = rustix::io::read(&self.changes, &mut events);
        }
    }
}

fn watch(trace: &Path) -> io::Result<rustix::fd::OwnedFd> {
    let changes = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
    inotify::add_watch(&changes, trace, inotify::WatchFlags::MODIFY)?;
    Ok(changes)
}

fn lines(trace: &Path) -> io::Result<u64> {
    Ok(fs::read(trace)?.iter().filter(|byte| **byte == b'\n').count() as u64)
}

#[cfg(test)]
mod tests {
    use std::fs::{File, OpenOptions};
    use std::io::Write as _;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command, Stdio};

    use super::*;

    struct Setup {
        _folder: tempfile::TempDir,
        path: PathBuf,
        trace: File,
        qemu: Child,
    }

    fn setup() -> Setup {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("trace");
        fs::write(&path, "an erase before\n").expect("a trace");
        let trace = OpenOptions::new().append(true).open(&path).expect("the trace");
        let qemu = Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat runs");
        Setup { _folder: folder, path, trace, qemu }
    }

    #[test]
    fn power_is_cut_at_the_nth_erase() {
        let mut setup = setup();
        let power = PowerSwitch::of(&setup.qemu).expect("a pidfd");
        let cut = PowerCutOnErase::arm(&setup.path, 2, power).expect("a watcher");
        setup.trace.write_all(b"erase 1\n").expect("a line");
        setup.trace.write_all(b"erase 2\n").expect("a line");
        // `wait` would close it, and end the process.
        let _stdin = setup.qemu.stdin.take();
        assert_eq!(setup.qemu.wait().expect("its status").signal(), Some(9));
        assert!(cut.has_cut());
    }

    #[test]
    fn power_is_not_cut_if_fewer_blocks_are_erased() {
        let mut setup = setup();
        let power = PowerSwitch::of(&setup.qemu).expect("a pidfd");
        let cut = PowerCutOnErase::arm(&setup.path, 2, power).expect("a watcher");
        setup.trace.write_all(b"erase 1\n").expect("a line");
        assert!(!cut.has_cut());
        drop(cut);
        drop(setup.qemu.stdin.take());
        assert!(setup.qemu.wait().expect("its status").success());
    }

    #[test]
    fn a_trace_that_does_not_exist_is_an_error() {
        let setup = setup();
        let power = PowerSwitch::of(&setup.qemu).expect("a pidfd");
        let missing = setup.path.with_file_name("missing");
        assert!(PowerCutOnErase::arm(&missing, 1, power).is_err());
    }
}
