//! The two machines that router images are built for.

use std::fmt;

/// Bytes of the NOR flash chip of both machines.
pub const FLASH_BYTES: usize = 4 << 20;

/// Bytes of the MTD partition `nvram`, the last of the chip (`harness/qemu/guest/flash/flash.c`).
pub const PARTITION_BYTES: usize = 64 << 10;

/// Where the partition begins in the chip.
pub const PARTITION_START: usize = FLASH_BYTES - PARTITION_BYTES;

/// An architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Arch {
    /// QEMU's PC.
    #[value(name = "x86_64")]
    X86_64,
    /// The MIPS Malta board, 32-bit little-endian: nearest to Broadcom's routers.
    Mipsel,
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Arch {
    /// The name on the command line and in file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Mipsel => "mipsel",
        }
    }

    /// Debian's name.
    pub(super) fn debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Mipsel => "mipsel",
        }
    }

    /// The package that depends on the newest kernel.
    pub(super) fn kernel_package(self) -> &'static str {
        match self {
            Self::X86_64 => "linux-image-amd64",
            Self::Mipsel => "linux-image-4kc-malta",
        }
    }

    /// What Rust calls it.
    pub(super) fn rust_target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Mipsel => "mipsel-unknown-linux-gnu",
        }
    }

    /// QEMU's executable, and Debian's package with it.
    pub fn qemu(self) -> (&'static str, &'static str) {
        match self {
            Self::X86_64 => ("qemu-system-x86_64", "qemu-system-x86"),
            Self::Mipsel => ("qemu-system-mipsel", "qemu-system-mips"),
        }
    }

    /// Prefix of the compiler for the kernel module; empty: the machine's own.
    pub(super) fn cross(self) -> &'static str {
        match self {
            Self::X86_64 => "",
            Self::Mipsel => "mipsel-linux-gnu-",
        }
    }

    /// Machine and processor.
    pub(super) fn machine(self) -> &'static [&'static str] {
        match self {
            Self::X86_64 => &["-M", "pc"],
            Self::Mipsel => &["-M", "malta", "-cpu", "24Kf"],
        }
    }

    /// MiB of RAM.
    pub(super) fn memory(self) -> u32 {
        match self {
            Self::X86_64 => 192,
            Self::Mipsel => 128,
        }
    }

    /// Bytes of an erase block of the flash that QEMU gives the machine.
    pub fn erase_block(self) -> u32 {
        match self {
            // hw/i386/pc_sysfw.c: FLASH_SECTOR_SIZE.
            Self::X86_64 => 4 << 10,
            // hw/mips/malta.c: FLASH_SIZE in blocks of 65536.
            Self::Mipsel => 64 << 10,
        }
    }

    /// Words for the kernel of this machine.
    pub(super) fn append(self) -> &'static str {
        match self {
            // On a busy host an emulated timer ticks too late for the kernel's test of it.
            Self::X86_64 => "no_timer_check",
            Self::Mipsel => "",
        }
    }

    /// QEMU's options for the flash chip in `file`.
    pub(super) fn flash(self, file: &str) -> Vec<String> {
        let words: Vec<String> = match self {
            // The first is the BIOS's, the second ours, right below it.
            Self::X86_64 => vec![
                "-drive".into(),
                "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/seabios/bios-256k.bin"
                    .into(),
                "-drive".into(),
                format!("if=pflash,unit=1,format=raw,file={file}"),
            ],
            Self::Mipsel => vec!["-drive".into(), format!("if=pflash,format=raw,file={file}")],
        };
        words
    }
}
