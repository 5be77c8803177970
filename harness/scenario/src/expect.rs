//! Conditions that must be true after a step.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::condition::Condition;
use crate::units::LeaseTime;

/// A range of numbers. Both limits are inclusive and optional.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NumberRange {
    /// The smallest accepted number.
    pub at_least: Option<i64>,
    /// The largest accepted number.
    pub at_most: Option<i64>,
}

/// Conditions that must be true after a step. A count covers this step only; a count named `total-…` covers all steps so
/// far.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Expect {
    /// The conditions are checked only in cases in which each of these parameters has the given value, or one of the given
    /// values. A step may have several tables of conditions: `expect = [{ when = { … }, … }, …]`.
    #[serde(skip_serializing_if = "Condition::is_empty")]
    pub when: Condition,
    /// Number of leases that `init` prints.
    pub leases: Option<u64>,
    /// All lines that `init` prints: DHCPv4 leases, then the server's DUID, then DHCPv6 leases, in any order within each
    /// group. `\xNN` stands for any byte, `*TIME*` for any time.
    pub lines: Option<Vec<String>>,
    /// Clients whose leases are stored, by name; `*` stands for any characters.
    #[schemars(with = "Vec<String>")]
    pub has: Vec<Spanned<String>>,
    /// Clients without a stored lease, by name; `*` stands for any characters.
    #[schemars(with = "Vec<String>")]
    pub lacks: Vec<Spanned<String>>,
    /// Host names that dnsmasq resolves.
    pub names: Vec<String>,
    /// Host names that dnsmasq does not resolve.
    pub no_names: Vec<String>,
    /// The remaining time of a lease according to dnsmasq, by the name of the client.
    pub remaining: BTreeMap<String, LeaseTime>,
    /// Values of variables as `nvram get` prints them, by name.
    pub variables: BTreeMap<String, String>,
    /// Variables that `nvram get` does not find.
    pub no_variables: Vec<String>,
    /// Values of variables in flash, as the next boot will read them, by name.
    pub flash: BTreeMap<String, String>,
    /// Variables that are not in flash.
    pub no_flash: Vec<String>,
    /// The contents of the router's files, by path. `\xNN` stands for any byte.
    pub files: BTreeMap<String, String>,
    /// Paths at which the router has no file.
    pub no_files: Vec<String>,
    /// Whether the contents of RAM and flash are equal.
    pub committed: Option<bool>,
    /// Number of script calls, including `init`.
    pub calls: Option<u64>,
    /// The script calls in order, each with its action and arguments, separated by spaces.
    pub call_list: Option<Vec<String>>,
    /// Number of script calls whose exit code was not 0.
    pub failed_calls: Option<u64>,
    /// The exit code of the last script call.
    pub exit: Option<i32>,
    /// Texts that the script's standard error must contain.
    pub stderr: Vec<String>,
    /// Number of `nvram` commands that the script ran.
    pub nvram_commands: Option<u64>,
    /// Number of the script's `nvram commit` commands that erased or programmed flash.
    pub commits: Option<u64>,
    /// Number of flash erases.
    pub erases: Option<u64>,
    /// Number of bytes programmed into flash.
    pub programmed: Option<u64>,
    /// Number of flash operations: erases and programs.
    pub flash_operations: Option<u64>,
    /// Number of script calls since the start, including `init`.
    pub total_calls: Option<u64>,
    /// Number of commits since the start that erased or programmed flash.
    pub total_commits: Option<u64>,
    /// Number of flash erases since the start.
    pub total_erases: Option<u64>,
    /// Mean size in bytes of a stored lease record: `NAME=VALUE` and the terminating NUL.
    pub record_bytes: Option<NumberRange>,
    /// Total size in bytes of all stored lease records.
    pub stored_bytes: Option<NumberRange>,
    /// The exit code of dnsmasq, if it exited by itself.
    pub dnsmasq_exit: Option<i32>,
    /// The server's answer to the client's last message: `ack`, `nak` or `none`.
    pub reply: Option<ReplyKind>,
}

/// The server's answer to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReplyKind {
    /// DHCPACK, or a DHCPv6 reply that contains the address.
    Ack,
    /// DHCPNAK, or a DHCPv6 reply that contains an error status.
    Nak,
    /// No answer.
    None,
}

impl ReplyKind {
    /// Returns the name in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ack => "ack",
            Self::Nak => "nak",
            Self::None => "none",
        }
    }
}
