//! Padavan's firmware for Ralink and MediaTek routers.

use super::command::{Action, exact};
use super::multi_command::{AfterReport, MultiCommandTool, Stream, UnknownCommand};
use super::user_lib::UserLib;
use crate::dialect::info::{DialectInfo, FreeSpaceSource, Verification};
use crate::dialect::kernel;

const NOT_RUN: &str =
    "`save`, `restore`, an argument of `set` or `settmp` that fills the tool's buffer";

const TOOL: MultiCommandTool = MultiCommandTool {
    name: "padavan",
    usage: "\
Usage: nvram [get name] [set name=value] [settmp name=value] [unset name]
             [show] [showall] [clear] [save fn] [restore fn] [commit]
",
    reports: Stream::Stdout,
    usage_code: 1,
    unknown: UnknownCommand::Skip,
    after_report: AfterReport::End,
    prints_empty_values: true,
    commands: &[
        exact("get", Action::Get),
        exact("settmp", Action::SetTemporary),
        exact("set", Action::Set),
        exact("unset", Action::Unset),
        exact("clear", Action::Clear),
        exact("commit", Action::Commit),
        exact("save", Action::Save),
        exact("restore", Action::NeedsNames),
        exact("show", Action::Show),
        exact("showall", Action::ShowAll),
    ],
    user_lib: UserLib::Ioctl { argument: 1023 },
    driver: &kernel::PADAVAN,
};

/// The tool since 2018 at the latest, with a buffer of 1024 bytes.
pub(in crate::dialect) static PADAVAN: DialectInfo = DialectInfo {
    name: "padavan",
    firmware: "Padavan 3.4.3.9 and hanwckf/padavan-4.4",
    verified: Some(Verification {
        against: "arkuid/padavan-ng 204735accd: kernel 3.4 nvram_linux.c and nvram.c (0.08), ralink-flash.c; hanwckf/padavan-4.4 ff77acc51a: nvram.c, shared/nvram_linux.c",
        not_run: NOT_RUN,
    }),
    free_space: FreeSpaceSource::ShowStdoutSize,
    driver_sets_size: true,
    tool: &TOOL,
};

/// The tool of padavan-ng, with a buffer of 4096 bytes.
pub(in crate::dialect) static PADAVAN_NG: DialectInfo = DialectInfo {
    name: "padavan-ng",
    firmware: "padavan-ng since November 2025",
    verified: Some(Verification {
        against: "arkuid/padavan-ng 204735accd: kernel 3.4 nvram_linux.c and nvram.c (0.08), ralink-flash.c, nvram.c, shared/nvram_linux.c",
        not_run: NOT_RUN,
    }),
    free_space: FreeSpaceSource::ShowStdoutSize,
    driver_sets_size: true,
    tool: &MultiCommandTool {
        name: "padavan-ng",
        user_lib: UserLib::Ioctl { argument: 4095 },
        ..TOOL
    },
};
