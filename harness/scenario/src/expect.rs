//! What must be true after a step.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::units::LeaseTime;

/// A range of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Between {
    /// The least.
    pub at_least: Option<i64>,
    /// The most.
    pub at_most: Option<i64>,
}

/// What must be true after a step. Counts are of this step; those named `total-…` since the start.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Expect {
    /// How many leases `init` prints.
    pub leases: Option<u64>,
    /// All lines that `init` prints, each as often as it is printed: DHCPv4 leases, then the DUID, then DHCPv6 leases, in
    /// any order within a family. `\xNN` for any byte; `*TIME*` for any time.
    pub lines: Option<Vec<String>>,
    /// Clients (or patterns) whose leases are stored.
    #[schemars(with = "Vec<String>")]
    pub has: Vec<Spanned<String>>,
    /// Clients (or patterns) of whom no lease is stored.
    #[schemars(with = "Vec<String>")]
    pub lacks: Vec<Spanned<String>>,
    /// Host names that dnsmasq answers for.
    pub names: Vec<String>,
    /// Host names that dnsmasq does not answer for.
    pub no_names: Vec<String>,
    /// How long dnsmasq thinks the client's lease lasts from now.
    pub remaining: BTreeMap<String, LeaseTime>,
    /// Variables as `nvram get` gives them.
    pub variables: BTreeMap<String, String>,
    /// Variables that `nvram get` does not give.
    pub no_variables: Vec<String>,
    /// Variables as the next boot will find them in flash.
    pub flash: BTreeMap<String, String>,
    /// Variables that the next boot will not find in flash.
    pub no_flash: Vec<String>,
    /// Whether the flash holds what RAM holds.
    pub committed: Option<bool>,
    /// Script calls (init included).
    pub calls: Option<u64>,
    /// The script calls: action and arguments.
    pub call_list: Option<Vec<String>>,
    /// Script calls that did not exit with 0.
    pub failed_calls: Option<u64>,
    /// The exit code of the last script call.
    pub exit: Option<i32>,
    /// Texts that the script's stderr contains.
    pub stderr: Vec<String>,
    /// `nvram` commands of the script.
    pub nvram_commands: Option<u64>,
    /// `nvram commit` commands of the script that touched the flash.
    pub commits: Option<u64>,
    /// Erases.
    pub erases: Option<u64>,
    /// Bytes programmed.
    pub programmed: Option<u64>,
    /// Flash operations, erases and programs together.
    pub flash_operations: Option<u64>,
    /// Script calls since the start.
    pub total_calls: Option<u64>,
    /// Commits since the start.
    pub total_commits: Option<u64>,
    /// Erases since the start.
    pub total_erases: Option<u64>,
    /// Mean bytes of a stored lease record, `NAME=VALUE` and its NUL.
    pub record_bytes: Option<Between>,
    /// Bytes that all stored lease records take.
    pub stored_bytes: Option<Between>,
    /// dnsmasq's exit code, where it ended by itself.
    pub dnsmasq_exit: Option<i32>,
    /// The server's answer to the client's last message: ack, nak or none.
    pub reply: Option<ReplyKind>,
}

/// The server's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReplyKind {
    /// DHCPACK, or a DHCPv6 reply with the address.
    Ack,
    /// DHCPNAK, or a DHCPv6 reply with an error.
    Nak,
    /// No answer.
    None,
}
