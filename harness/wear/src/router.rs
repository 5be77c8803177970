//! The router and its lease script.

use std::path::Path;
use std::sync::Arc;

use lease_script::Config;
use nvram_emu::device::{Chip, FlashKind};
use nvram_emu::{Dialect, Machine};
use toml::Spanned;

use backend::Function;
use backend::process::{ScriptCommand, ScriptFile};
use dnsmasq_model::Build;
use runner::setup::{self, Refusal};
use scenario::{Bytes, Router};

/// A lease script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Script {
    /// The project's script.
    Ours {
        /// `LEASE_SLACK`, in seconds.
        slack: u64,
    },
    /// The naive script after the notes of 2006: it commits in every call but `init`.
    Naive,
}

impl Script {
    /// The name in tables.
    pub fn name(self) -> String {
        match self {
            Self::Ours { slack: 0 } => "ours".to_owned(),
            Self::Ours { slack } => format!("ours, slack {}", scenario::Seconds(slack)),
            Self::Naive => "naive 2006".to_owned(),
        }
    }

    /// The script as a function, for calls in process.
    pub fn function(self) -> Function {
        match self {
            Self::Ours { slack } => {
                Function::LeaseUpdate(Config { slack: Some(slack), ..Config::default() })
            }
            Self::Naive => Function::Naive,
        }
    }

    /// Whether both scripts store the same records, so that `init` prints the same. Slack changes only expiry times, which
    /// the build without RTC does not store.
    pub(super) fn stores_like(self, other: Self, build: Build) -> bool {
        let slack = |script| match script {
            Self::Ours { slack } if build == Build::Rtc => slack,
            Self::Ours { .. } | Self::Naive => 0,
        };
        slack(self) == slack(other)
    }
}

/// The script as a command, for calls in processes.
pub fn builtin_script(script: Script) -> ScriptCommand {
    let (file, environment) = match script {
        Script::Ours { slack } => (
            ScriptFile::LeaseUpdate,
            [("LEASE_SLACK".to_owned(), slack.to_string())].into_iter().collect(),
        ),
        Script::Naive => (
            ScriptFile::BuiltIn("naive.sh", include_str!("../../../scenarios/scripts/naive.sh")),
            std::collections::BTreeMap::new(),
        ),
    };
    ScriptCommand { file, shell: Vec::new(), environment, storage: Arc::default() }
}

/// A router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouterSpec {
    /// The dialect of its `nvram` tool.
    pub dialect: Dialect,
    /// Its flash chip.
    pub chip: Chip,
    /// Size of the NVRAM, in bytes.
    pub space: u32,
    /// Bytes of other programs' variables.
    pub neighbours: u32,
}

/// Usual size of OpenWrt's NVRAM partition on routers with NAND, in bytes. OpenWrt's tool uses all of it.
const NAND_PARTITION: u32 = 0x18_0000;

impl RouterSpec {
    /// A router with an NVRAM of 64 KiB, 20,000 bytes of which are variables of other programs.
    pub fn new(dialect: Dialect, chip: Chip) -> Self {
        Self { dialect, chip, space: 0x1_0000, neighbours: 20_000 }
    }

    /// Size of the partition: whole erase blocks, or OpenWrt's usual partition on NAND unless a larger one is asked for.
    fn partition(&self) -> u32 {
        let driver_sets_size = self.dialect.info().driver_sets_size;
        match self.chip.kind {
            FlashKind::Nand if !driver_sets_size && self.space <= 0x1_0000 => NAND_PARTITION,
            _ => self.space.next_multiple_of(self.chip.erase_block),
        }
    }

    /// The router with its factory settings.
    ///
    /// # Errors
    /// Sizes that contradict each other.
    pub fn machine(&self) -> Result<Machine, Refusal> {
        let router = Router {
            dialect: Spanned::new(0..0, self.dialect.name().to_owned()),
            chip: Spanned::new(0..0, self.chip.name.to_owned()),
            space: Bytes(u64::from(self.space)),
            partition: Some(Bytes(u64::from(self.partition()))),
            erase: Bytes(u64::from(self.chip.erase_block)),
            neighbours: Bytes(u64::from(self.neighbours)),
            ..Router::default()
        };
        setup::machine(&router, Path::new("."))
    }
}
