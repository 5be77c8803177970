//! An emulator of the `nvram` tool on a size-limited FLSH flash image. It shows the effects of a script on a router:
//! which variables fit, which are silently lost, the state after a power cut, and the number of flash erases.
//!
//! There are four layers, each of which can be used separately, and two more modules that read images and backups. None
//! depends on leases.
//!
//! | layer | contents |
//! |---|---|
//! | [`device`] | the flash: erase blocks, programming that only clears bits, wear, time, power cuts; cheap to clone |
//! | [`flsh`] | the image in flash: header, CRC, hash chains, silent overflow |
//! | [`dialect`] | the tools: commands, output, exit codes, RAM, the flash operations of a commit |
//! | [`emu`] | the `nvram` executable: environment variables, files, lock, device folders |
//! | [`backup`] | backups of variables: text of `nvram show`, vendors' files, images in flash dumps |
//! | [`judge`] | what boot loader, kernel and tool think of an image |
//!
//! [`Machine`] is a whole router in memory: a flash device and a dialect, controlled by the command lines of the tool.
//!
//! ```
//! use nvram_emu::device::{Chip, Flash};
//! use nvram_emu::flsh::{ChainRule, Format, Insert, Table, serialise};
//! use nvram_emu::{Dialect, Exit, Machine};
//!
//! let mut image = vec![0xFF; 0x8000];
//! let empty = Table::new(ChainRule::OPENWRT_MIPS, Insert::Head);
//! serialise(&empty, Format::OPENWRT, &mut image, 0x8000).expect("room for a header");
//! let flash = Flash::from_bytes(&image, 65536, Chip::SPI_NOR).expect("a geometry");
//! let mut router = Machine::new(Dialect::OpenWrt, flash, None);
//!
//! router.run(&[b"set", b"lan_ipaddr=192.168.1.1"]);
//! let before_commit = router.clone();
//! router.arm_cut(1, 100); // power fails in the second flash operation, after 100 bytes
//! assert_eq!(router.run(&[b"commit"]).exit, Exit::PowerLost);
//! router.reboot();
//! assert_eq!(router.flash().erases(), [1]);
//!
//! let mut other = before_commit;
//! assert_eq!(other.run(&[b"commit"]).exit, Exit::Code(0));
//! other.reboot();
//! assert_eq!(other.run(&[b"get", b"lan_ipaddr"]).stdout, b"192.168.1.1\n");
//! ```
//!
//! # Layout of the flash
//!
//! ```text
//!  partition, 64 KiB                              NVRAM space, 32 KiB
//!  ┌──────────────────────┬──────────────────────┐ 0x0000 ┌─────────────────────────────────────┐
//!  │ kept by every commit │ NVRAM space          │        │ header, 20 bytes: FLSH len crc ver  │
//!  │ (other data, or FF)  │ at the end, Broadcom;│        │   sdram_init config refresh ncdl    │
//!  │                      │ found by its magic,  │ 0x0014 ├─────────────────────────────────────┤
//!  │                      │ OpenWrt              │        │ name=value 0  name=value 0 … 0      │
//!  └──────────────────────┴──────────────────────┘        │   chain 0 first, head to tail       │
//!  ├── erase block(s): a commit erases all of it ┤    len ├─────────────────────────────────────┤
//!                                                         │ FF (OpenWrt, Padavan), 00 (others)  │
//!                                                  space  └─────────────────────────────────────┘
//! ```
//!
//! The header's fields by offset are drawn in [`flsh`].
//!
//! # Dialects and where they report free space
//!
//! | dialect | verified | free space |
//! |---|---|---|
//! | `openwrt`, `openwrt-arm`, `openwrt-hardened` | against recordings | `info`: `N bytes used / N bytes available` |
//! | `broadcom` | against recordings | `show`, on stderr: `size: N bytes (N left)` |
//! | `broadcom-stock`, `ddwrt`, `merlin`, `seed2006`, `wrt54gl` | against recordings | `show`, on stderr: `size: N bytes (N left)` |
//! | `freshtomato-arm`, `freshtomato-arm-2023` | against recordings | `show`, on stderr: `size: N bytes (N left)` |
//! | `padavan`, `padavan-ng` | against recordings | `show`, last line of stdout: `size: N bytes (N left)` |
//! | `tomato`, `tomato-classic` | against recordings | `show`, last line of stdout: `N entries, N bytes used, N bytes free.` |
//!
//! On `openwrt` the number is the space after the stored image, not a guarantee: an entry that does not fit is
//! silently lost with the rest of its chain, and after an image that ends 0 to 3 bytes before the limit every later
//! write fails. With a kernel driver, RAM can hold more variables than the flash; the excess is lost at the commit.
//!
//! # Sources
//!
//! Comments cite the file and function of the modelled program: OpenWrt's package/utils/nvram/src (cli.c,
//! nvram.c), Broadcom's shared/nvram/nvram.c and nvram_linux.c as in shantanugoel/asus-rt-n66u-merlin
//! ede220728e, torvalds/linux drivers/mtd/mtdblock.c. [`dialect::DialectInfo::verified`] says what each
//! dialect was compared with, and what was not run.

#![forbid(unsafe_code)]

pub mod backup;
pub mod device;
pub mod dialect;
pub mod emu;
pub mod flsh;
pub mod judge;
mod machine;

pub use dialect::Dialect;
pub use machine::{CommandOutput, DoesNotFit, Exit, Machine};
