//! Which program this process is. One executable serves as several, by the name under which it is started.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use backend::process::AGENT_NAME;
use live::script_proxy;

/// The program that this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessRole {
    /// The command line of the lab.
    Leaselab,
    /// The emulated `nvram` tool.
    Nvram,
    /// The lease script in Rust.
    LeaseUpdate,
    /// The agent that starts the processes of a case.
    Agent,
    /// The program that a live dnsmasq calls as its script.
    ScriptProxy,
}

impl ProcessRole {
    /// The role of this process.
    pub fn of_this_process() -> Self {
        let argv0 = std::env::args_os().next().unwrap_or_default();
        Self::new(executed_path(), Path::new(&argv0))
    }

    /// The role of a process. Only the folder of the executed path identifies the script proxy: its name is that of
    /// the script under test, and a variable could be set by accident.
    fn new(executed: &Path, argv0: &Path) -> Self {
        let folder = executed.parent().and_then(Path::file_name);
        if folder == Some(OsStr::new(script_proxy::FOLDER)) {
            return Self::ScriptProxy;
        }
        match argv0.file_name().map(OsStr::as_bytes) {
            Some(b"nvram") => Self::Nvram,
            Some(b"lease-update") => Self::LeaseUpdate,
            Some(name) if name == AGENT_NAME.as_bytes() => Self::Agent,
            _ => Self::Leaselab,
        }
    }

    /// Whether the start of this process dominates its run time. Must not allocate, because the allocator calls it.
    pub fn is_short_lived() -> bool {
        let path = executed_path();
        Self::new(path, path) != Self::Leaselab
    }
}

/// The path that was executed, from the kernel.
fn executed_path() -> &'static Path {
    // SAFETY: the kernel gives every process the path that was executed, as a C string that stays valid.
    let path = unsafe {
        let path = libc::getauxval(libc::AT_EXECFN) as *const libc::c_char;
        if path.is_null() { c"" } else { CStr::from_ptr(path) }
    };
    Path::new(OsStr::from_bytes(path.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/usr/bin/leaselab", "leaselab", ProcessRole::Leaselab)]
    #[case("/usr/bin/leaselab", "", ProcessRole::Leaselab)]
    #[case("/usr/bin/leaselab", AGENT_NAME, ProcessRole::Agent)]
    #[case("/tmp/x/bin/nvram", "nvram", ProcessRole::Nvram)]
    #[case("./nvram", "./nvram", ProcessRole::Nvram)]
    #[case("/tmp/x/bin/lease-update", "/tmp/x/bin/lease-update", ProcessRole::LeaseUpdate)]
    #[case("/tmp/x/script-proxy/lease_update.sh", "lease_update.sh", ProcessRole::ScriptProxy)]
    #[case("/tmp/x/script-proxy/nvram", "nvram", ProcessRole::ScriptProxy)]
    fn the_role_follows_from_the_executed_path_and_argv0(
        #[case] executed: &str,
        #[case] argv0: &str,
        #[case] role: ProcessRole,
    ) {
        assert_eq!(ProcessRole::new(Path::new(executed), Path::new(argv0)), role);
    }
}
