//! The namespaces of a sandbox.

use std::fs;
use std::io;
use std::process;

use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{
    Pid, Signal, WaitOptions, getgid, getuid, set_parent_process_death_signal, waitpid,
};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use serde::{Deserialize, Serialize};

use crate::mounts::step;

/// How strictly programs are isolated from the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Isolation {
    /// No isolation: programs see the machine's own files, processes, network and clock.
    None,
    /// Programs have their own user namespace, files, processes, network and clock.
    Full,
    /// Like [`Isolation::Full`], for a process that is already root in its namespaces. Programs share the network of that
    /// process.
    SharedNetwork,
}

/// Moves this process, which must have a single thread, into the namespaces of a sandbox.
/// [`Root::mount`](crate::Root::mount) then sets up the root file system.
///
/// The function returns in a child of the calling process. The child has process id 1. The calling process waits for the
/// child and exits with its exit code. If the calling process is killed, the kernel kills the child and with it every
/// process of the sandbox.
///
/// # Errors
/// Returns the error of the kernel, with the name of the failed step.
pub fn enter(isolation: Isolation) -> io::Result<()> {
    let own = match isolation {
        Isolation::None => return Ok(()),
        Isolation::Full => UnshareFlags::NEWUSER | UnshareFlags::NEWNET,
        Isolation::SharedNetwork => UnshareFlags::empty(),
    };
    let own = own
        | UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS;
    let (uid, gid) = (getuid().as_raw(), getgid().as_raw());
    // SAFETY: the flags do not unshare file descriptors.
    step("creating namespaces", unsafe { unshare_unsafe(own) })?;
    if isolation == Isolation::Full {
        step("/proc/self/setgroups", fs::write("/proc/self/setgroups", "deny"))?;
        step("/proc/self/uid_map", fs::write("/proc/self/uid_map", format!("0 {uid} 1\n")))?;
        step("/proc/self/gid_map", fs::write("/proc/self/gid_map", format!("0 {gid} 1\n")))?;
    }
    continue_in_child()?;
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    step("making mounts private", mount_change("/", private))?;
    step("naming the router", rustix::system::sethostname(b"router"))?;
    if isolation == Isolation::Full {
        step("bringing up the loopback interface", bring_up_loopback())?;
    }
    Ok(())
}

/// Forks and returns in the child. The parent waits for the child and exits.
fn continue_in_child() -> io::Result<()> {
    // SAFETY: the process has a single thread, so the child may call any function.
    let child = unsafe { libc::fork() };
    if child < 0 {
        return Err(io::Error::last_os_error());
    }
    let Some(child) = Pid::from_raw(child) else {
        return Ok(set_parent_process_death_signal(Some(Signal::KILL))?);
    };
    loop {
        match waitpid(Some(child), WaitOptions::empty()) {
            Err(rustix::io::Errno::INTR) | Ok(None) => {}
            Ok(Some((_, status))) => process::exit(status.exit_status().unwrap_or(1)),
            Err(error) => return Err(error.into()),
        }
    }
}

fn bring_up_loopback() -> io::Result<()> {
    // SAFETY: the system calls get a descriptor that was just opened, and a struct that is initialised and outlives them.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        let result = libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &raw const request);
        let error = io::Error::last_os_error();
        libc::close(socket);
        if result == 0 { Ok(()) } else { Err(error) }
    }
}
