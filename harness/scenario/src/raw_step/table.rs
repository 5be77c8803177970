//! The table of a step and its JSON schema.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::located::Located;
use crate::actions::{Boot, ClientEvent, DaemonAction, Damage, Join, Journal, RawCall};
use crate::condition::Condition;
use crate::configure::Configure;
use crate::expectations::Expectations;
use crate::point::Point;
use crate::units::{Moment, Seconds};

/// One step: at most one action, at most one disturbance of it, and the conditions that must be true afterwards.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "Step")]
pub(crate) struct RawStep {
    /// A comment for readers of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    /// The step is run only in cases in which each of these parameters has the given value, or one of the given values.
    #[serde(skip_serializing_if = "Condition::is_empty")]
    pub(crate) when: Condition,
    /// Repeats the action until `until` has passed. This much time, at least 1s, passes before each repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) every: Option<Located<Seconds>>,
    /// The total time of the repetitions of `every`; at most 1,000,000 repetitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Located<Seconds>>,
    /// Repeats the action this many times (default 1, at most 1,000,000).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) times: Option<Located<u32>>,

    /// Action: the router is switched on and dnsmasq starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) boot: Option<Located<Boot>>,
    /// Action, `true`: dnsmasq is terminated with SIGTERM, then the router is switched off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shutdown: Option<Located<bool>>,
    /// Action, `true`: power is lost while no script call is running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) power_cut: Option<Located<bool>>,
    /// Action: this much time passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advance: Option<Located<Seconds>>,
    /// Action: the wall clock is set to a date, or moved by a distance from its current reading. The kernel refuses
    /// times before 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) set_clock: Option<Located<Moment>>,
    /// Action, `true`: NTP sets the wall clock to the true time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ntp: Option<Located<bool>>,
    /// Action: from now on, the wall clock runs too fast by this many parts per million (negative: too slow).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) drift: Option<Located<i32>>,
    /// Action: dnsmasq is started or gets a signal: `start`, `stop` (SIGTERM), `kill` (SIGKILL), `restart` (SIGTERM and a new
    /// start) or `sighup`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dnsmasq: Option<Located<DaemonAction>>,
    /// Action: one or more new clients join the network and request leases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) join: Option<Located<Join>>,
    /// Action: a client with a lease sends DISCOVER and REQUEST again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request: Option<Located<ClientEvent>>,
    /// Action: a client renews by unicast, as at T1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) renew: Option<Located<ClientEvent>>,
    /// Action: a client renews by broadcast, as at T2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rebind: Option<Located<ClientEvent>>,
    /// Action: a client reboots and requests the address that it remembers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) init_reboot: Option<Located<ClientEvent>>,
    /// Action: a client changes its host name and renews its lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rename: Option<Located<ClientEvent>>,
    /// Action: a client sends INFORM, which requests options only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inform: Option<Located<ClientEvent>>,
    /// Action: a client releases its lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) release: Option<Located<ClientEvent>>,
    /// Action: a client declines its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decline: Option<Located<ClientEvent>>,
    /// Action: a client leaves the network without a message. Patterns no longer match it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) silence: Option<Located<ClientEvent>>,
    /// Action: a lease journal of ISC dhcpd is replayed. dnsmasq is restarted with the address range of the journal, and the
    /// same clients get, renew and release the same addresses at the same times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) journal: Option<Located<Journal>>,
    /// Action: the lease script is called with these arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) call: Option<Located<RawCall>>,
    /// Action: another program runs these `nvram` commands, each a list of arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nvram: Option<Located<Vec<Vec<String>>>>,
    /// Action: bytes of the flash or of RAM are overwritten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) damage: Option<Located<Damage>>,
    /// Action: files of the router are written, by path, with their contents. `\xNN` stands for any byte. dnsmasq reads those
    /// that its options name: hosts files at SIGHUP and at its start, a file in a `--dhcp-hostsdir` at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) files: Option<Located<BTreeMap<String, String>>>,
    /// Action: files of the router are removed, by path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remove_files: Option<Located<Vec<String>>>,
    /// Action: the configuration of dnsmasq changes. dnsmasq uses it from its next start on: at the next `boot`, or with
    /// `dnsmasq = "restart"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) configure: Option<Located<Configure>>,

    /// `true`: while the script runs, a web page also calls it with `init`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) web_page: Option<Located<bool>>,
    /// Disturbance: power is lost at this point of a script call: `before` or `after` the first `nvram` command with a
    /// subcommand (`before set`, `after commit`) or the N-th one (`before nvram 2`), inside a flash operation (`erase`,
    /// `program`, `op 1 byte 512`), or after the N-th change of a file in a persistent folder (`file change 2`; `file change 2
    /// state 1` loses some of the changes that were not synced).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cut: Option<Located<Point>>,
    /// Disturbance: the script is killed at this point, `before` or `after` an `nvram` command or after a change of a file
    /// (`file change 2`); power stays on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kill: Option<Located<Point>>,
    /// Disturbance: all `nvram` commands of a script call with this subcommand, for example `commit`, fail without any
    /// effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fail: Option<Located<String>>,
    /// The script call of the step that `cut`, `kill` or `fail` disturbs, counted from 1 (default 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at_call: Option<Located<NonZeroU32>>,

    /// Conditions that must be true after the step: a table, or a list of tables that apply to different cases.
    #[serde(skip_serializing_if = "Expectations::is_empty")]
    pub(super) expect: Expectations,
}
