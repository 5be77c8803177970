//! Which allocator a process has: explorers make and drop small things by the million, for which mimalloc is quicker;
//! but it takes a millisecond to set itself up, which the processes of a run, a thousand a minute, do not live to save.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::CStr;
use std::sync::atomic::{AtomicU8, Ordering};

use mimalloc::MiMalloc;

use backend::process::AGENT_NAME;

/// Mimalloc for `leaselab`, the system's allocator where it answers to another name. The same for a process's whole life.
#[derive(Debug)]
pub struct Allocator;

const UNDECIDED: u8 = 0;
const SYSTEM: u8 = 1;
const QUICK: u8 = 2;
static CHOICE: AtomicU8 = AtomicU8::new(UNDECIDED);

fn is_quick() -> bool {
    match CHOICE.load(Ordering::Relaxed) {
        UNDECIDED => {
            let choice = if is_short_lived() { SYSTEM } else { QUICK };
            // Whoever comes here at the same time decides alike.
            CHOICE.store(choice, Ordering::Relaxed);
            choice == QUICK
        }
        choice => choice == QUICK,
    }
}

/// Whether this process was started by one of the names of the small executables. Allocates nothing.
fn is_short_lived() -> bool {
    // SAFETY: the kernel gives every process the name of its file, a C string that stays where it is.
    let path = unsafe {
        let path = libc::getauxval(libc::AT_EXECFN) as *const libc::c_char;
        if path.is_null() { c"" } else { CStr::from_ptr(path) }
    };
    let name = path.to_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    matches!(name, b"nvram" | b"lease-update") || name == AGENT_NAME.as_bytes()
}

// SAFETY: each call goes to one of two allocators, always the same one in a process.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are handed on.
        unsafe { if is_quick() { MiMalloc.alloc(layout) } else { System.alloc(layout) } }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are handed on.
        unsafe {
            if is_quick() { MiMalloc.alloc_zeroed(layout) } else { System.alloc_zeroed(layout) }
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are handed on.
        unsafe {
            if is_quick() {
                MiMalloc.dealloc(pointer, layout);
            } else {
                System.dealloc(pointer, layout);
            }
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promises are handed on.
        unsafe {
            if is_quick() {
                MiMalloc.realloc(pointer, layout, size)
            } else {
                System.realloc(pointer, layout, size)
            }
        }
    }
}
