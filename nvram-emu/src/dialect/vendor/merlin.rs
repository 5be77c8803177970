//! Asuswrt-Merlin.

use super::command::{Action, COMMIT, GET, SET, SHOW, UNSET, exact, prefix};
use super::multi_command::{AfterReport, MultiCommandTool, Stream, UnknownCommand};
use super::user_lib::UserLib;
use crate::dialect::info::{DialectInfo, FreeSpaceSource, Verification};
use crate::dialect::kernel;

/// Asuswrt-Merlin: release/src/router/nvram of RMerl/asuswrt-merlin.ng, models without variables in /jffs.
pub(in crate::dialect) static MERLIN: DialectInfo = DialectInfo {
    name: "merlin",
    firmware: "Asuswrt-Merlin on ARM, models without variables in /jffs",
    verified: Some(Verification {
        against: "Lightsword1942/asuswrt-merlin c68ceb1ded: kernel 2.6.36 nvram_linux.c, shared/nvram.c, nvram.c, nvram_linux.c; usage, main, nvram_init and nvram_commit of RMerl/asuswrt-merlin.ng",
        not_run: "`save`, `save_ap`, `save_rp`, `restore`, `fb_save`, `erase`, HND models, variables in /jffs, encrypted variables",
    }),
    free_space: FreeSpaceSource::ShowStderr,
    driver_sets_size: true,
    tool: &MultiCommandTool {
        name: "merlin",
        usage: "\
usage: nvram [get name] [set name=value] [unset name] [erase] [show] [save file] [restore file] [fb_save file]
usage: nvram [save_ap file] [save_rp_2g file] [save_rp_5g file]
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
            exact("save", Action::Save),
            prefix("save_ap", Action::NeedsNames),
            prefix("save_rp", Action::NeedsNames),
            prefix("fb_save", Action::NeedsNames),
            prefix("restore", Action::NeedsNames),
            exact("erase", Action::Unsupported),
            SHOW,
        ],
        user_lib: UserLib::Merlin,
        driver: &kernel::BROADCOM_ARM,
    },
};
