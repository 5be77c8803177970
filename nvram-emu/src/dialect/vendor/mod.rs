//! The dialects of vendors' and other projects' firmware over a kernel driver.
//!
//! | dialect | missing `get` | empty value | size line of `show` | no command | unknown command | boot requires | commit in flash |
//! |---|---|---|---|---|---|---|---|
//! | `broadcom-stock` | nothing, 0 | empty line | stderr; `dump` without | usage on stderr, 0 | usage, 0, ends the line | magic | zero the magic, erase up to len, program, magic |
//! | `ddwrt` | nothing, 0 | empty line | stderr | long usage on stderr, 0 | skipped | magic | erase up to len, program whole blocks |
//! | `tomato` | nothing, 1 | nothing, 1 | stdout: `---`, `N entries, N bytes used, N bytes free.` | help on stdout, 1 | help on stdout, 1 | magic, len | as `broadcom-stock` |
//! | `tomato-classic` | nothing, 1 | empty line | as `tomato` | longer help on stdout, 1 | help on stdout, 1 | magic, len | as `broadcom-stock` |
//! | `freshtomato-arm` | nothing, 0 | nothing, 0 | stderr; `dump` without | usage on stderr, 1 | usage, 1, ends the line | magic | NAND: each block up to len erased and programmed completely; NOR: as `broadcom-stock` |
//! | `freshtomato-arm-2023` | nothing, 0 | empty line | stderr; `dump` without | usage on stderr, 0 | usage, 0, ends the line | magic | as `freshtomato-arm` |
//! | `merlin` | nothing, 0 | empty line | stderr | usage on stderr, 0 | skipped | magic | as `freshtomato-arm` |
//! | `padavan`, `padavan-ng` | nothing, 0 | empty line | stdout, after an empty line | usage on stdout, 1 | skipped | magic, len, CRC | none if equal; else the first block erased and programmed completely |
//! | `seed2006` | nothing, 0 | empty line | stderr | usage on stderr, 0 | skipped | magic, len, CRC | as `broadcom-stock` |
//! | `wrt54gl` | nothing, 0 | empty line | stderr | usage on stderr, 0 | skipped | magic | erase up to len, program |
//!
//! After a boot without a valid image there are no variables: the defaults that CFE or the firmware's init would
//! set are not emulated. All tools print `size: N bytes (N left)` or Tomato's line, where N counts the header (20
//! bytes) and every entry with its NUL, relative to the NVRAM size.
//!
//! RAM limits only the size of values, so it can hold more than the image. Variables that do not fit the image
//! disappear from RAM at the commit or when RAM is full (Broadcom, DD-WRT); Padavan keeps them in RAM until the
//! reboot.
//!
//! Not emulated:
//! - of DD-WRT: mirrored wireless names (builds for Broadcom's wireless), and the alternate position of an image on a
//!   worn block;
//! - bad blocks of NAND;
//! - an image elsewhere in the flash that the early search of an ARM kernel finds, except inside the partition;
//! - `asuscfe*` and `asusnls*` of ASUS drivers, and `nvram_space` in the image as the NVRAM size;
//! - Merlin's result in /var/log/commit_ret and its variables in /jffs;
//! - Padavan's reuse of the space of an earlier, longer value.

mod broadcom_sdk;
mod command;
mod ddwrt;
mod ddwrt_backup;
mod freshtomato_arm;
mod linksys;
mod merlin;
mod multi_command;
mod padavan;
mod reset;
mod saved;
mod tomato;
mod user_lib;

pub(super) use broadcom_sdk::{BROADCOM_STOCK, SEED2006, WRT54GL};
pub(super) use ddwrt::DDWRT;
pub(super) use freshtomato_arm::{FRESHTOMATO_ARM, FRESHTOMATO_ARM_2023};
pub(super) use merlin::MERLIN;
pub(super) use padavan::{PADAVAN, PADAVAN_NG};
pub(super) use tomato::{TOMATO, TOMATO_CLASSIC};
