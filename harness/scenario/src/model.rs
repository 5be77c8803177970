//! The scenario format: one TOML file, one story.
//!
//! The types are the format. Their doc comments become the descriptions of the JSON schema in
//! `scenarios/scenario.schema.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::point::Point;
use super::units::{BootClock, Bytes, LeaseTime, Moment, Scalar, Seconds};
use disk_model::Files;

use super::journal_lab::{Loss, Strategy};

/// A scenario file.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// One line that says what must hold.
    pub title: String,
    /// The story: what happens to whom, and why it matters.
    #[serde(default)]
    pub story: String,
    /// Words to filter by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Names and their values. Every combination is run; `$name` and `${name}` stand for the value
    /// anywhere in the file.
    #[serde(default)]
    pub parameters: BTreeMap<String, Vec<Scalar>>,
    /// Combinations left out: those in which every named parameter has the given value.
    #[serde(default)]
    pub except: Vec<BTreeMap<String, Scalar>>,
    /// A claim of the 2006 notes that this scenario measures.
    pub claim: Option<Claim>,
    /// The router.
    #[serde(default)]
    pub router: Router,
    /// The DHCP server.
    #[serde(default)]
    pub server: Server,
    /// The lease script under test.
    #[serde(default)]
    pub script: Script,
    /// Invariants that this scenario expects to see broken. One that holds after all fails the run.
    #[serde(default)]
    pub breaks: Vec<Breaks>,
    /// What nobody can help, and the judge is not to speak of.
    #[serde(default)]
    pub forgive: Vec<Forgiven>,
    /// Instead of all that: a program that rewrites its lease database, cut at every system call.
    pub journal: Option<JournalLab>,
    /// What happens, in order.
    #[serde(default, rename = "step")]
    #[schemars(with = "Vec<Step>")]
    pub steps: Vec<Spanned<Step>>,
}

/// A claim of the 2006 notes, and what became of it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Claim {
    /// The claim in a sentence.
    pub text: String,
    /// What the measurements say: holds, holds only for …, false today.
    pub verdict: String,
    /// What the naive script of 2006 costs, as measured by this scenario.
    #[serde(default)]
    pub naive: String,
    /// What the project's script costs, as measured by this scenario.
    #[serde(default)]
    pub ours: String,
}

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
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
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

/// What nobody can help, and the judge is not to speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Forgiven {
    /// Power that goes inside a flash operation may cost everything: a store of one copy has no choice. What the next
    /// boot finds is taken for granted, if it is leases.
    TornWrite,
    /// The call after one that was killed or failed may commit though nothing changed: it cannot know.
    RepeatedCommit,
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

/// dnsmasq's configuration.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Server {
    /// Addresses to lease, `FIRST-LAST`.
    #[schemars(with = "String")]
    pub range: Spanned<String>,
    /// How long a lease lasts.
    pub lease_time: LeaseTime,
    /// `--dhcp-lease-max`; default: dnsmasq's own, 1000.
    pub lease_limit: Option<u32>,
    /// DHCPv6 addresses to lease, `FIRST-LAST`; none: no DHCPv6.
    #[schemars(with = "Option<String>")]
    pub range6: Option<Spanned<String>>,
    /// What the script is told of a client-id or DUID of more than 100 bytes; default: `whole`, and in
    /// `leaselab live` whatever the real one does.
    pub long_ids: Option<LongIds>,
    /// Further options of the dnsmasq command line, as `--domain=lan`.
    #[schemars(with = "Vec<String>")]
    pub options: Vec<Spanned<String>>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            range: Spanned::new(0..0, "192.168.1.50-192.168.1.249".to_owned()),
            lease_time: LeaseTime::Finite(Seconds(12 * 3600)),
            lease_limit: None,
            range6: None,
            long_ids: None,
            options: Vec::new(),
        }
    }
}

/// What the script is told of a long client-id or DUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LongIds {
    /// All of it.
    Whole,
    /// Its first 100 bytes and a colon: dnsmasq since the fix of CVE-2026-4892.
    Cut,
}

/// The lease script under test.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Script {
    /// `shell` (lease_update.sh), `rust` (lease-update), `naive` (after the 2006 script), or the path
    /// of a script, relative to this file. `--script` replaces `shell` and `rust`.
    #[serde(rename = "use")]
    #[schemars(with = "String")]
    pub program: Spanned<String>,
    /// Seconds by which a renewal may move the expiry without a write (LEASE_SLACK).
    pub slack: Option<Seconds>,
    /// How many leases `init` prints at most (LEASE_MAX).
    pub max: Option<u32>,
    /// `init` fails when the NVRAM cannot be read (LEASE_STRICT).
    pub strict: Option<bool>,
    /// Free bytes, where the tool cannot tell them (LEASE_NVRAM_FREE).
    pub free: Option<Bytes>,
    /// Further environment variables.
    pub environment: BTreeMap<String, String>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            program: Spanned::new(0..0, "shell".to_owned()),
            slack: None,
            max: None,
            strict: None,
            free: None,
            environment: BTreeMap::new(),
        }
    }
}

