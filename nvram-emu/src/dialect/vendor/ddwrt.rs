//! DD-WRT.

use super::command::{Action, COMMIT, GET, SET, SHOW, UNSET, prefix};
use super::multi_command::{AfterReport, MultiCommandTool, Stream, UnknownCommand};
use super::user_lib::UserLib;
use crate::dialect::info::{DialectInfo, FreeSpaceSource, Verification};
use crate::dialect::kernel;

/// DD-WRT: src/router/rc/nvram.c and src/router/nvram/nvram_linux.c of mirror/dd-wrt, over the driver of the
/// platforms with an MTD partition "nvram".
pub(in crate::dialect) static DDWRT: DialectInfo = DialectInfo {
    name: "ddwrt",
    firmware: "DD-WRT on platforms with an MTD partition \"nvram\"",
    verified: Some(Verification {
        against: "mirror/dd-wrt: driver 1610113259, core 1480079177, library 7e2afe1490 (HAVE_MADWIFI), rc/nvram.c, backup.c c1330ebb1b; retyped",
        not_run: "`backup`, `restore`, builds with mirrored names, worn blocks, Broadcom boards, the newer driver with a compressed image",
    }),
    free_space: FreeSpaceSource::ShowStderr,
    driver_sets_size: true,
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
        reports: Stream::Stderr,
        usage_code: 0,
        unknown: UnknownCommand::Skip,
        after_report: AfterReport::Continue,
        prints_empty_values: true,
        commands: &[
            GET,
            SET,
            UNSET,
            COMMIT,
            prefix("clear", Action::Reset),
            prefix("erase", Action::Reset),
            SHOW,
            prefix("backup", Action::Backup),
            prefix("--force", Action::NoEffect),
            prefix("restore", Action::RestoreBackup),
        ],
        user_lib: UserLib::DdWrt,
        driver: &kernel::DDWRT,
    },
};
