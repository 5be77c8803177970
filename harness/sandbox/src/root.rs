//! The root file system of a sandbox.
//!
//! | path | contents |
//! |---|---|
//! | `/usr`, `/bin`, `/lib`, … | the machine's, read-only |
//! | `/usr/sbin` | links to the machine's programs, to `nvram`, and to a `service` for dnsmasq |
//! | `/tmp`, `/run`, `/var` | RAM of the router |
//! | the persistent folders | a file system in memory with a limited size |
//! | `/etc` | if it is not persistent: the few files that programs need, read-only |
//! | `/dev`, `/proc` | the usual devices that need no hardware; the processes of the sandbox |
//! | [`HARNESS`] | the scratch folder of leaselab, writable for the emulated `nvram` |
//! | [`MACHINE`] | the machine's `/etc` and `/usr/sbin`, as targets of links |

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{chdir, pivot_root};
use serde::{Deserialize, Serialize};

use crate::layout::{
    HARNESS, LEASELAB, MACHINE, PERSISTENT, RAM, RAM_FOLDER, SCRIPT, SERVICE, first_files,
};
use crate::mounts::{bind, bind_all, bind_read_only, memory, set_read_only, step};

/// Entries of the machine's root that the router replaces with its own, or that no program of a router needs.
const NOT_SHARED: [&str; 9] =
    ["boot", "dev", "etc", "lost+found", "proc", "run", "sys", "tmp", "var"];

/// The folder that contains the emulated `nvram`. Scripts of *WRT firmware use this path.
const SBIN: &str = "usr/sbin";

/// The devices of the router.
const DEVICES: [&str; 6] = ["full", "null", "random", "tty", "urandom", "zero"];

/// Describes the root file system of a router.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Root {
    /// The scratch folder. It contains the router's files in RAM in [`RAM_FOLDER`], and an empty file at [`LEASELAB`].
    pub scratch: PathBuf,
    /// The `leaselab` executable.
    pub leaselab: PathBuf,
    /// The persistent folders as absolute paths, in ascending order.
    pub persistent: Vec<String>,
    /// Size limit of all persistent folders together, in bytes.
    pub size: Option<u64>,
    /// Programs of the machine. Program `N` is mounted over the file `programN` of the scratch folder.
    pub programs: Vec<PathBuf>,
    /// The script under test on this machine, whose folder becomes visible, and the copy that is executed.
    pub script: Option<(PathBuf, PathBuf)>,
}

impl Root {
    /// Returns the path of the folder with the contents of all persistent folders, as programs of the sandbox see it.
    pub fn persistent_folder() -> PathBuf {
        Path::new("/").join(PERSISTENT)
    }

    /// Returns the path of the folder with the contents of all folders in RAM, as programs of the sandbox see it.
    pub fn ram_folder() -> PathBuf {
        Path::new(HARNESS).join(RAM_FOLDER)
    }

    /// Returns the path of the script under test, as programs of the sandbox see it.
    pub fn script_path(name: &std::ffi::OsStr) -> PathBuf {
        Path::new("/").join(SCRIPT).join(name)
    }

    /// Returns the name of a program in the scratch folder.
    pub fn program_name(index: usize) -> String {
        format!("program{index}")
    }

    /// Makes this the root of the calling process, which must have entered a sandbox with [`crate::enter`].
    ///
    /// # Errors
    /// Returns the error of the kernel, with the name of the failed step.
    pub fn mount(&self) -> io::Result<()> {
        self.build()?;
        self.pivot()
    }

    /// Mounts everything below the new root.
    fn build(&self) -> io::Result<()> {
        let root = self.scratch.join("root");
        step("creating the folder root", fs::create_dir_all(&root))?;
        memory(&root, None)?;
        self.bind_system(&root)?;
        for name in [&HARNESS[1..], &MACHINE[1..], PERSISTENT, SCRIPT, "proc", "dev", "sys", "etc"]
            .iter()
            .chain(&RAM)
        {
            fs::create_dir_all(root.join(name))?;
        }
        first_files("/etc").write(&root.join("etc"))?;
        let machine = root.join(&MACHINE[1..]);
        fs::create_dir(machine.join("etc"))?;
        bind_all(Path::new("/etc"), &machine.join("etc"))?;
        add_nvram(&root, &machine.join("usr-sbin"))?;
        self.bind_script(&root)?;
        make_devices(&root.join("dev"))?;
        mount_proc(&root.join("proc"))?;
        set_read_only(&root, true, true)?;

        for name in RAM {
            bind(&self.scratch.join(RAM_FOLDER).join(name), &root.join(name))?;
        }
        let harness = root.join(&HARNESS[1..]);
        bind(&self.scratch, &harness)?;
        bind_read_only(&self.leaselab, &harness.join(LEASELAB))?;
        for (index, program) in self.programs.iter().enumerate() {
            bind_read_only(program, &harness.join(Self::program_name(index)))?;
        }
        self.mount_persistent(&root)?;
        let uptime = self.scratch.join("uptime");
        step("writing the file uptime", fs::write(&uptime, "0.00 0.00\n"))?;
        bind(&uptime, &root.join("proc/uptime"))
    }

