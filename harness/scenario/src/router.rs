//! The `[router]` section: hardware and firmware.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::units::{BootClock, Bytes, Moment};

/// The dnsmasq build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rtc {
    /// The default build: leases carry an expiry time.
    #[default]
    Good,
    /// Built with HAVE_BROKEN_RTC: leases carry a length, time is the monotonic clock.
    Broken,
}

/// Where the lease script keeps leases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// In NVRAM.
    #[default]
    Nvram,
    /// In a journal on a file system that survives reboots (`LEASE_STORE=journal:PATH`); only `lease-update` does this.
    /// What a scenario says of NVRAM and flash does not count then; a commit is a call that wrote to the journal.
    Journal,
}

/// The router's hardware and firmware.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Router {
    /// dnsmasq's build.
    pub rtc: Rtc,
    /// Where the script keeps leases.
    pub store: Store,
    /// The dialect of its `nvram` tool.
    #[schemars(with = "String")]
    pub dialect: Spanned<String>,
    /// Size of the NVRAM.
    pub space: Bytes,
    /// Size of the MTD partition; default: space rounded up to whole erase blocks, or the space
    /// itself where it is smaller than a block.
    pub partition: Option<Bytes>,
    /// Size of an erase block.
    pub erase: Bytes,
    /// The flash chip, by preset name.
    #[schemars(with = "String")]
    pub chip: Spanned<String>,
    /// Bytes of other programs' variables to start with.
    pub neighbours: Bytes,
    /// Instead of `neighbours`: fill until this many bytes are free by the tool's own count.
    pub free: Option<Bytes>,
    /// Further variables to start with.
    pub variables: BTreeMap<String, String>,
    /// Instead of all that: a flash image, by a path relative to this file.
    #[schemars(with = "Option<String>")]
    pub image: Option<Spanned<String>>,
    /// What the wall clock shows at boot.
    pub clock: BootClock,
    /// The true date when the story begins.
    pub date: Moment,
    /// How fast the wall clock runs: parts per million too fast (negative: too slow).
    pub drift: i32,
}

impl Default for Router {
    fn default() -> Self {
        Self {
            rtc: Rtc::Good,
            store: Store::Nvram,
            dialect: Spanned::new(0..0, "openwrt".to_owned()),
            space: Bytes(32 * 1024),
            partition: None,
            erase: Bytes(64 * 1024),
            chip: Spanned::new(0..0, "spi-nor".to_owned()),
            neighbours: Bytes(8 * 1024),
            free: None,
            variables: BTreeMap::new(),
            image: None,
            clock: BootClock::Kept,
            // 2026-01-05T12:00:00Z, a Monday.
            date: Moment::At(1_767_614_400),
            drift: 0,
        }
    }
}
