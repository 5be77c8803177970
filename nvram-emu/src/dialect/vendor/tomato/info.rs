//! The generations of Tomato.

use super::cli::{Generation, Tomato};
use crate::dialect::info::{DialectInfo, FreeSpaceSource, Verification};

const NOT_RUN: &str = "`defaults`, `*_defaults`, `validate`, `backup`, `restore`, `convert`, `setfile`, `getfile`, `setfb64`, `getfb64`, `import`, `erase`";

/// The present tool.
pub(in crate::dialect) static TOMATO: DialectInfo = DialectInfo {
    name: "tomato",
    firmware: "FreshTomato on MIPS",
    verified: Some(Verification {
        against: "mdmower/tomato ee786c1d80: kernel 2.6 nvram_linux.c, shared/nvram.c, nvram_linux.c, nvram_convert.c; tool with help, get, set and applets of FreshTomato (pedro0311/freshtomato-mips 34be7de0bd)",
        not_run: NOT_RUN,
    }),
    free_space: FreeSpaceSource::ShowStdout,
    driver_sets_size: true,
    tool: &Tomato(Generation::FreshTomato),
};

/// The tool before FreshTomato.
pub(in crate::dialect) static TOMATO_CLASSIC: DialectInfo = DialectInfo {
    name: "tomato-classic",
    firmware: "TomatoUSB, Toastman, Shibby, EasyTomato and AdvancedTomato on MIPS (kernel 2.6)",
    verified: Some(Verification {
        against: "mdmower/tomato ee786c1d80: kernel 2.6 nvram_linux.c, shared/nvram.c, nvram.c, nvram_linux.c, nvram_convert.c",
        not_run: NOT_RUN,
    }),
    free_space: FreeSpaceSource::ShowStdout,
    driver_sets_size: true,
    tool: &Tomato(Generation::Classic),
};
