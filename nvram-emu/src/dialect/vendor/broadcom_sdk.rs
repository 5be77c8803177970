//! Broadcom's own tool (main.c) as vendors shipped it.

use super::command::{Action, COMMIT, Command, GET, SET, SHOW, UNSET, exact};
use super::multi_command::{AfterReport, MultiCommandTool, Stream, UnknownCommand};
use super::user_lib::UserLib;
use crate::dialect::info::{DialectInfo, FreeSpaceSource, Verification};
use crate::dialect::kernel;

/// Broadcom's tool and driver of the SDK of 2012.
pub(in crate::dialect) static BROADCOM_STOCK: DialectInfo = DialectInfo {
    name: "broadcom-stock",
    firmware: "Broadcom's SDK of 2012, as in Netgear's R7000",
    verified: Some(Verification {
        against: "jameshilliard/R7000 d1dbf48990: main.c, nvram_linux.c, shared/nvram.c, kernel 2.6.36 nvram_linux.c",
        not_run: "`version` and `loaddefault` (compiled out)",
    }),
    free_space: FreeSpaceSource::ShowStderr,
    driver_sets_size: true,
    tool: &MultiCommandTool {
        name: "broadcom-stock",
        usage: "usage: nvram [get name] [set name=value] [unset name] [show] [commit] ...\n",
        usage_code: 0,
        unknown: UnknownCommand::PrintUsage,
        commands: &[
            exact("get", Action::Get),
            exact("set", Action::Set),
            exact("unset", Action::Unset),
            exact("commit", Action::Commit),
            exact("save", Action::Commit),
            exact("show", Action::Show),
            exact("dump", Action::Dump),
        ],
        driver: &kernel::BROADCOM_STOCK,
        ..BROADCOM_TOOL
    },
};

const COMMANDS_2005: &[Command] = &[GET, SET, UNSET, COMMIT, SHOW];

/// Broadcom's main.c of 2005, without its driver.
const BROADCOM_TOOL: MultiCommandTool = MultiCommandTool {
    name: "broadcom",
    usage: "usage: nvram [get name] [set name=value] [unset name] [show]\n",
    reports: Stream::Stderr,
    usage_code: 0,
    unknown: UnknownCommand::Skip,
    after_report: AfterReport::Continue,
    prints_empty_values: true,
    commands: COMMANDS_2005,
    user_lib: UserLib::Write,
    driver: &kernel::BROADCOM_2006,
};

/// The tool that the first lease script was written for, as in WRT54G firmware and early DD-WRT.
pub(in crate::dialect) static SEED2006: DialectInfo = DialectInfo {
    name: "seed2006",
    firmware: "Broadcom's tool of 2005 and driver of 2006: WRT54G firmware, early DD-WRT, Tomato's driver on kernel 2.4",
    verified: Some(Verification {
        against: "ReliefLabs/EasyTomato: main.c 1.1.1.7 at caaae2e52 without mirrored names, nvram_linux.c 1.19 and shared/nvram.c at 128481a88b",
        not_run: "defaults that the boot loader restores",
    }),
    free_space: FreeSpaceSource::ShowStderr,
    driver_sets_size: true,
    tool: &MultiCommandTool { name: "seed2006", ..BROADCOM_TOOL },
};

/// Linksys' firmware of the WRT54GL.
pub(in crate::dialect) static WRT54GL: DialectInfo = DialectInfo {
    name: "wrt54gl",
    firmware: "Linksys WRT54GL 4.30.11 (2005)",
    verified: Some(Verification {
        against: "ReliefLabs/EasyTomato caaae2e52 (Linksys WRT54GL source 4.30.11): main.c 1.1.1.7, nvram_linux.c 1.12, shared/nvram.c 1.1.1.8, nvram_convert.c",
        not_run: "defaults that the boot loader restores",
    }),
    free_space: FreeSpaceSource::ShowStderr,
    driver_sets_size: true,
    tool: &MultiCommandTool {
        name: "wrt54gl",
        user_lib: UserLib::Linksys,
        driver: &kernel::BROADCOM_2005,
        ..BROADCOM_TOOL
    },
};
