//! The `[router]` section: hardware and firmware.

use std::collections::BTreeMap;

use disk_model::WriteOrdering;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::persistent::{PersistentFolder, Unsynced};
use crate::units::{BootClock, Bytes, Moment};
use crate::unspanned::unspanned;

/// How dnsmasq was compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rtc {
    /// The default build: a lease is stored with its expiry time in seconds since 1970.
    #[default]
    Good,
    /// Built with HAVE_BROKEN_RTC, for routers without a clock: a lease is stored with its length in seconds, and dnsmasq
    /// measures time with the monotonic clock.
    Broken,
}

impl Rtc {
    /// Both builds.
    pub const ALL: [Self; 2] = [Self::Good, Self::Broken];

    /// Returns the name in scenarios.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Broken => "broken",
        }
    }
}

/// Where the lease script stores leases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// In variables of the NVRAM.
    #[default]
    Nvram,
    /// In a journal on a file system that survives reboots (`LEASE_STORE=journal:PATH`). This needs `use = "rust"`. The
    /// settings of NVRAM and flash then have no effect, and `commits` counts the calls that wrote to the journal.
    Journal,
}

/// The hardware and firmware of the router.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Router {
    /// How dnsmasq was compiled: `good` (default) or `broken` (HAVE_BROKEN_RTC).
    pub rtc: Rtc,
    /// Where the script stores leases: `nvram` (default) or `journal`.
    pub store: Store,
    /// The dialect of the `nvram` tool, for example `openwrt` (default), `broadcom`, `ddwrt` or `tomato`.
    #[schemars(with = "String")]
    pub dialect: Spanned<String>,
    /// Size of the NVRAM in bytes (default 32 KiB).
    pub space: Bytes,
    /// Size of the MTD partition in bytes. The default is `space` rounded up to whole erase blocks, or `space` itself if it
    /// is smaller than one block.
    pub partition: Option<Bytes>,
    /// Size of an erase block in bytes (default 64 KiB).
    pub erase: Bytes,
    /// The preset of the flash chip (default `spi-nor`); the others are `parallel-nor` and `slc-nand`.
    #[schemars(with = "String")]
    pub chip: Spanned<String>,
    /// Total size in bytes of the variables of other programs at the start (default 8 KiB).
    pub neighbours: Bytes,
    /// Replaces `neighbours`: the NVRAM is filled until the tool reports this many free bytes.
    pub free: Option<Bytes>,
    /// Additional variables at the start, by name.
    pub variables: BTreeMap<String, String>,
    /// The contents of files of the router, by path. `\xNN` stands for any byte. Files below `/tmp` are written again
    /// at each boot, before dnsmasq starts, as firmware does.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// A flash image to start with, as a path relative to this file. It replaces `neighbours` and `free`.
    #[schemars(with = "Option<String>")]
    pub image: Option<Spanned<String>>,
    /// The folders that survive a reboot, each as its path or as `{ path = "/etc", from = "folder" }`. The default is `/etc`,
    /// `/jffs`, `/var/lib/misc` and `/var/tmp`. All other files are in RAM or cannot be changed.
    pub persistent: Option<Vec<PersistentFolder>>,
    /// How many bytes the persistent folders can hold beyond their first contents, in pages of 4 KiB (default: no limit).
    pub persistent_size: Option<Bytes>,
    /// Which changes of persistent files that were not synced can survive a power cut: `reordering` or `ordered`. By
    /// default, the file system is not known: a violation that occurs even if each change reaches the medium at once,
    /// as with JFFS2, is a bug; a violation that occurs only with `reordering`, as with UBIFS, is a risk.
    pub write_ordering: Option<WriteOrdering>,
    /// What a power cut in a scenario does to changes of persistent files that were not synced: `kept` (default) or `lost`.
    pub unsynced: Unsynced,
    /// The router's interface to its clients (default `br0`).
    #[schemars(with = "String")]
    pub interface: Spanned<String>,
    /// The reading of the wall clock at boot: `kept` (default), `1970`, a date, or a distance from the true time.
    pub clock: BootClock,
    /// The true date at the first step (default 2026-01-05T12:00:00Z).
    pub date: Moment,
    /// Error of the wall clock's speed in parts per million; positive means too fast (default 0).
    pub drift: i32,
}

impl Default for Router {
    fn default() -> Self {
        Self {
            rtc: Rtc::Good,
            store: Store::Nvram,
            dialect: unspanned("openwrt".to_owned()),
            space: Bytes(32 * 1024),
            partition: None,
            erase: Bytes(64 * 1024),
            chip: unspanned("spi-nor".to_owned()),
            neighbours: Bytes(8 * 1024),
            free: None,
            variables: BTreeMap::new(),
            files: BTreeMap::new(),
            image: None,
            persistent: None,
            persistent_size: None,
            write_ordering: None,
            unsynced: Unsynced::Kept,
            interface: unspanned("br0".to_owned()),
            clock: BootClock::Kept,
            // 2026-01-05T12:00:00Z, a Monday.
            date: Moment::At(1_767_614_400),
            drift: 0,
        }
    }
}
