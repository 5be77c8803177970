//! Dialects read in their sources and not proven on recordings.
//!
//! | dialect | missing `get` | empty value | size line of `show` | no word | unknown word | boot demands | commit in flash |
//! |---|---|---|---|---|---|---|---|
//! | `broadcom-stock` | nothing, 0 | empty line | stderr; `dump` without | usage on stderr, 0 | usage, 0, ends the call | magic, len | zero the magic, erase up to len, program, magic |
//! | `ddwrt` | nothing, 0 | empty line | stderr | long usage on stderr, 0 | skipped | magic | erase up to len, program whole blocks |
//! | `tomato` | nothing, 1 | nothing, 1 | stdout: `---`, `N entries, N bytes used, N bytes free.` | help on stdout, 1 | help on stdout, 1 | magic, len | as `broadcom-stock` |
//! | `freshtomato-arm` | nothing, 0 | nothing, 0 | stderr; `dump` without | usage on stderr, 1 | usage, 1, ends the call | magic, len, CRC | NAND: each block up to len erased and programmed whole; NOR: as `broadcom-stock` |
//! | `merlin` | nothing, 0 | empty line | stderr | usage on stderr, 0 | skipped | magic, len, CRC | as `freshtomato-arm` |
//! | `padavan` | nothing, 0 | empty line | stderr | usage on stderr, 0 | skipped | magic, len, CRC | none if equal; else the first block erased and programmed whole |
//! | `seed2006` | nothing, 0 | empty line | stderr | usage on stderr, 0 | skipped | magic, len | as `broadcom-stock` |
//!
//! A boot without a valid image starts with no variables at all: the defaults that CFE or the firmware's init
//! would put there are not emulated. All tools say `size: N bytes (N left)` or Tomato's line with N counted as
//! header (20) plus every entry with its NUL, against the NVRAM size.
//!
//! RAM and flash: RAM limits values only, so it can hold more than the image. What does not fit the image is
//! gone from RAM too at the commit, or when RAM is full (Broadcom, DD-WRT); Padavan keeps it in RAM until the
//! reboot.
//!
//! Left out: backup and restore, export, convert, defaults, `ren`, `find`, and `erase` where it starts another
//! program (one line on stderr, exit code 1); DD-WRT's mirrored wireless names (builds for Broadcom's wireless),
//! its alternate place for an image on a worn block, its older images of half the size, and the move of the
//! image to the block's start by the second commit of a boot where the NVRAM is smaller than a block; bad blocks
//! of NAND; `asuscfe*` and `asusnls*` of ASUS drivers; `nvram_space` in the image as size; Merlin's result in
//! /var/log/commit_ret and its variables in /jffs; Padavan's newer tool with `settmp` and `showall`.

mod multi_command;
mod reset;
mod tomato;
mod user_lib;

use super::kernel;
use super::registry::{DialectInfo, FreeSpaceSource};
use multi_command::{Action, Command, Match, MultiCommandTool};
use user_lib::UserLib;

const GET: Command = ("get", Match::Prefix, Action::Get);
const SET: Command = ("set", Match::Prefix, Action::Set);
const UNSET: Command = ("unset", Match::Prefix, Action::Unset);
/// `strncmp(word, "commit", 5)`.
const COMMIT: Command = ("commi", Match::Prefix, Action::Commit);
const SHOW: Command = ("show", Match::Prefix, Action::Show);

const fn exact(word: &'static str, action: Action) -> Command {
    (word, Match::Exact, action)
}

const fn unsupported(word: &'static str) -> Command {
    (word, Match::Prefix, Action::Unsupported)
}

/// Broadcom's own tool of 2012 (main.c) over the driver of the same SDK.
pub(super) static BROADCOM_STOCK: DialectInfo = DialectInfo {
    name: "broadcom-stock",
    verified: false,
    free_space: FreeSpaceSource::ShowStderr,
    own_space: true,
    source: "Broadcom SDK 2012, main.c 364585",
    tool: &MultiCommandTool {
        name: "broadcom-stock",
        usage: "usage: nvram [get name] [set name=value] [unset name] [show] [commit] ...\n",
        usage_code: 0,
        unknown_is_usage: true,
        prints_empty: true,
        commands: &[
            exact("get", Action::Get),
            exact("set", Action::Set),
            exact("unset", Action::Unset),
            exact("commit", Action::Commit),
            exact("show", Action::Show),
            exact("dump", Action::Dump),
        ],
        user_lib: UserLib::Write,
        driver: &kernel::BROADCOM,
    },
};

/// DD-WRT: src/router/rc/nvram.c and src/router/nvram/nvram_linux.c of mirror/dd-wrt, over the driver of the
/// platforms with an MTD partition "nvram".
pub(super) static DDWRT: DialectInfo = DialectInfo {
    name: "ddwrt",
    verified: false,
    free_space: FreeSpaceSource::ShowStderr,
    own_space: true,
    source: "mirror/dd-wrt src/router/rc/nvram.c",
    tool: &MultiCommandTool {
        name: "ddwrt",
        usage: "\
usage: nvram [get name] [set name=value] [unset name] [show|getall] [clear|erase] [commit] [backup filename] [restore filename]

get name         : Returns the value for a given name
set name=value   : Sets a value for the datavalue by its name.
unset name       : Unsets the nvram value pair by its name
commit           : Writes the pending data operations to nvram storage (flashmemory or filesystem)
show|getall      : Shows all stored nvram names and values.
clear | erase    : Deletes all NVRAM names and values while keeping important system variables needed for the device to remain in runnable state
backup fileame   : Backup the NVRAM to the desired filename.
restore filename : Restores all NVRAM names and values from the desired backup filename. Important system variables are not overwritten
--force          : Warning: optional argument which overrides the device name and compatiblity check for nvram restore operations.
",
        usage_code: 0,
        unknown_is_usage: false,
        prints_empty: true,
        commands: &[
            GET,
            SET,
            UNSET,
            COMMIT,
            ("clear", Match::Prefix, Action::Reset),
            ("erase", Match::Prefix, Action::Reset),
            SHOW,
            unsupported("backup"),
            ("--force", Match::Prefix, Action::Nothing),
            unsupported("restore"),
        ],
        user_lib: UserLib::DdWrt,
        driver: &kernel::DDWRT,
    },
};