/// What a lease script must keep.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Invariant {
    /// Once the script returned 0 for an event, `init` after any later power cut shows it.
    Durability,
    /// A cut during an event leaves that address as before or as after, every other untouched.
    Atomicity,
    /// `init` exits 0 and prints only lines that dnsmasq reads.
    Parsability,
    /// No other NVRAM variable is lost, changed or added.
    Neighbours,
    /// With no cut, after every event, `init` prints the engine's own leases.
    Agreement,
    /// No flash operation where nothing that is stored changed.
    Thrift,
}

impl Invariant {
    /// The name in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Durability => "durability",
            Self::Atomicity => "atomicity",
            Self::Parsability => "parsability",
            Self::Neighbours => "neighbours",
            Self::Agreement => "agreement",
            Self::Thrift => "thrift",
        }
    }
}

/// A way of keeping leases in files, under test.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JournalLab {
    /// Which one.
    pub strategy: Strategy,
    /// What the file system does with what was not synced.
    #[serde(default)]
    pub files: Files,
    /// What cuts may cost, and do: a loss that is not named fails the run, and so does one that no cut shows.
    #[serde(default)]
    pub loses: JournalLosses,
    /// A window in which a cut leaves no database.
    pub window: Option<CallWindow>,
}

/// What cuts cost, by what the file system does.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct JournalLosses {
    /// With `files = "ordered"`.
    pub ordered: Vec<Loss>,
    /// With `files = "reordering"`.
    pub reordering: Vec<Loss>,
}

/// The time between two system calls, as `rename dhcpd.leases dhcpd.leases~`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CallWindow {
    /// The call after which it begins.
    pub after: String,
    /// The call with which it ends.
    pub before: String,
}

/// An invariant that this scenario expects to see broken.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Breaks {
    /// Which one.
    pub invariant: Invariant,
    /// Why.
    pub why: String,
    /// Only where these parameters have these values.
    #[serde(default)]
    pub when: BTreeMap<String, Scalar>,
}

/// One step: at most one thing that happens, how it is disturbed, and what is expected then.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Step {
    /// A remark.
    pub note: Option<String>,
    /// Only where these parameters have these values.
    pub when: BTreeMap<String, Scalar>,
    /// Repeat: let this much time pass, then do it; until `until` has passed.
    pub every: Option<Seconds>,
    /// For how long to repeat.
    pub until: Option<Seconds>,
    /// Repeat this many times.
    pub times: Option<u32>,

    /// Power on: the hardware boots, dnsmasq starts.
    pub boot: Option<Boot>,
    /// Clean shutdown: dnsmasq ends by SIGTERM, then power goes.
    pub shutdown: Option<bool>,
    /// Power goes, between two events.
    pub power_cut: Option<bool>,
    /// Time passes.
    pub advance: Option<Seconds>,
    /// The wall clock is set by hand.
    pub set_clock: Option<Moment>,
    /// NTP answers: the wall clock jumps to the true time.
    pub ntp: Option<bool>,
    /// From now on the wall clock runs this many parts per million too fast.
    pub drift: Option<i32>,
    /// dnsmasq alone: start, stop (SIGTERM), kill (SIGKILL), sighup.
    pub dnsmasq: Option<DaemonAction>,
    /// A client comes, or many.
    pub join: Option<Join>,
    /// A bound client asks again (DISCOVER and REQUEST).
    pub request: Option<ClientEvent>,
    /// A client renews by unicast (T1).
    pub renew: Option<ClientEvent>,
    /// A client renews by broadcast (T2).
    pub rebind: Option<ClientEvent>,
    /// A client reboots and asks for the address that it remembers.
    pub init_reboot: Option<ClientEvent>,
    /// A client takes another host name and renews.
    pub rename: Option<ClientEvent>,
    /// A client asks for its options only.
    pub inform: Option<ClientEvent>,
    /// A client gives its lease back.
    pub release: Option<ClientEvent>,
    /// A client refuses its address.
    pub decline: Option<ClientEvent>,
    /// A client goes away without a word: patterns do not match it any more.
    pub silence: Option<ClientEvent>,
    /// A journal of a real dhcpd is replayed: dnsmasq starts anew with its addresses, and the same clients
    /// get, renew and give back the same addresses at the same times.
    pub journal: Option<Journal>,
    /// A raw call of the lease script.
    pub call: Option<RawCall>,
    /// Another program's `nvram` commands.
    pub nvram: Option<Vec<Vec<String>>>,
    /// Bytes of the flash or of RAM are overwritten behind everybody's back.
    pub damage: Option<Damage>,

    /// A web page calls `init` meanwhile.
    pub web_page: Option<bool>,
    /// Power goes at this point of the script call.
    pub cut: Option<Point>,
    /// The script is killed at this point, power stays.
    pub kill: Option<Point>,
    /// Which script call of this step `cut`, `kill` and `fail` strike, from 1.
    pub at_call: Option<u32>,
    /// `nvram` commands with this first word fail during that call, without doing anything.
    pub fail: Option<String>,

    /// What must be true afterwards.
    pub expect: Option<Expect>,
}

