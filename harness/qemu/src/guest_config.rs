//! The configuration of all guests of a run: QEMU's machine, the image, and the place of the nvram in the flash.

use std::path::{Path, PathBuf};
use std::time::Duration;

use dnsmasq_model::{Release, hex_text};

use super::arch::{Arch, FLASH_BYTES, PARTITION_BYTES, PARTITION_START};
use super::erase_trace;
use super::error::QemuError;
use super::guest_channel::GuestChannel;
use super::guest_file::GuestFile;
use super::image::{Image, Manifest};
use super::timeouts::Timeouts;
use super::tools;

/// The hardware address by which an image finds its LAN interface (`harness/qemu/guest/init`).
pub(super) const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// A shell word: the block device of the MTD partition `nvram`.
pub(super) const NVRAM_DEVICE: &str =
    "/dev/mtdblock$(sed -n 's/^mtd\\([0-9]*\\):.*\"nvram\".*/\\1/p' /proc/mtd)";

/// The file in which the emulated nvram stages changes. It is among the harness's files, which dnsmasq sees also in a jail
/// with a /tmp of its own.
pub(super) const OUR_STAGING: &str = "/tmp/lab/nvram-staging";

/// The file in which OpenWrt's nvram stages changes.
pub(super) const OPENWRT_STAGING: &str = "/tmp/.nvram";

/// The guest's side of the harness. Its files are copied into the guest at each boot, so that their version always matches
/// the harness.
pub(super) fn guest_scripts() -> Vec<GuestFile> {
    const OWN: &[(&str, &str)] = &[
        ("lab/agent", include_str!("../guest/agent")),
        ("lab/script-hook", include_str!("../guest/script-hook")),
        ("lab/poll-state", include_str!("../guest/poll-state")),
        ("lab/encode-args", include_str!("../guest/encode-args")),
        ("lab/daemon-pid", include_str!("../guest/daemon-pid")),
        ("lab/bin/nvram", include_str!("../guest/nvram")),
    ];
    OWN.iter().map(|(path, text)| GuestFile::executable(*path, *text)).collect()
}

/// QEMU's accelerators.
const KVM: &str = "kvm";
const TCG: &str = "tcg,tb-size=64";

/// A machine, an image, and how the harness uses it.
#[derive(Clone, Debug)]
pub struct GuestConfig {
    pub(super) arch: Arch,
    pub(super) qemu: PathBuf,
    /// QEMU's options for machine, processor, memory and accelerator.
    pub(super) machine: Vec<String>,
    pub(super) kernel: PathBuf,
    pub(super) initrd: Option<PathBuf>,
    /// A disk with the root file system. Writes to it are discarded.
    pub(super) disk: Option<PathBuf>,
    /// Kernel parameters.
    pub(super) append: String,
    /// How commands get into the guest.
    pub(super) channel: GuestChannel,
    /// How files get into the guest.
    pub(super) file_transfer: FileTransfer,
    pub(super) flash: FlashChip,
    /// The LAN interface.
    pub(super) interface: String,
    /// The release of the guest's dnsmasq; `None` until the first guest has told it.
    pub(super) release: Option<Release>,
    /// The program that the image's dnsmasq calls, and that runs the user's script in turn; empty if dnsmasq calls the
    /// script itself.
    pub(super) wrapper: String,
    /// Shell words before dnsmasq's command, which start it in a jail; empty if there is none.
    pub(super) jail: String,
    /// The file in which the nvram tool stages changes.
    pub(super) staging: String,
    /// Folders of the harness's own programs in the guest, after those of the image: words of a PATH.
    pub(super) tools: String,
    /// Shell commands that run first after each boot.
    pub(super) prepare: String,
    /// Path of the nvram tool in the guest.
    pub(super) nvram_tool: String,
    /// A shell word: the block device of the nvram.
    pub(super) nvram_device: String,
    /// Path of lease-update in the guest, without the leading slash.
    pub(super) lease_update: String,
    /// Files that every boot gets.
    pub(super) files: Vec<GuestFile>,
    pub(super) timeouts: Timeouts,
}

/// How the harness's files get into a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileTransfer {
    /// As an archive that is appended to the initrd.
    Initrd,
    /// As a tar archive on a separate disk.
    Disk,
}

/// A flash chip with the nvram partition.
#[derive(Clone, Debug)]
pub(super) struct FlashChip {
    /// Bytes of the chip.
    pub(super) size: usize,
    /// Offset of the partition.
    pub(super) start: usize,
    /// Bytes of the partition.
    pub(super) partition: usize,
    /// Bytes of an erase block.
    pub(super) erase: u32,
    /// QEMU's options, in which `{file}` stands for the file with the chip's contents.
    pub(super) options: Vec<String>,
}

/// The user's options for the emulation.
#[derive(Clone, Debug, Default)]
pub struct EmulationOptions {
    /// Use KVM instead of TCG.
    pub kvm: bool,
    /// How long the first boot may take. Later limits follow from the time that boots took, and are not below this.
    pub boot_limit: Option<Duration>,
}

