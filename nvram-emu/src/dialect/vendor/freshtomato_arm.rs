//! FreshTomato on ARM.

use super::command::{Action, Command, exact};
use super::multi_command::{AfterReport, MultiCommandTool, Stream, UnknownCommand};
use super::user_lib::UserLib;
use crate::dialect::info::{DialectInfo, FreeSpaceSource, Verification};
use crate::dialect::kernel;

const NOT_RUN: &str = "`save`, `restore`, `convert`, `erase`, builds with 128 KiB, a variable `nvram_space` in the image";

const COMMANDS: &[Command] = &[
    exact("get", Action::Get),
    exact("set", Action::Set),
    exact("unset", Action::Unset),
    exact("commit", Action::Commit),
    exact("save", Action::Save),
    exact("restore", Action::Restore),
    exact("erase", Action::Unsupported),
    exact("show", Action::Show),
    exact("dump", Action::Dump),
    exact("convert", Action::Convert),
];

const TOOL: MultiCommandTool = MultiCommandTool {
    name: "freshtomato-arm",
    usage: "\
NVRAM Utility
Usage: nvram set <key=value> | get <key> | unset <key> |
commit | erase | show | save <filename> | restore <filename> |
convert <infile.cfg> <outfile.txt>
",
    reports: Stream::Stderr,
    usage_code: 1,
    unknown: UnknownCommand::PrintUsage,
    after_report: AfterReport::Continue,
    prints_empty_values: false,
    commands: COMMANDS,
    user_lib: UserLib::WriteTerminated,
    driver: &kernel::BROADCOM_ARM,
};

/// The present tool.
pub(in crate::dialect) static FRESHTOMATO_ARM: DialectInfo = DialectInfo {
    name: "freshtomato-arm",
    firmware: "FreshTomato on ARM since 2024",
    verified: Some(Verification {
        against: "wangmice/tomato 812bd77383: kernel 2.6.36 nvram_linux.c, bcm_nflash.c, shared/nvram.c, nvram_arm/nvram_linux.c; tomato64/tomato64 4b0686420d: main.c",
        not_run: NOT_RUN,
    }),
    free_space: FreeSpaceSource::ShowStderr,
    driver_sets_size: true,
    tool: &TOOL,
};

/// The tool of earlier releases.
pub(in crate::dialect) static FRESHTOMATO_ARM_2023: DialectInfo = DialectInfo {
    name: "freshtomato-arm-2023",
    firmware: "FreshTomato on ARM up to 2023, AdvancedTomato on ARM since 2017",
    verified: Some(Verification {
        against: "wangmice/tomato 812bd77383: kernel 2.6.36 nvram_linux.c, bcm_nflash.c, shared/nvram.c, nvram_arm/{main.c,nvram_linux.c}",
        not_run: NOT_RUN,
    }),
    free_space: FreeSpaceSource::ShowStderr,
    driver_sets_size: true,
    tool: &MultiCommandTool {
        name: "freshtomato-arm-2023",
        usage: "usage: nvram [get name] [set name=value] [unset name] [show] [commit] [save] [restore] [erase] ...\n",
        usage_code: 0,
        prints_empty_values: true,
        user_lib: UserLib::Write,
        ..TOOL
    },
};
