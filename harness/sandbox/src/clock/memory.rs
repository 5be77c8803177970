//! Access to the memory of other processes.

use std::io;
use std::mem;
use std::time::Duration;

use rustix::process::Pid;

/// Writes bytes into the memory of a process.
pub(super) fn write(pid: Pid, address: u64, bytes: &[u8]) -> io::Result<()> {
    let local = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: bytes.len() };
    // SAFETY: the kernel only reads the local bytes, and checks the address in the other process.
    let written = unsafe {
        libc::process_vm_writev(
            pid.as_raw_nonzero().get(),
            &raw const local,
            1,
            &raw const remote,
            1,
            0,
        )
    };
    if written == bytes.len() as isize { Ok(()) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Reads bytes from the memory of a process. Returns fewer bytes if the rest is not mapped.
pub(super) fn read(pid: Pid, address: u64, length: usize) -> Vec<u8> {
    let page = 4096;
    let mut bytes = vec![0; length];
    let mut done = 0;
    while done < length {
        // A read never crosses the end of a page, because the next page may not be mapped.
        let at = address + done as u64;
        let count = (length - done).min(page - (at as usize % page));
        let local = libc::iovec { iov_base: bytes[done..].as_mut_ptr().cast(), iov_len: count };
        let remote = libc::iovec { iov_base: at as *mut libc::c_void, iov_len: count };
        // SAFETY: the kernel writes at most `count` bytes, and the vector has at least that many after `done`.
        let read = unsafe {
            libc::process_vm_readv(
                pid.as_raw_nonzero().get(),
                &raw const local,
                1,
                &raw const remote,
                1,
                0,
            )
        };
        if read != count as isize {
            break;
        }
        done += count;
    }
    bytes.truncate(done);
    bytes
}

/// Reads a C string of at most `libc::PATH_MAX` bytes.
pub(super) fn read_string(pid: Pid, address: u64) -> Vec<u8> {
    let mut text = Vec::new();
    while text.len() < libc::PATH_MAX as usize {
        let chunk = read(pid, address + text.len() as u64, 256);
        if let Some(end) = chunk.iter().position(|byte| *byte == 0) {
            text.extend_from_slice(&chunk[..end]);
            break;
        }
        if chunk.is_empty() {
            break;
        }
        text.extend_from_slice(&chunk);
    }
    text
}

/// Parses a `struct timespec` as a duration. Returns `None` if the kernel would reject it.
pub(super) fn duration(bytes: &[u8]) -> Option<Duration> {
    let (seconds, nanoseconds) = bytes.split_first_chunk()?;
    let seconds = u64::try_from(i64::from_ne_bytes(*seconds)).ok()?;
    let nanoseconds = i64::from_ne_bytes(nanoseconds.try_into().ok()?);
    let nanoseconds = u32::try_from(nanoseconds).ok().filter(|count| *count < 1_000_000_000)?;
    Some(Duration::new(seconds, nanoseconds))
}

/// Encodes seconds and a fraction as the kernel does in a `struct timespec` or `struct timeval`.
pub(super) fn pair(seconds: i64, fraction: i64) -> [u8; 16] {
    let mut bytes = [0; 2 * mem::size_of::<i64>()];
    bytes[..8].copy_from_slice(&seconds.to_ne_bytes());
    bytes[8..].copy_from_slice(&fraction.to_ne_bytes());
    bytes
}
