//! What all guests of a run have in common: machine, image, how the nvram lies in its flash.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::arch::{Arch, FLASH_BYTES, PARTITION_BYTES, PARTITION_START};
use super::error::QemuError;
use super::guest::Entrance;
use super::image::Image;
use super::patience::Patience;
use super::{tools, wear};

/// The network interface's hardware address, by which an image finds it.
pub(super) const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// The MTD partition with that name, by its number.
pub(super) const NVRAM_DEVICE: &str =
    "/dev/mtdblock$(sed -n 's/^mtd\\([0-9]*\\):.*\"nvram\".*/\\1/p' /proc/mtd)";

/// Our own files, which the harness and they must be of one version.
pub(super) fn brought() -> Vec<(String, u32, Vec<u8>)> {
    const OWN: &[(&str, &str)] = &[
        ("lab/agent", include_str!("../guest/agent")),
        ("lab/hook", include_str!("../guest/hook")),
        ("lab/look", include_str!("../guest/look")),
        ("lab/words", include_str!("../guest/words")),
        ("lab/bin/nvram", include_str!("../guest/nvram")),
    ];
    OWN.iter().map(|(path, text)| ((*path).to_owned(), 0o755, text.as_bytes().to_vec())).collect()
}

/// A kind of machine with an image in it.
#[derive(Clone, Debug)]
pub struct Lab {
    /// QEMU's executable.
    pub(super) qemu: PathBuf,
    /// Machine, processor, memory, accelerator.
    pub(super) machine: Vec<String>,
    /// The kernel.
    pub(super) kernel: PathBuf,
    /// Its first root.
    pub(super) initrd: Option<PathBuf>,
    /// A disk with the root, of which nothing is kept.
    pub(super) disk: Option<PathBuf>,
    /// Words for the kernel.
    pub(super) append: String,
    /// How commands get in.
    pub(super) entrance: Entrance,
    /// How our files get in.
    pub(super) files: Files,
    /// The flash.
    pub(super) flash: Chip,
    /// The interface that dnsmasq serves.
    pub(super) interface: String,
    /// What runs in the guest before anything else.
    pub(super) prepare: String,
    /// The nvram tool in the image; `None`: ours.
    pub(super) own_nvram: Option<String>,
    /// The nvram's device, as a shell word.
    pub(super) nvram_device: String,
    /// lease-update in the image.
    pub(super) lease_update: String,
    /// Files for every boot: path, mode, bytes.
    pub(super) brought: Vec<(String, u32, Vec<u8>)>,
    /// How long things take on this machine.
    pub(super) patience: Patience,
}

/// How our files get into a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Files {
    /// Behind its initrd.
    Initrd,
    /// On a disk of their own, as a tar archive.
    Disk,
}

/// A flash chip and the partition that holds the nvram.
#[derive(Clone, Debug)]
pub(super) struct Chip {
    /// Bytes of the chip.
    pub(super) size: usize,
    /// Where the partition begins.
    pub(super) start: usize,
    /// Bytes of the partition.
    pub(super) partition: usize,
    /// Bytes of an erase block.
    pub(super) erase: u32,
    /// QEMU's options, `{file}` for the chip's file.
    pub(super) options: Vec<String>,
}

/// What the user may say about the emulation.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// KVM instead of TCG.
    pub kvm: bool,
    /// The longest that a first boot may take.
    pub boot_limit: Option<Duration>,
}

impl Lab {
    /// Guests of an image that [`super::image::build`] made.
    ///
    /// # Errors
    /// QEMU is not here.
    pub fn of_image(image: &Image, wishes: &Wishes) -> Result<Self, QemuError> {
        let arch = image.arch;
        let mut machine: Vec<String> =
            arch.machine().iter().map(|word| (*word).to_owned()).collect();
        machine.extend(["-m".to_owned(), arch.memory().to_string()]);
        let mut lab = Self {
            qemu: find_qemu(arch)?,
            machine,
            kernel: image.kernel.clone(),
            initrd: Some(image.initrd.clone()),
            disk: None,
            append: format!(
                "console=ttyS0 quiet panic=-1 rdinit=/init lab.agent=vport0p1 {}",
                arch.append()
            ),
            entrance: Entrance::Port,
            files: Files::Initrd,
            flash: chip(arch),
            interface: "br0".to_owned(),
            prepare: String::new(),
            own_nvram: None,
            nvram_device: NVRAM_DEVICE.to_owned(),
            lease_update: "usr/sbin/lease-update".to_owned(),
            brought: brought(),
            patience: Patience::new(wishes.boot_limit),
        };
        lab.accelerate(arch, wishes);
        Ok(lab)
    }

