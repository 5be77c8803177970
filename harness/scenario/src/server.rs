//! The `[server]` section: the configuration of dnsmasq.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::units::{LeaseTime, Seconds};

/// The configuration of dnsmasq.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Server {
    /// The release of dnsmasq, from `2.33` to `2.92` (default: the newest). `leaselab dnsmasq list` shows the
    /// differences between the releases. Under `leaselab live` and `leaselab qemu`, the default is the release of the
    /// real dnsmasq.
    #[schemars(with = "Option<String>")]
    pub dnsmasq: Option<Spanned<String>>,
    /// The range of DHCPv4 addresses, `FIRST-LAST` (default `192.168.1.50-192.168.1.249`, unless `options` contain a
    /// `--dhcp-range`).
    #[schemars(with = "Option<String>")]
    pub range: Option<Spanned<String>>,
    /// Whether the addresses of the range are leased only to hosts with a `--dhcp-host` (default false).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub static_range: bool,
    /// The router's own address and the length of its prefix (default: the first address of the smallest network that
    /// contains the range and has a prefix of at most 24 bits).
    #[schemars(with = "Option<String>")]
    pub address: Option<Spanned<String>>,
    /// The length of a lease (default 12h).
    pub lease_time: LeaseTime,
    /// The largest number of leases, `--dhcp-lease-max` (default 1000, as in dnsmasq).
    pub lease_limit: Option<u32>,
    /// The range of DHCPv6 addresses, `FIRST-LAST`. Without it, the server does not serve DHCPv6.
    #[schemars(with = "Option<String>")]
    pub range6: Option<Spanned<String>>,
    /// How dnsmasq passes a client-id or DUID of more than 100 bytes to the script: `whole` (default) or `cut`. Under
    /// `leaselab live`, the default is the behaviour of the real dnsmasq.
    pub long_ids: Option<LongIds>,
    /// Makes dnsmasq keep its leases in its own file and call the script only to report changes, without `init`: `true`
    /// for `/tmp/dhcp.leases`, or the path of the file. A file below `/tmp` is lost when power is cut.
    #[serde(skip_serializing_if = "LeaseFile::is_none")]
    pub leasefile: LeaseFile,
    /// Additional command-line options of dnsmasq, for example `--domain=lan`.
    #[schemars(with = "Vec<String>")]
    pub options: Vec<Spanned<String>>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            dnsmasq: None,
            range: None,
            static_range: false,
            address: None,
            lease_time: LeaseTime::Finite(Seconds(12 * 3600)),
            lease_limit: None,
            range6: None,
            long_ids: None,
            leasefile: LeaseFile::None,
            options: Vec::new(),
        }
    }
}

/// The lease file of dnsmasq.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LeaseFile {
    /// The script stores the leases (`--leasefile-ro`).
    #[default]
    None,
    /// dnsmasq stores them in `/tmp/dhcp.leases`.
    Default,
    /// dnsmasq stores them in this file.
    At(String),
}

impl LeaseFile {
    /// Returns the path of the file, if there is one.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Default => Some("/tmp/dhcp.leases"),
            Self::At(path) => Some(path),
        }
    }

    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

struct LeaseFileVisitor;

impl Visitor<'_> for LeaseFileVisitor {
    type Value = LeaseFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, or the path of a file")
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<LeaseFile, E> {
        Ok(if truth { LeaseFile::Default } else { LeaseFile::None })
    }

    fn visit_str<E: de::Error>(self, path: &str) -> Result<LeaseFile, E> {
        Ok(LeaseFile::At(path.to_owned()))
    }
}

impl<'de> Deserialize<'de> for LeaseFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LeaseFileVisitor)
    }
}

impl Serialize for LeaseFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_bool(false),
            Self::Default => serializer.serialize_bool(true),
            Self::At(path) => serializer.serialize_str(path),
        }
    }
}

impl JsonSchema for LeaseFile {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "LeaseFile".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["boolean", "string"] })
    }
}

/// How dnsmasq passes a long client-id or DUID to the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LongIds {
    /// The complete identifier.
    Whole,
    /// The first 100 bytes and a colon, as dnsmasq passes it since the fix for CVE-2026-4892.
    Cut,
}