    /// Makes the prepared folder the root.
    fn pivot(&self) -> io::Result<()> {
        chdir(self.scratch.join("root"))?;
        step("changing the root", pivot_root(".", "."))?;
        step("removing the machine's root", unmount(".", UnmountFlags::DETACH))?;
        Ok(chdir("/")?)
    }

    /// Mounts the top-level folders of the machine. A folder that lacks the mount point of a persistent folder is left out.
    fn bind_system(&self, root: &Path) -> io::Result<()> {
        let lacks_mount_point = |name: &str| {
            let mut below =
                self.persistent.iter().filter(|path| path[1..].split('/').next() == Some(name));
            !matches!(name, "usr" | "bin" | "sbin" | "lib" | "lib64")
                && below.any(|path| !Path::new(path).is_dir())
        };
        for entry in fs::read_dir("/")? {
            let entry = entry?;
            let name = entry.file_name();
            let text = name.to_string_lossy();
            if NOT_SHARED.contains(&&*text) || lacks_mount_point(&text) {
                continue;
            }
            let kind = entry.file_type()?;
            let target = root.join(&name);
            if kind.is_symlink() {
                symlink(fs::read_link(entry.path())?, target)?;
            } else if kind.is_dir() {
                fs::create_dir(&target)?;
                bind_all(&entry.path(), &target)?;
            }
        }
        for path in &self.persistent {
            let target = root.join(&path[1..]);
            let top = root.join(path[1..].split('/').next().unwrap_or_default());
            if !top.exists() {
                fs::create_dir_all(target)?;
            }
        }
        Ok(())
    }

    fn bind_script(&self, root: &Path) -> io::Result<()> {
        let Some((script, copy)) = &self.script else { return Ok(()) };
        let (Some(folder), Some(name)) = (script.parent(), script.file_name()) else {
            return Ok(());
        };
        let target = root.join(SCRIPT);
        bind_all(folder, &target)?;
        bind(copy, &target.join(name))
    }

    fn mount_persistent(&self, root: &Path) -> io::Result<()> {
        let medium = root.join(PERSISTENT);
        memory(&medium, self.size)?;
        for path in &self.persistent {
            let source = medium.join(&path[1..]);
            let target = root.join(&path[1..]);
            fs::create_dir_all(&source)?;
            if !target.is_dir() {
                step(
                    &format!(
                        "persistent folder {path} does not exist on this machine, and cannot be created"
                    ),
                    fs::create_dir_all(&target),
                )?;
            }
            bind(&source, &target)?;
        }
        Ok(())
    }
}

/// Mounts a folder of links over `/usr/sbin`: to all its entries, to `nvram` and to `service`. The original folder is
/// mounted at `original`.
fn add_nvram(root: &Path, original: &Path) -> io::Result<()> {
    let sbin = root.join(SBIN);
    fs::create_dir(original)?;
    bind_all(&sbin, original)?;
    memory(&sbin, None)?;
    for entry in fs::read_dir(original)? {
        let name = entry?.file_name();
        if name != "nvram" && name != SERVICE {
            symlink(Path::new(MACHINE).join("usr-sbin").join(&name), sbin.join(&name))?;
        }
    }
    for name in ["nvram", SERVICE] {
        symlink(Path::new(HARNESS).join("bin").join(name), sbin.join(name))?;
    }
    Ok(())
}

fn make_devices(dev: &Path) -> io::Result<()> {
    memory(dev, None)?;
    for name in DEVICES {
        let device = Path::new("/dev").join(name);
        if device.exists() {
            fs::write(dev.join(name), "")?;
            bind(&device, &dev.join(name))?;
        }
    }
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        symlink(target, dev.join(name))?;
    }
    Ok(())
}

/// Mounts a `/proc` with the processes of this sandbox. If the kernel refuses that, because a container hides parts of
/// `/proc`, mounts the machine's `/proc`. Its processes are then visible, but cannot be reached.
fn mount_proc(proc: &Path) -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    match mount("proc", proc, "proc", flags, None) {
        Ok(()) => Ok(()),
        Err(_) => bind_all(Path::new("/proc"), proc),
    }
}