/// Tomato and FreshTomato on MIPS.
pub(super) static TOMATO: DialectInfo = DialectInfo {
    name: "tomato",
    verified: false,
    free_space: FreeSpaceSource::ShowStdout,
    own_space: true,
    source: "FreshTomato (MIPS), NVRAM Utility 2006-2009 Jonathan Zarate",
    tool: &tomato::Tomato,
};

/// FreshTomato on ARM; Tomato64 carries the same main.c.
pub(super) static FRESHTOMATO_ARM: DialectInfo = DialectInfo {
    name: "freshtomato-arm",
    verified: false,
    free_space: FreeSpaceSource::ShowStderr,
    own_space: true,
    source: "tomato64/tomato64 package/nvram/nvram/main.c (FreshTomato ARM)",
    tool: &MultiCommandTool {
        name: "freshtomato-arm",
        usage: "\
NVRAM Utility
Usage: nvram set <key=value> | get <key> | unset <key> |
commit | erase | show | save <filename> | restore <filename> |
convert <infile.cfg> <outfile.txt>
",
        usage_code: 1,
        unknown_is_usage: true,
        prints_empty: false,
        commands: &[
            exact("get", Action::Get),
            exact("set", Action::Set),
            exact("unset", Action::Unset),
            exact("commit", Action::Commit),
            exact("save", Action::Unsupported),
            exact("restore", Action::Unsupported),
            exact("erase", Action::Unsupported),
            exact("show", Action::Show),
            exact("dump", Action::Dump),
            exact("convert", Action::Unsupported),
        ],
        user_lib: UserLib::WriteTerminated,
        driver: &kernel::BROADCOM_ARM,
    },
};

/// Asuswrt-Merlin: release/src/router/nvram of RMerl/asuswrt-merlin.ng, models without variables in /jffs.
pub(super) static MERLIN: DialectInfo = DialectInfo {
    name: "merlin",
    verified: false,
    free_space: FreeSpaceSource::ShowStderr,
    own_space: true,
    source: "RMerl/asuswrt-merlin.ng release/src/router/nvram/nvram.c",
    tool: &MultiCommandTool {
        name: "merlin",
        usage: "\
usage: nvram [get name] [set name=value] [unset name] [erase] [show] [save file] [restore file] [fb_save file]
usage: nvram [save_ap file] [save_rp_2g file] [save_rp_5g file]
",
        usage_code: 0,
        unknown_is_usage: false,
        prints_empty: true,
        commands: &[
            GET,
            SET,
            UNSET,
            COMMIT,
            exact("save", Action::Unsupported),
            unsupported("save_ap"),
            unsupported("save_rp"),
            unsupported("fb_save"),
            unsupported("restore"),
            exact("erase", Action::Unsupported),
            SHOW,
        ],
        user_lib: UserLib::Merlin,
        driver: &kernel::BROADCOM_ARM,
    },
};

/// Padavan: trunk/user/nvram/nvram.c of hanwckf/rt-n56u (before `settmp`), kernel driver 0.08.
pub(super) static PADAVAN: DialectInfo = DialectInfo {
    name: "padavan",
    verified: false,
    free_space: FreeSpaceSource::ShowStderr,
    own_space: true,
    source: "hanwckf/rt-n56u trunk/user/nvram/nvram.c, ASUS NVRAM driver 0.08",
    tool: &MultiCommandTool {
        name: "padavan",
        usage: "usage: nvram [get name] [set name=value] [unset name] [show] [clear]\n",
        usage_code: 0,
        unknown_is_usage: false,
        prints_empty: true,
        commands: &[
            GET,
            SET,
            UNSET,
            ("commit", Match::Prefix, Action::Commit),
            ("clear", Match::Prefix, Action::Clear),
            unsupported("save"),
            unsupported("restore"),
            SHOW,
        ],
        user_lib: UserLib::Ioctl,
        driver: &kernel::PADAVAN,
    },
};

/// The tool of 2006 that the first lease script was written for (Broadcom's main.c 1.1.1.5 as in WRT54G
/// firmware and early DD-WRT), over Broadcom's driver of 2006 (nvram_linux.c 1.19).
pub(super) static SEED2006: DialectInfo = DialectInfo {
    name: "seed2006",
    verified: false,
    free_space: FreeSpaceSource::ShowStderr,
    own_space: true,
    source: "Broadcom main.c 1.1.1.5, nvram_linux.c 1.19 (2006)",
    tool: &MultiCommandTool {
        name: "seed2006",
        usage: "usage: nvram [get name] [set name=value] [unset name] [show]\n",
        usage_code: 0,
        unknown_is_usage: false,
        prints_empty: true,
        commands: &[GET, SET, UNSET, COMMIT, SHOW],
        user_lib: UserLib::Write,
        driver: &kernel::BROADCOM,
    },
};
