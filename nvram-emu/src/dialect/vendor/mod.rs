//! Dialects that were modelled from source code and are not verified against recordings.
//!
//! | dialect | missing `get` | empty value | size line of `show` | no command | unknown command | boot requires | commit in flash |
//! |---|---|---|---|---|---|---|---|
//! | `broadcom-stock` | nothing, 0 | empty line | stderr; `dump` without | usage on stderr, 0 | usage, 0, ends the line | magic, len | zero the magic, erase up to len, program, magic |
//! | `ddwrt` | nothing, 0 | empty line | stderr | long usage on stderr, 0 | skipped | magic | erase up to len, program whole blocks |
//! | `tomato` | nothing, 1 | nothing, 1 | stdout: `---`, `N entries, N bytes used, N bytes free.` | help on stdout, 1 | help on stdout, 1 | magic, len | as `broadcom-stock` |
//! | `freshtomato-arm` | nothing, 0 | nothing, 0 | stderr; `dump` without | usage on stderr, 1 | usage, 1, ends the line | magic, len, CRC | NAND: each block up to len erased and programmed completely; NOR: as `broadcom-stock` |
//! | `merlin` | nothing, 0 | empty line | stderr | usage on stderr, 0 | skipped | magic, len, CRC | as `freshtomato-arm` |
//! | `padavan` | nothing, 0 | empty line | stderr | usage on stderr, 0 | skipped | magic, len, CRC | none if equal; else the first block erased and programmed completely |
//! | `seed2006` | nothing, 0 | empty line | stderr | usage on stderr, 0 | skipped | magic, len | as `broadcom-stock` |
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
//! - backup and restore, export, convert, defaults, `ren`, `find`, and `erase` where it starts another program;
//!   these print one line on stderr and exit with 1;
//! - of DD-WRT: mirrored wireless names (builds for Broadcom's wireless), the alternate position of an image on a
//!   worn block, older images of half the size, and the move of the image to the start of the block by the second
//!   commit after a boot, where the NVRAM is smaller than a block;
//! - bad blocks of NAND;
//! - `asuscfe*` and `asusnls*` of ASUS drivers, and `nvram_space` in the image as the NVRAM size;
//! - Merlin's result in /var/log/commit_ret and its variables in /jffs;
//! - Padavan's newer tool with `settmp` and `showall`.

mod multi_command;
mod reset;
mod tomato;
mod tools;
mod user_lib;

pub(super) use tools::{BROADCOM_STOCK, DDWRT, FRESHTOMATO_ARM, MERLIN, PADAVAN, SEED2006, TOMATO};
