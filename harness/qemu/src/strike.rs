//! Power that goes in the middle of the flash's work: somebody watches QEMU's trace and kills it there.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::error::QemuError;

/// Far shorter than it takes to program a block.
const GLANCE: Duration = Duration::from_micros(100);

/// A watcher that cuts the power at an erase.
#[derive(Debug)]
pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    struck: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// From now on, the `nth` erase in the trace is the last thing that the process does.
    ///
    /// # Errors
    /// A trace that cannot be read.
    pub(super) fn begin(trace: &Path, nth: u64, pid: u32) -> Result<Self, QemuError> {
        let erases = |path: &Path| -> io::Result<u64> {
            match fs::read(path) {
                Ok(bytes) => Ok(bytes.iter().filter(|byte| **byte == b'\n').count() as u64),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
                Err(error) => Err(error),
            }
        };
        let before = erases(trace).map_err(QemuError::file(trace))?;
        let stop = Arc::new(AtomicBool::new(false));
        let struck = Arc::new(AtomicBool::new(false));
        let (path, told, done) = (trace.to_owned(), Arc::clone(&stop), Arc::clone(&struck));
        let thread = thread::spawn(move || {
            let mut length = 0;
            while !told.load(Ordering::Relaxed) {
                let now = fs::metadata(&path).map_or(0, |data| data.len());
                if now != length {
                    length = now;
                    if erases(&path).is_ok_and(|count| count >= before + nth) {
                        done.store(true, Ordering::Relaxed);
                        if let Some(pid) = Pid::from_raw(pid as i32) {
                            // It can only be gone already.
                            _ = kill_process(pid, Signal::KILL);
                        }
                        return;
                    }
                }
                thread::sleep(GLANCE);
            }
        });
        Ok(Self { stop, struck, thread: Some(thread) })
    }

    /// Whether the power is off by its doing.
    pub(super) fn has_struck(&self) -> bool {
        self.struck.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}
