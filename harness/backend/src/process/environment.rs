//! The environment of scripts, and the scratch folder as they see it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nvram_emu::Machine;
use sandbox::Isolation;

use super::script::ScriptCommand;

/// The scratch folder as scripts see it.
pub(super) fn seen_scratch(scratch: &Path, isolation: Isolation) -> PathBuf {
    match isolation {
        Isolation::None => scratch.to_owned(),
        Isolation::Full | Isolation::SharedNetwork => PathBuf::from(sandbox::HARNESS),
    }
}

/// The environment variables of script calls, without those of dnsmasq.
pub(super) fn environment_of(
    machine: &Machine,
    scratch: &Path,
    script: &ScriptCommand,
    isolation: Isolation,
) -> BTreeMap<String, String> {
    let path = |name: &str| scratch.join(name).to_string_lossy().into_owned();
    let board = machine.board();
    let mut environment = BTreeMap::from([
        ("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", path("bin"))),
        ("LC_ALL", "C".to_owned()),
        ("LEASE_NVRAM", path("bin/nvram")),
        ("NVRAM_EMU_FLASH", path("flash")),
        ("NVRAM_EMU_STAGING", path("staging")),
        ("NVRAM_EMU_LOG", path("operations")),
        ("NVRAM_EMU_DIALECT", machine.dialect().name().to_owned()),
        ("NVRAM_EMU_ERASE", board.flash.geometry().erase_block.to_string()),
        ("NVRAM_EMU_SPACE", board.space.to_string()),
    ]);
    if isolation == Isolation::None {
        environment.insert("LEASE_RUN", path("ram/tmp"));
        environment.insert("TMPDIR", path("ram/tmp"));
    }
    environment
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .chain(script.environment.clone())
        .collect()
}
