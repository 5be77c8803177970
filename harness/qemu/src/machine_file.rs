//! Machine files: how a router image that leaselab has not built is booted and controlled.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use dnsmasq_model::ReleaseError;
use serde::Deserialize;

use backend::read_bounded;

use super::arch::Arch;
use super::error::QemuError;
use super::guest_channel::{ConsoleProtocol, GuestChannel};
use super::guest_config::{
    self, EmulationOptions, FileTransfer, FlashChip, GuestConfig, NVRAM_DEVICE,
};
use super::guest_file::GuestFile;
use super::timeouts::Timeouts;

/// Stands for the cache folder at the beginning of a path.
const CACHE: &str = "{cache}";

/// The folder of the harness's busybox in a guest.
const TOOLS: &str = "/tmp/lab/tools";

/// Maximum size of a machine file in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Maximum size of an executable for the guest in bytes.
const MAX_EXECUTABLE: u64 = 64 << 20;

/// A machine file (TOML). Only `arch` is required.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MachineFile {
    /// `x86_64` or `mipsel`.
    arch: Arch,
    /// QEMU's machine; default: the one that leaselab's own images run on.
    machine: Option<String>,
    /// QEMU's processor.
    cpu: Option<String>,
    /// MiB of RAM.
    memory: Option<u32>,
    /// Name of the serial console's device in the guest.
    #[serde(default = "console")]
    console: String,
    /// Kernel parameters besides `console=`.
    #[serde(default)]
    append: String,
    /// The text with which the console asks for Enter; empty if it shows a prompt without it.
    #[serde(default = "activate")]
    activate: String,
    /// The end of the shell's prompt.
    #[serde(default = "prompt")]
    prompt: String,
    /// How the harness's files get into the guest.
    #[serde(default = "files")]
    files: FileTransfer,
    /// With `files = "disk"`: name of the disk's device in the guest.
    #[serde(default = "disk")]
    disk: String,
    /// The LAN interface.
    #[serde(default = "interface")]
    interface: String,
    /// Shell commands that run first after each boot, when the interface exists: for example to stop the image's own dnsmasq.
    #[serde(default)]
    prepare: String,
    /// The release of the image's dnsmasq; default: a guest is booted and asked for it.
    dnsmasq: Option<String>,
    /// The program that the image's dnsmasq calls and that runs the script that `USER_DHCPSCRIPT` names, for example
    /// OpenWrt's `/usr/lib/dnsmasq/dhcp-script.sh`; default: dnsmasq calls the script itself.
    #[serde(default)]
    wrapper: String,
    /// Shell words before dnsmasq's command that start it in a jail, which must contain `/lab` and, writable, `/tmp/lab`.
    #[serde(default)]
    jail: String,
    /// Path of the nvram tool in the image; default: `/usr/sbin/nvram`, or the emulated nvram with `our-nvram`.
    nvram: Option<String>,
    /// The block device of the nvram, as a shell word; default: the MTD partition `nvram`, through mtdblock.
    device: Option<String>,
    /// The statically linked emulated nvram to copy into the guest.
    our_nvram: Option<PathBuf>,
    /// The statically linked lease-update to copy into the guest, for scenarios with `use = "rust"`.
    our_lease_update: Option<PathBuf>,
    /// A statically linked busybox to copy into the guest, if the image's lacks `base64`, `mkfifo`, `setsid`, `stty` or
    /// `usleep`. The script does not find it in its PATH.
    our_busybox: Option<PathBuf>,
    /// Bytes of an erase block of the flash; default: the machine's.
    erase: Option<u32>,
}

fn console() -> String {
    "ttyS0".to_owned()
}

fn activate() -> String {
    "Please press Enter to activate this console".to_owned()
}

fn prompt() -> String {
    "# ".to_owned()
}

fn files() -> FileTransfer {
    FileTransfer::Initrd
}

fn disk() -> String {
    "vda".to_owned()
}

fn interface() -> String {
    "br-lan".to_owned()
}

impl MachineFile {
    /// Reads a machine file. `{cache}` at the beginning of a path stands for the folder `cache`; other paths are relative
    /// to the machine file.
    ///
    /// # Errors
    /// When it cannot be read or is invalid: with the place in the file.
    pub fn read(path: &Path, cache: &Path) -> Result<Self, QemuError> {
        let text = read_bounded(path, MAX_BYTES).map_err(QemuError::input(path))?;
        let text = String::from_utf8(text)
            .map_err(|error| QemuError::Input(format!("{}: {error}", path.display())))?;
        let mut machine: Self = toml::from_str(&text)
            .map_err(|error| QemuError::Input(format!("{}: {error}", path.display())))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for file in
            [&mut machine.our_nvram, &mut machine.our_lease_update, &mut machine.our_busybox]
                .into_iter()
                .flatten()
        {
            *file = match file.strip_prefix(CACHE) {
                Ok(rest) => cache.join(rest),
                Err(_) => folder.join(&*file),
            };
        }
        Ok(machine)
    }

    /// The machine that guests emulate.
    pub fn arch(&self) -> Arch {
        self.arch
    }