/// Power on.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Boot {
    /// How long the power was off.
    pub off: Option<Seconds>,
    /// What the wall clock shows; default: the router's.
    pub clock: Option<BootClock>,
    /// Whether dnsmasq starts (default true).
    pub dnsmasq: Option<bool>,
    /// From this boot on, dnsmasq is of this build.
    pub rtc: Option<Rtc>,
    /// From this boot on, `--dhcp-lease-max`.
    pub lease_limit: Option<u32>,
}

/// What happens to dnsmasq alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DaemonAction {
    /// It is started.
    Start,
    /// SIGTERM.
    Stop,
    /// SIGKILL.
    Kill,
    /// SIGHUP.
    Sighup,
}

/// A client comes.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Join {
    /// Its name in this file; with `count`, the clients are NAME-1, NAME-2, ….
    #[schemars(with = "String")]
    pub client: Spanned<String>,
    /// How many.
    pub count: Option<u32>,
    /// Hardware address; default: made from a running number. `TT-` before it: ARP hardware type.
    #[schemars(with = "Option<String>")]
    pub mac: Option<Spanned<String>>,
    /// Host name; default: the client's name in this file. `""`: none. `\xNN` for any byte.
    pub hostname: Option<String>,
    /// Client-id in hex with colons; default: 01 and the hardware address. `""`: none.
    #[schemars(with = "Option<String>")]
    pub client_id: Option<Spanned<String>>,
    /// The address asked for.
    #[schemars(with = "Option<String>")]
    pub address: Option<Spanned<String>>,
    /// The lease time asked for.
    pub lease_time: Option<LeaseTime>,
    /// BOOTP instead of DHCP.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bootp: bool,
    /// DHCPv6: `na` or `ta`.
    pub v6: Option<V6>,
    /// DHCPv6: the client's DUID; default: 00:03:00:01 and the hardware address.
    #[schemars(with = "Option<String>")]
    pub duid: Option<Spanned<String>>,
    /// DHCPv6: the IAID (default 1).
    pub iaid: Option<u32>,
}

/// The kind of a DHCPv6 lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum V6 {
    /// Non-temporary address (IA_NA).
    Na,
    /// Temporary address (IA_TA).
    Ta,
}

/// Something a client does.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientEvent {
    /// Which client, by its name in this file; `*` stands for any characters.
    #[schemars(with = "String")]
    pub client: Spanned<String>,
    /// It has this host name from now on (`""`: sends none).
    pub hostname: Option<String>,
    /// It has this client-id from now on (`""`: sends none).
    #[schemars(with = "Option<String>")]
    pub client_id: Option<Spanned<String>>,
    /// It has this hardware address from now on.
    #[schemars(with = "Option<String>")]
    pub mac: Option<Spanned<String>>,
    /// The address asked for, or given back; default: its own.
    #[schemars(with = "Option<String>")]
    pub address: Option<Spanned<String>>,
    /// The lease time asked for.
    pub lease_time: Option<LeaseTime>,
}

/// A journal of ISC dhcpd.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Journal {
    /// A dhcpd.leases, a folder of its generations, or a `.tar.xz` of them, by a path relative to this file.
    #[schemars(with = "String")]
    pub path: Spanned<String>,
    /// Only so much of it, from its beginning.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub time: Option<Seconds>,
}

/// A raw call of the lease script.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawCall {
    /// The arguments. `\xNN` stands for any byte.
    pub arguments: Vec<String>,
    /// The environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

/// Where bytes are damaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Memory {
    /// The flash.
    #[default]
    Flash,
    /// The copy in RAM, where there is one.
    Ram,
}

/// Bytes overwritten behind everybody's back.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Damage {
    /// Flash or RAM.
    #[serde(default)]
    pub memory: Memory,
    /// First byte, counted from the NVRAM header.
    pub offset: Bytes,
    /// The new bytes in hex.
    #[schemars(with = "String")]
    pub bytes: Spanned<String>,
    /// How often the bytes are repeated (default 1).
    pub repeat: Option<u32>,
}

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
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Expect {
    /// How many leases `init` prints.
    pub leases: Option<u64>,
    /// The very lines that `init` prints, in its order. `\xNN` for any byte; `*TIME*` for any time.
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
