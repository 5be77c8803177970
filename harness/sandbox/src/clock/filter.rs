//! The seccomp filter that passes system calls to the supervisor.

use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd};

use libc::{BPF_ABS, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter};

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE_FIELD: u32 = 4;
const ARGUMENTS: u32 = 16;

/// System calls that would change the machine if the caller is its administrator.
const REFUSED: [libc::c_long; 7] = [
    libc::SYS_reboot,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_swapon,
];

/// System calls that the supervisor answers or watches regardless of their arguments.
const WATCHED: &[libc::c_long] = &[
    libc::SYS_gettimeofday,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_execve,
    libc::SYS_execveat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
];

/// The clocks that the sandbox replaces with the router's.
const CLOCKS: [libc::clockid_t; 6] = [
    libc::CLOCK_REALTIME,
    libc::CLOCK_MONOTONIC,
    libc::CLOCK_MONOTONIC_RAW,
    libc::CLOCK_REALTIME_COARSE,
    libc::CLOCK_MONOTONIC_COARSE,
    libc::CLOCK_BOOTTIME,
];

/// System calls that change the names or contents of files, or write them to the medium. `write` is not included, because
/// written data is found by reading the files.
const FILE_CHANGES: &[libc::c_long] = &[
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_sync,
    libc::SYS_syncfs,
    libc::SYS_sync_file_range,
    libc::SYS_msync,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_unlinkat,
    libc::SYS_symlinkat,
    libc::SYS_mkdirat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
];

/// System calls that open a file, with the index of the argument that holds the flags.
const OPENS: &[(libc::c_long, u32)] = &[
    (libc::SYS_openat, 2),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, 1),
];

/// Flags with which `open` may change a file or give the caller write access to it.
const WRITING: u32 = (libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC) as u32;

/// System calls that query the status of a file by its name, with the index of the argument that holds the flags.
const STATUS: &[(libc::c_long, u32)] = &[(libc::SYS_newfstatat, 3), (libc::SYS_statx, 2)];

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const WATCH: u32 = libc::SECCOMP_RET_USER_NOTIF;
const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;

/// Returns whether a watched system call concerns files.
pub(super) fn concerns_files(number: libc::c_long) -> bool {
    FILE_CHANGES.contains(&number) || OPENS.iter().any(|(open, _)| *open == number)
}

struct Program(Vec<sock_filter>);

impl Program {
    fn add(&mut self, code: u32, k: u32, jt: u8, jf: u8) {
        self.0.push(sock_filter { code: code as u16, jt, jf, k });
    }

    fn load(&mut self, offset: u32) {
        self.add(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
    }

    fn end(&mut self, result: u32) {
        self.add(BPF_RET | BPF_K, result, 0, 0);
    }

    /// Ends with `result` if the loaded value equals `value`.
    fn end_if(&mut self, value: u32, result: u32) {
        self.add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
        self.end(result);
    }
}

impl Program {
    /// If the loaded value is the number of this system call, ends with `set` if any of `bits` is set in the argument at
    /// index `flags`, and with `clear` otherwise.
    fn watch_if(&mut self, number: libc::c_long, flags: u32, bits: u32, set: u32, clear: u32) {
        self.add(BPF_JMP | BPF_JEQ | BPF_K, number as u32, 0, 4);
        self.load(ARGUMENTS + 8 * flags);
        self.add(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
        self.end(set);
        self.end(clear);
    }
}

fn program(watch_files: bool) -> Vec<sock_filter> {
    let mut program = Program(Vec::new());
    program.load(ARCHITECTURE_FIELD);
    program.add(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    program.end(ALLOW);
    program.load(NUMBER);
    for number in REFUSED {
        program.end_if(number as u32, REFUSE);
    }
    for number in WATCHED {
        program.end_if(*number as u32, WATCH);
    }
    for (number, flags) in STATUS {
        // With this flag, the call can refer to an open file without a name. Programs rarely query the times of such a file.
        program.watch_if(*number, *flags, libc::AT_EMPTY_PATH as u32, ALLOW, WATCH);
    }
    if watch_files {
        for number in FILE_CHANGES {
            program.end_if(*number as u32, WATCH);
        }
        for (number, flags) in OPENS {
            program.watch_if(*number, *flags, WRITING, WATCH, ALLOW);
        }
    }
    program.add(BPF_JMP | BPF_JEQ | BPF_K, libc::SYS_clock_gettime as u32, 1, 0);
    program.end(ALLOW);
    program.load(ARGUMENTS);
    for clock in CLOCKS {
        program.end_if(clock as u32, WATCH);
    }
    program.end(ALLOW);
    program.0
}

/// Installs the filter for the calling thread and all processes that it starts later. Returns the descriptor on which the
/// system calls arrive.
///
/// # Errors
/// If the kernel refuses it.
pub(super) fn install(watch_files: bool) -> io::Result<OwnedFd> {
    let mut program = program(watch_files);
    let filter =
        libc::sock_fprog { len: program.len() as libc::c_ushort, filter: program.as_mut_ptr() };
    // SAFETY: the kernel only reads the program, which outlives the calls; the descriptor that it returns is ours.
    unsafe {
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 {
            return Err(io::Error::last_os_error());
        }
        let listener = libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const filter,
        );
        if listener < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(listener as i32))
    }
}
