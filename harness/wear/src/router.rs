//! The router that wears, and the script that wears it.

use std::path::Path;

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
    /// The project's own.
    Ours {
        /// `LEASE_SLACK`, seconds.
        slack: u64,
    },
    /// The naive one, after 2006: a commit in every call but `init`.
    Naive,
}

impl Script {
    /// For tables.
    pub fn name(self) -> String {
        match self {
            Self::Ours { slack: 0 } => "ours".to_owned(),
            Self::Ours { slack } => format!("ours, slack {}", scenario::Seconds(slack)),
            Self::Naive => "naive 2006".to_owned(),
        }
    }

    /// As a function.
    pub fn function(self) -> Function {
        match self {
            Self::Ours { slack } => {
                Function::Ours(Config { slack: Some(slack), ..Config::default() })
            }
            Self::Naive => Function::Naive,
        }
    }
}

impl Script {
    /// Whether the two print the same after a boot. Slack shows where expiry times are stored.
    pub(super) fn stores_like(self, other: Self, build: Build) -> bool {
        let slack = |script| match script {
            Self::Ours { slack } if build == Build::Rtc => slack,
            Self::Ours { .. } | Self::Naive => 0,
        };
        slack(self) == slack(other)
    }
}

/// The script as a file, for processes.
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
    ScriptCommand { file, shell: Vec::new(), environment }
}

/// The hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouterSpec {
    /// Dialect of the `nvram` tool.
    pub dialect: Dialect,
    /// Flash chip.
    pub chip: Chip,
    /// NVRAM size, bytes.
    pub space: u32,
    /// Bytes of other programs' variables.
    pub neighbours: u32,
}

/// OpenWrt's NVRAM partition on routers with NAND.
const NAND_PARTITION: u32 = 0x18_0000;

impl RouterSpec {
    /// A 64 KiB NVRAM with 20 KB of neighbours.
    pub fn new(dialect: Dialect, chip: Chip) -> Self {
        Self { dialect, chip, space: 0x1_0000, neighbours: 20_000 }
    }

    /// The partition: whole erase blocks, or what OpenWrt has on NAND.
    fn partition(&self) -> u32 {
        let own_space = self.dialect.info().own_space;
        match self.chip.kind {
            FlashKind::Nand if !own_space => NAND_PARTITION.max(self.space),
            _ => self.space.next_multiple_of(self.chip.erase_block),
        }
    }

    /// The router as it leaves the factory.
    ///
    /// # Errors
    /// Sizes that do not fit together.
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
