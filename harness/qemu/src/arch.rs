//! The two machines that router images are built for.

use std::fmt;
use std::str::FromStr;

/// Bytes of the NOR flash chip of both machines.
pub(crate) const FLASH_BYTES: usize = 4 << 20;

/// Bytes of the MTD partition `nvram`, the last of the chip (`harness/qemu/guest/flash/flash.c`).
pub(crate) const PARTITION_BYTES: usize = 64 << 10;

/// Offset of the partition in the chip.
pub(crate) const PARTITION_START: usize = FLASH_BYTES - PARTITION_BYTES;

/// A machine that guests emulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub enum Arch {
    /// QEMU's PC.
    #[serde(rename = "x86_64")]
    X86_64,
    /// The MIPS Malta board, 32-bit little-endian: the closest to Broadcom's routers.
    #[serde(rename = "mipsel")]
    Mipsel,
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Arch {
    type Err = UnknownArch;

    fn from_str(text: &str) -> Result<Self, UnknownArch> {
        Self::ALL
            .into_iter()
            .find(|arch| arch.name() == text)
            .ok_or_else(|| UnknownArch(text.to_owned()))
    }
}

/// A text that names no [`Arch`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown architecture \"{0}\": expected x86_64 or mipsel")]
pub struct UnknownArch(String);

impl Arch {
    /// All architectures.
    pub const ALL: [Self; 2] = [Self::X86_64, Self::Mipsel];

    /// The name on the command line, in machine files and in file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Mipsel => "mipsel",
        }
    }

    /// Debian's name of the architecture.
    pub(super) fn debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Mipsel => "mipsel",
        }
    }

    /// The Debian package that depends on the newest kernel.
    pub(super) fn kernel_package(self) -> &'static str {
        match self {
            Self::X86_64 => "linux-image-amd64",
            Self::Mipsel => "linux-image-4kc-malta",
        }
    }

    /// Rust's target triple.
    pub(super) fn rust_target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-musl",
            Self::Mipsel => "mipsel-unknown-linux-musl",
        }
    }

    /// QEMU's executable, and the Debian package that contains it.
    pub fn qemu(self) -> (&'static str, &'static str) {
        match self {
            Self::X86_64 => ("qemu-system-x86_64", "qemu-system-x86"),
            Self::Mipsel => ("qemu-system-mipsel", "qemu-system-mips"),
        }
    }

    /// Prefix of the compiler for the kernel module; empty: the host's compiler.
    pub(super) fn cross_prefix(self) -> &'static str {
        match self {
            Self::X86_64 => "",
            Self::Mipsel => "mipsel-linux-gnu-",
        }
    }

    /// The Debian package of the linker, whose name begins with [`Self::cross_prefix`].
    pub(super) fn linker_package(self) -> &'static str {
        match self {
            Self::X86_64 => "binutils",
            Self::Mipsel => "binutils-mipsel-linux-gnu",
        }
    }

    /// QEMU's options for machine and processor.
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

    /// Additional kernel parameters.
    pub(super) fn append(self) -> &'static str {
        match self {
            // On a busy host the emulated timer fails the kernel's timer check.
            Self::X86_64 => "no_timer_check",
            Self::Mipsel => "",
        }
    }

    /// Whether `time_t` has 32 bits, so that clocks end in 2038.
    pub(crate) fn has_32_bit_clock(self) -> bool {
        self == Self::Mipsel
    }

    /// QEMU's options for a flash chip that is stored in `file`.
    pub(super) fn flash(self, file: &str) -> Vec<String> {
        match self {
            // Unit 0 is the BIOS, unit 1 the nvram chip, which is mapped below it.
            Self::X86_64 => vec![
                "-drive".into(),
                "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/seabios/bios-256k.bin"
                    .into(),
                "-drive".into(),
                format!("if=pflash,unit=1,format=raw,file={file}"),
            ],
            Self::Mipsel => vec!["-drive".into(), format!("if=pflash,format=raw,file={file}")],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed() {
        for arch in Arch::ALL {
            assert_eq!(arch.name().parse(), Ok(arch));
        }
        let error = "sparc".parse::<Arch>().expect_err("an unknown name").to_string();
        assert_eq!(error, "unknown architecture \"sparc\": expected x86_64 or mipsel");
    }
}