    /// The same with KVM where a guest's kernel says its first words with it; else with TCG. `/dev/kvm` can be
    /// there, make a machine, and never run it.
    #[must_use]
    pub fn probe(mut self) -> Self {
        if !super::probe::boots(&self) {
            for word in &mut self.machine {
                if word == "kvm" {
                    "tcg,tb-size=64".clone_into(word);
                }
            }
        }
        self
    }

    /// TCG, or KVM where it was asked for.
    pub(super) fn accelerate(&mut self, arch: Arch, wishes: &Wishes) {
        let words: [&str; 2] = match (wishes.kvm, arch) {
            (true, Arch::X86_64) => ["-accel", "kvm"],
            _ => ["-accel", "tcg,tb-size=64"],
        };
        self.machine.extend(words.map(str::to_owned));
    }

    /// The chip's erase block, bytes.
    pub fn erase_block(&self) -> u32 {
        self.flash.erase
    }

    /// The partition, bytes.
    pub fn partition(&self) -> usize {
        self.flash.partition
    }

    /// QEMU's options for one boot; `work` holds files and sockets. `rtc` is seconds since 1970.
    pub(super) fn options(&self, work: &Path, initrd: Option<&Path>, rtc: i64) -> Vec<String> {
        let file = |name: &str| work.join(name).display().to_string();
        let base = jiff::Timestamp::from_second(rtc.max(0)).unwrap_or_default();
        let mut words = self.machine.clone();
        let mut add = |list: &[&str]| words.extend(list.iter().map(|word| (*word).to_owned()));
        add(&["-display", "none", "-no-reboot", "-nodefaults", "-no-user-config"]);
        add(&["-kernel", &self.kernel.display().to_string(), "-append", &self.append]);
        if let Some(initrd) = initrd {
            add(&["-initrd", &initrd.display().to_string()]);
        }
        if let Some(disk) = &self.disk {
            let drive = format!("file={},format=raw,if=virtio,snapshot=on", disk.display());
            add(&["-drive", &drive]);
        }
        if self.files == Files::Disk {
            let drive = format!("file={},format=raw,if=virtio,readonly=on", file("files.tar"));
            add(&["-drive", &drive]);
        }
        add(&["-rtc", &format!("base={},clock=vm", base.strftime("%Y-%m-%dT%H:%M:%S"))]);
        let agent = format!("socket,id=agent,path={}", file("agent"));
        match &self.entrance {
            Entrance::Port => {
                let console = format!("file,id=console,path={}", file("console.log"));
                add(&["-chardev", &console, "-serial", "chardev:console"]);
                add(&["-chardev", &agent, "-device", "virtio-serial-pci"]);
                add(&["-device", "virtserialport,chardev=agent,name=agent"]);
            }
            Entrance::Console(_) => {
                let both = format!("{agent},logfile={}", file("console.log"));
                add(&["-chardev", &both, "-serial", "chardev:agent"]);
            }
        }
        let cable = format!(
            "dgram,id=lan,local.type=unix,local.path={},remote.type=unix,remote.path={}",
            file("guest"),
            file("clients")
        );
        let mac: Vec<String> = MAC.iter().map(|byte| format!("{byte:02x}")).collect();
        let card = format!("virtio-net-pci,netdev=lan,romfile=,mac={}", mac.join(":"));
        add(&["-netdev", &cable, "-device", &card]);
        for option in &self.flash.options {
            add(&[&option.replace("{file}", &file("flash.bin"))]);
        }
        if !self.flash.options.is_empty() {
            add(&["-trace", &format!("enable={},file={}", wear::EVENT, file("trace"))]);
        }
        words
    }
}

/// QEMU for an architecture.
pub(super) fn find_qemu(arch: Arch) -> Result<PathBuf, QemuError> {
    let (program, package) = arch.qemu();
    tools::find(program, package)
}

/// The flash of the machines that images are built for.
pub(super) fn chip(arch: Arch) -> Chip {
    Chip {
        size: FLASH_BYTES,
        start: PARTITION_START,
        partition: PARTITION_BYTES,
        erase: arch.erase_block(),
        options: arch.flash("{file}"),
    }
}
