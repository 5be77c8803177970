//! Cleans up when a signal ends the process.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::{descendants, registry, removal};

/// Whether a signal has begun to end the process.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Set once the thread that waits for signals has started.
static HANDLER: OnceLock<()> = OnceLock::new();

/// Handles SIGHUP, SIGINT and SIGTERM from now on: kills all descendants, removes all scratch folders, and ends the process
/// with the same signal. [`Folder::new_in`](crate::Folder::new_in) calls this function. Before the first call, these signals
/// end the process immediately, which is their default action.
///
/// # Errors
/// Returns an error if the thread that waits for signals cannot be started.
pub fn handle_signals() -> io::Result<()> {
    if HANDLER.get().is_some() {
        return Ok(());
    }
    // Serializes the threads that create the first folders.
    let folders = registry::folders();
    if HANDLER.get().is_none() {
        let mut wanted = vec![SIGINT, SIGTERM];
        if !is_ignored(SIGHUP) {
            wanted.push(SIGHUP);
        }
        let mut signals = Signals::new(wanted)?;
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            if let Some(signal) = signals.forever().next() {
                end_by(signal);
            }
        })?;
        _ = HANDLER.set(());
    }
    drop(folders);
    Ok(())
}

/// Blocks the calling thread forever if a signal is ending the process. Call this function before output and before the
/// process exits, so that failures caused by the signal are not reported and the exit code is that of the signal.
pub fn stop_if_interrupted() {
    while INTERRUPTED.load(Ordering::SeqCst) {
        thread::park();
    }
}

fn end_by(signal: i32) {
    INTERRUPTED.store(true, Ordering::SeqCst);
    // The guard is held until the process ends, so that no thread creates another folder.
    let folders = registry::folders();
    descendants::kill_all();
    for folder in &*folders {
        _ = removal::remove(folder);
    }
    _ = emulate_default_handler(signal);
    // Reached only if the signal could not be sent.
    std::process::exit(128 + signal);
}

/// Returns whether the signal was ignored when the process was started, for example by `nohup`.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}