    /// Guests of the image `KERNEL[,INITRD][,DISK]`; an empty name leaves a file out.
    ///
    /// # Errors
    /// When a file is missing or for another machine, or QEMU is not installed.
    pub fn guest_config(
        &self,
        files: &str,
        emulation: &EmulationOptions,
    ) -> Result<GuestConfig, QemuError> {
        let arch = self.arch;
        let release = self.dnsmasq.as_deref().map(str::parse).transpose().map_err(
            |error: ReleaseError| {
                QemuError::Input(format!("`dnsmasq` in the machine file: {error}"))
            },
        )?;
        let mut names =
            files.split(',').map(|name| (!name.is_empty()).then(|| PathBuf::from(name)));
        let kernel = names.next().flatten().ok_or_else(|| {
            QemuError::Input(format!(
                "invalid --image \"{files}\": the first file must be a kernel"
            ))
        })?;
        let (initrd, disk) = (names.next().flatten(), names.next().flatten());
        if names.next().is_some() {
            return Err(QemuError::Input(format!(
                "invalid --image \"{files}\": expected KERNEL[,INITRD][,DISK]"
            )));
        }
        for file in [Some(&kernel), initrd.as_ref(), disk.as_ref()].into_iter().flatten() {
            fs::File::open(file).map_err(QemuError::input(file))?;
        }
        check_kernel(arch, &kernel)?;
        if self.files == FileTransfer::Initrd && initrd.is_none() && disk.is_some() {
            return Err(QemuError::Input(
                "files = \"initrd\" requires an image whose root is its initrd: set files = \"disk\" in the \
                 machine file"
                    .to_owned(),
            ));
        }
        let machine = self.machine_options();
        let chip = guest_config::flash_chip(arch);
        let mut files = guest_config::guest_scripts();
        let mut unpack = match self.files {
            FileTransfer::Initrd => String::new(),
            FileTransfer::Disk => format!("cd / && tar xf /dev/{} && ", self.disk),
        };
        unpack += "cd /";
        for (path, source) in [
            ("lab/our-nvram", &self.our_nvram),
            ("lab/lease-update", &self.our_lease_update),
            ("lab/busybox", &self.our_busybox),
        ] {
            if let Some(file) = source {
                let bytes = read_program(arch, file)?;
                files.push(GuestFile::executable(path, bytes));
            }
        }
        if self.our_busybox.is_some() {
            _ = write!(
                unpack,
                "; mkdir -p {TOOLS}; /lab/busybox --install -s {TOOLS}; export PATH=$PATH:{TOOLS}"
            );
        }
        let mut config = GuestConfig {
            arch,
            qemu: guest_config::find_qemu(arch)?,
            machine,
            kernel,
            initrd,
            disk,
            append: format!("console={} panic=-1 {} {}", self.console, arch.append(), self.append),
            channel: GuestChannel::Console(ConsoleProtocol {
                activate: self.activate.clone(),
                prompt: self.prompt.clone(),
                unpack,
                device: self.console.clone(),
            }),
            file_transfer: self.files,
            flash: FlashChip { erase: self.erase.unwrap_or(chip.erase), ..chip },
            interface: self.interface.clone(),
            release,
            wrapper: self.wrapper.clone(),
            jail: self.jail.clone(),
            staging: match self.our_nvram {
                Some(_) => guest_config::OUR_STAGING,
                None => guest_config::OPENWRT_STAGING,
            }
            .to_owned(),
            tools: self.our_busybox.as_ref().map_or_else(String::new, |_| format!(":{TOOLS}")),
            prepare: self.prepare.clone(),
            nvram_tool: match (&self.our_nvram, &self.nvram) {
                (Some(_), _) => "/lab/our-nvram".to_owned(),
                (None, Some(tool)) => tool.clone(),
                (None, None) => "/usr/sbin/nvram".to_owned(),
            },
            nvram_device: self.device.clone().unwrap_or_else(|| NVRAM_DEVICE.to_owned()),
            lease_update: "lab/lease-update".to_owned(),
            files,
            timeouts: Timeouts::new(emulation.boot_limit),
        };
        config.accelerate(emulation);
        Ok(config)
    }

    /// QEMU's options for the machine, its processor and its memory.
    fn machine_options(&self) -> Vec<String> {
        let arch = self.arch;
        let mut words: Vec<String> = match (&self.machine, &self.cpu) {
            (None, None) => arch.machine().iter().map(|word| (*word).to_owned()).collect(),
            (machine, cpu) => {
                let name = machine.clone().unwrap_or_else(|| arch.machine()[1].to_owned());
                let mut words = vec!["-M".to_owned(), name];
                if let Some(cpu) = cpu {
                    words.extend(["-cpu".to_owned(), cpu.clone()]);
                }
                words
            }
        };
        let memory = self.memory.unwrap_or(arch.memory());
        words.extend(["-m".to_owned(), memory.to_string()]);
        words
    }
}

/// Reads a program that is copied into the guest.
fn read_program(arch: Arch, path: &Path) -> Result<Vec<u8>, QemuError> {
    read_bounded(path, MAX_EXECUTABLE).map_err(|error| {
        QemuError::Input(format!(
            "{}: {error}: `leaselab qemu build --arch {arch}` leaves nvram, lease-update and busybox in \
             {CACHE}/images/{arch}/programs",
            path.display()
        ))
    })
}

/// Refuses a kernel for another machine, which would hang without any output. It is recognised by ELF's `e_machine`, or by
/// the magic number of the x86 boot protocol (Linux, Documentation/arch/x86/boot.rst).
fn check_kernel(arch: Arch, path: &Path) -> Result<(), QemuError> {
    const HEADER: usize = 0x202;
    let mut head = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(HEADER as u64 + 4).read_to_end(&mut head))
        .map_err(QemuError::input(path))?;
    let machine = head.get(18..20).filter(|_| head.starts_with(b"\x7fELF"));
    let found = match (machine, head.get(HEADER..)) {
        (Some([62, 0]), _) | (None, Some(b"HdrS")) => "x86_64",
        (Some([8, 0]), _) => "mipsel",
        (Some(_), _) => "another architecture",
        _ => return Ok(()),
    };
    if found == arch.name() {
        return Ok(());
    }
    Err(QemuError::Input(format!(
        "{}: kernel for {found}, but `arch` in the machine file is {arch}",
        path.display()
    )))
}