impl GuestConfig {
    /// Guests of an image that [`super::image::build`] made.
    ///
    /// # Errors
    /// When QEMU is not installed.
    pub fn of_image(image: &Image, emulation: &EmulationOptions) -> Result<Self, QemuError> {
        let arch = image.arch;
        let mut machine: Vec<String> =
            arch.machine().iter().map(|word| (*word).to_owned()).collect();
        machine.extend(["-m".to_owned(), arch.memory().to_string()]);
        let mut config = Self {
            arch,
            qemu: find_qemu(arch)?,
            machine,
            kernel: image.kernel.clone(),
            initrd: Some(image.initrd.clone()),
            disk: None,
            append: format!(
                "console=ttyS0 quiet panic=-1 rdinit=/init lab.agent=vport0p1 {}",
                arch.append()
            ),
            channel: GuestChannel::VirtioPort,
            file_transfer: FileTransfer::Initrd,
            flash: flash_chip(arch),
            interface: "br0".to_owned(),
            release: Self::release_in(image),
            wrapper: String::new(),
            jail: String::new(),
            staging: OUR_STAGING.to_owned(),
            tools: String::new(),
            prepare: String::new(),
            nvram_tool: "/usr/lib/leaselab/nvram".to_owned(),
            nvram_device: NVRAM_DEVICE.to_owned(),
            lease_update: "usr/sbin/lease-update".to_owned(),
            files: guest_scripts(),
            timeouts: Timeouts::new(emulation.boot_limit),
        };
        config.accelerate(emulation);
        Ok(config)
    }

    /// The release of dnsmasq that an image contains, according to its manifest.
    fn release_in(image: &Image) -> Option<Release> {
        let manifest = Manifest::read(image.arch, image.kernel.parent()?).ok()?;
        let package = manifest.packages.iter().find(|package| package.name == "dnsmasq-base")?;
        Release::of_program(&package.version)
    }

    /// Adds QEMU's option for the accelerator.
    pub(super) fn accelerate(&mut self, emulation: &EmulationOptions) {
        let accelerator = match (emulation.kvm, self.arch) {
            (true, Arch::X86_64) => KVM,
            _ => TCG,
        };
        self.machine.extend(["-accel".to_owned(), accelerator.to_owned()]);
    }

    /// This configuration with TCG instead of KVM.
    #[must_use]
    pub(super) fn without_kvm(mut self) -> Self {
        for option in self.machine.iter_mut().filter(|option| *option == KVM) {
            TCG.clone_into(option);
        }
        self
    }

    /// Whether the guest's clock ends in 2038.
    pub(super) fn has_32_bit_clock(&self) -> bool {
        self.arch.has_32_bit_clock()
    }

    /// Bytes of an erase block of the flash chip.
    pub fn erase_block(&self) -> u32 {
        self.flash.erase
    }

    /// Bytes of the nvram partition.
    pub fn partition(&self) -> usize {
        self.flash.partition
    }

    /// QEMU's options for one boot. `work` is the folder of files and sockets; `rtc` is in seconds since 1970.
    pub(super) fn options(&self, work: &Path, initrd: Option<&Path>, rtc: i64) -> Vec<String> {
        let file = |name: &str| work.join(name).display().to_string();
        let base = jiff::Timestamp::from_second(rtc.max(0)).unwrap_or_default();
        let mut options = self.machine.clone();
        let mut add =
            |list: &[&str]| options.extend(list.iter().map(|option| (*option).to_owned()));
        add(&["-display", "none", "-no-reboot", "-nodefaults", "-no-user-config"]);
        add(&["-kernel", &self.kernel.display().to_string(), "-append", &self.append]);
        if let Some(initrd) = initrd {
            add(&["-initrd", &initrd.display().to_string()]);
        }
        if let Some(disk) = &self.disk {
            let drive = format!("file={},format=raw,if=virtio,snapshot=on", disk.display());
            add(&["-drive", &drive]);
        }
        if self.file_transfer == FileTransfer::Disk {
            let drive = format!("file={},format=raw,if=virtio,readonly=on", file("files.tar"));
            add(&["-drive", &drive]);
        }
        add(&["-rtc", &format!("base={},clock=vm", base.strftime("%Y-%m-%dT%H:%M:%S"))]);
        let agent = format!("socket,id=agent,path={}", file("agent"));
        match &self.channel {
            GuestChannel::VirtioPort => {
                let console = format!("file,id=console,path={}", file("console.log"));
                add(&["-chardev", &console, "-serial", "chardev:console"]);
                add(&["-chardev", &agent, "-device", "virtio-serial-pci"]);
                add(&["-device", "virtserialport,chardev=agent,name=agent"]);
            }
            GuestChannel::Console(_) => {
                let both = format!("{agent},logfile={}", file("console.log"));
                add(&["-chardev", &both, "-serial", "chardev:agent"]);
            }
        }
        let network = format!(
            "dgram,id=lan,local.type=unix,local.path={},remote.type=unix,remote.path={}",
            file("guest"),
            file("clients")
        );
        let card = format!("virtio-net-pci,netdev=lan,romfile=,mac={}", hex_text(&MAC));
        add(&["-netdev", &network, "-device", &card]);
        for option in &self.flash.options {
            add(&[&option.replace("{file}", &file("flash.bin"))]);
        }
        if !self.flash.options.is_empty() {
            add(&["-trace", &format!("enable={},file={}", erase_trace::EVENT, file("trace"))]);
        }
        options
    }
}

/// Finds QEMU for an architecture.
///
/// # Errors
/// When it is not installed.
pub(super) fn find_qemu(arch: Arch) -> Result<PathBuf, QemuError> {
    let (program, package) = arch.qemu();
    tools::find(program, package)
}

/// The flash chip of the machines that images are built for.
pub(super) fn flash_chip(arch: Arch) -> FlashChip {
    FlashChip {
        size: FLASH_BYTES,
        start: PARTITION_START,
        partition: PARTITION_BYTES,
        erase: arch.erase_block(),
        options: arch.flash("{file}"),
    }
}
