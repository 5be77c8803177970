//! The tools and their command tables.

use super::multi_command::{Action, Command, Match, MultiCommandTool, UnknownCommand};
use super::tomato::Tomato;
use super::user_lib::UserLib;
use crate::dialect::info::{DialectInfo, FreeSpaceSource};
use crate::dialect::kernel;

const GET: Command = ("get", Match::Prefix, Action::Get);
const SET: Command = ("set", Match::Prefix, Action::Set);
const UNSET: Command = ("unset", Match::Prefix, Action::Unset);
/// `strncmp(word, "commit", 5)`.
const COMMIT: Command = ("commi", Match::Prefix, Action::Commit);
const SHOW: Command = ("show", Match::Prefix, Action::Show);

const fn exact(name: &'static str, action: Action) -> Command {
    (name, Match::Exact, action)
}

const fn unsupported(name: &'static str) -> Command {
    (name, Match::Prefix, Action::Unsupported)
}

/// Broadcom's own tool of 2012 (main.c) over the driver of the same SDK.
pub(in crate::dialect) static BROADCOM_STOCK: DialectInfo = DialectInfo {
    name: "broadcom-stock",
    verified: false,
    free_space: FreeSpaceSource::ShowStderr,
    driver_sets_size: true,
    source: "Broadcom SDK 2012, main.c 364585",
    tool: &MultiCommandTool {
        name: "broadcom-stock",
        usage: "usage: nvram [get name] [set name=value] [unset name] [show] [commit] ...\n",
        usage_code: 0,
        unknown: UnknownCommand::PrintUsage,
        prints_empty_values: true,
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
pub(in crate::dialect) static DDWRT: DialectInfo = DialectInfo {
    name: "ddwrt",
    verified: false,
    free_space: FreeSpaceSource::ShowStderr,
    driver_sets_size: true,
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
        unknown: UnknownCommand::Skip,
        prints_empty_values: true,
        commands: &[
            GET,
            SET,
            UNSET,
            COMMIT,
            ("clear", Match::Prefix, Action::Reset),
            ("erase", Match::Prefix, Action::Reset),
            SHOW,
            unsupported("backup"),
            ("--force", Match::Prefix, Action::NoEffect),
            unsupported("restore"),
        ],
        user_lib: UserLib::DdWrt,
        driver: &kernel::DDWRT,
    },
};

/// Tomato and FreshTomato on MIPS.
pub(in crate::dialect) static TOMATO: DialectInfo = DialectInfo {
    name: "tomato",
    verified: false,
    free_space: FreeSpaceSource::ShowStdout,
    driver_sets_size: true,
    source: "FreshTomato (MIPS), NVRAM Utility 2006-2009 Jonathan Zarate",
    tool: &Tomato,
};

/// FreshTomato on ARM; Tomato64 carries the same main.c.
pub(in crate::dialect) static FRESHTOMATO_ARM: DialectInfo = DialectInfo {
    name: "freshtomato-arm",
    verified: false,
    free_space: FreeSpaceSource::ShowStderr,
    driver_sets_size: true,
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
        unknown: UnknownCommand::PrintUsage,
        prints_empty_values: false,
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
pub(in crate::dialect) static MERLIN: DialectInfo = DialectInfo {
    name: "merlin",
    verified: false,
    free_space: FreeSpaceSource::ShowStderr,
    driver_sets_size: true,
    source: "RMerl/asuswrt-merlin.ng release/src/router/nvram/nvram.c",
    tool: &MultiCommandTool {
        name: "merlin",
        usage: "\
usage: nvram [get name] [set name=value] [unset name] [erase] [show] [save file] [restore file] [fb_save file]
usage: nvram [save_ap file] [save_rp_2g file] [save_rp_5g file]
",
        usage_code: 0,
        unknown: UnknownCommand::Skip,
        prints_empty_values: true,
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
pub(in crate::dialect) static PADAVAN: DialectInfo = DialectInfo {
    name: "padavan",
    verified: false,
    free_space: FreeSpaceSource::ShowStderr,
    driver_sets_size: true,
    source: "hanwckf/rt-n56u trunk/user/nvram/nvram.c, ASUS NVRAM driver 0.08",
    tool: &MultiCommandTool {
        name: "padavan",
        usage: "usage: nvram [get name] [set name=value] [unset name] [show] [clear]\n",
        usage_code: 0,
        unknown: UnknownCommand::Skip,
        prints_empty_values: true,
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
pub(in crate::dialect) static SEED2006: DialectInfo = DialectInfo {
    name: "seed2006",
    verified: false,
    free_space: FreeSpaceSource::ShowStderr,
    driver_sets_size: true,
    source: "Broadcom main.c 1.1.1.5, nvram_linux.c 1.19 (2006)",
    tool: &MultiCommandTool {
        name: "seed2006",
        usage: "usage: nvram [get name] [set name=value] [unset name] [show]\n",
        usage_code: 0,
        unknown: UnknownCommand::Skip,
        prints_empty_values: true,
        commands: &[GET, SET, UNSET, COMMIT, SHOW],
        user_lib: UserLib::Write,
        driver: &kernel::BROADCOM,
    },
};
