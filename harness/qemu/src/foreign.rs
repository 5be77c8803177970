//! Somebody else's router image: what it runs on and how it is spoken to.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::arch::Arch;
use super::console::Manners;
use super::error::QemuError;
use super::guest::Entrance;
use super::lab::{self, Chip, Files, Lab, NVRAM_DEVICE, Wishes};
use super::patience::Patience;

/// A machine file. Only `arch` must be there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Foreign {
    /// Which QEMU: `x86_64` or `mipsel`.
    arch: Architecture,
    /// QEMU's machine; default: the one that our own images run on.
    machine: Option<String>,
    /// QEMU's processor.
    cpu: Option<String>,
    /// MiB of RAM.
    memory: Option<u32>,
    /// The serial console's device in the guest.
    #[serde(default = "console")]
    console: String,
    /// Words for the kernel, `console=` aside.
    #[serde(default)]
    append: String,
    /// The text after which a console wants Enter; empty: it shows a prompt by itself.
    #[serde(default = "activate")]
    activate: String,
    /// The end of the shell's prompt.
    #[serde(default = "prompt")]
    prompt: String,
    /// How our files get in.
    #[serde(default = "files")]
    files: Files,
    /// With `files = "disk"`: the disk's device in the guest.
    #[serde(default = "disk")]
    disk: String,
    /// The interface of the LAN.
    #[serde(default = "interface")]
    interface: String,
    /// Shell commands before anything else: stop the image's own dnsmasq, free the interface.
    #[serde(default)]
    prepare: String,
    /// The image's nvram tool, where it has one that stands this project's tests; default: ours is brought in.
    nvram: Option<String>,
    /// The nvram's device; default: the MTD partition `nvram`, through mtdblock.
    device: Option<String>,
    /// The static fake nvram to bring in.
    our_nvram: Option<PathBuf>,
    /// The static lease-update to bring in, for scenarios with `use = "rust"`.
    our_lease_update: Option<PathBuf>,
    /// A static busybox to bring in, where the image's lacks `base64`.
    our_busybox: Option<PathBuf>,
    /// Bytes of an erase block of the flash; default: the machine's.
    erase: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum Architecture {
    #[serde(rename = "x86_64")]
    X86_64,
    #[serde(rename = "mipsel")]
    Mipsel,
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

fn files() -> Files {
    Files::Initrd
}

fn disk() -> String {
    "vda".to_owned()
}

fn interface() -> String {
    "br-lan".to_owned()
}

impl Foreign {
    /// Reads a machine file.
    ///
    /// # Errors
    /// With the place, where it says what cannot be.
    pub fn read(path: &Path) -> Result<Self, QemuError> {
        let text = fs::read_to_string(path).map_err(QemuError::input(path))?;
        let mut foreign: Self = toml::from_str(&text)
            .map_err(|error| QemuError::Input(format!("{}: {error}", path.display())))?;
        // Paths in the file begin where the file lies.
        let folder = path.parent().unwrap_or(Path::new("."));
        for file in
            [&mut foreign.our_nvram, &mut foreign.our_lease_update, &mut foreign.our_busybox]
                .into_iter()
                .flatten()
        {
            *file = folder.join(&*file);
        }
        Ok(foreign)
    }

    fn arch(&self) -> Arch {
        match self.arch {
            Architecture::X86_64 => Arch::X86_64,
            Architecture::Mipsel => Arch::Mipsel,
        }
    }

    /// Whether its clock ends in 2038.
    pub fn is_narrow(&self) -> bool {
        self.arch() == Arch::Mipsel
    }

    /// Guests of an image, `KERNEL[,INITRD][,DISK]`; an empty word leaves a file out.
    ///
    /// # Errors
    /// A file that is missing, QEMU that is not here.
    pub fn lab(&self, files: &str, wishes: &Wishes) -> Result<Lab, QemuError> {
        let arch = self.arch();
        let mut words =
            files.split(',').map(|word| (!word.is_empty()).then(|| PathBuf::from(word)));
        let kernel = words.next().flatten().ok_or_else(|| {
            QemuError::Input("--image: a kernel is what a guest begins with".to_owned())
        })?;
        let (initrd, disk) = (words.next().flatten(), words.next().flatten());
        if words.next().is_some() {
            return Err(QemuError::Input("--image takes KERNEL[,INITRD][,DISK]".to_owned()));
        }
        for file in [Some(&kernel), initrd.as_ref(), disk.as_ref()].into_iter().flatten() {
            fs::File::open(file).map_err(QemuError::input(file))?;
        }
        check_kernel(arch, &kernel)?;
        if self.files == Files::Initrd && initrd.is_none() && disk.is_some() {
            return Err(QemuError::Input(
                "files = \"initrd\" wants an image whose root is its initrd: take files = \"disk\""
                    .to_owned(),
            ));
        }
        let mut machine = match (&self.machine, &self.cpu) {
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
        machine.extend(["-m".to_owned(), memory.to_string()]);
        let chip = lab::chip(arch);
        let mut brought = lab::brought();
        let mut bring = match self.files {
            Files::Initrd => String::new(),
            Files::Disk => format!("cd / && tar xf /dev/{} && ", self.disk),
        };
        bring += "cd /";
        for (path, source) in [
            ("lab/our-nvram", &self.our_nvram),
            ("lab/lease-update", &self.our_lease_update),
            ("lab/busybox", &self.our_busybox),
        ] {
            if let Some(file) = source {
                let bytes = fs::read(file).map_err(QemuError::input(file))?;
                brought.push((path.to_owned(), 0o755, bytes));
            }
        }
        if self.our_busybox.is_some() {
            bring += "; mkdir -p /tmp/lab/tools; /lab/busybox --install -s /tmp/lab/tools; \
                      export PATH=$PATH:/tmp/lab/tools";
        }
        let mut lab = Lab {
            qemu: lab::find_qemu(arch)?,
            machine,
            kernel,
            initrd,
            disk,
            append: format!("console={} panic=-1 {} {}", self.console, arch.append(), self.append),
            entrance: Entrance::Console(Manners {
                activate: self.activate.clone(),
                prompt: self.prompt.clone(),
                bring,
                device: self.console.clone(),
            }),
            files: self.files,
            flash: Chip { erase: self.erase.unwrap_or(chip.erase), ..chip },
            interface: self.interface.clone(),
            prepare: self.prepare.clone(),
            own_nvram: Some(match (&self.our_nvram, &self.nvram) {
                (Some(_), _) => "/lab/our-nvram".to_owned(),
                (None, Some(tool)) => tool.clone(),
                (None, None) => "/usr/sbin/nvram".to_owned(),
            }),
            nvram_device: self.device.clone().unwrap_or_else(|| NVRAM_DEVICE.to_owned()),
            lease_update: "lab/lease-update".to_owned(),
            brought,
            patience: Patience::new(wishes.boot_limit),
        };
        lab.accelerate(arch, wishes);
        Ok(lab)
    }
}

/// Whether a kernel is plainly for another machine: it would run into nowhere without a word. ELF's `e_machine`; the
/// boot protocol's magic number (Linux, Documentation/arch/x86/boot.rst).
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
        "{}: a kernel for {found}, and the machine file says {arch}",
        path.display()
    )))
}
