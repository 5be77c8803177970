//! The structure of a recording: `meta.json`, `stimuli.jsonl` and `calls.jsonl`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use dnsmasq_model::{Build, LeaseLine, Release, ScriptCall, parse_duid_line};
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use super::byte_string::ByteString;
use super::recorder_store::{InitOrder, StoreMode};

/// A DHCPv4 vendor class, or DHCPv6 vendor classes with their enterprise number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vendor {
    /// DHCPv4 option 60.
    V4(ByteString),
    /// DHCPv6 option 16.
    V6(u32, Vec<ByteString>),
}

impl<'de> Deserialize<'de> for Vendor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Vendor, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Vendor;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or a list of an enterprise number and strings")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Vendor, E> {
                Ok(Vendor::V4(ByteString(text.as_bytes().to_vec())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vendor, A::Error> {
                let number =
                    list.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
                let mut classes = Vec::new();
                while let Some(class) = list.next_element()? {
                    classes.push(class);
                }
                Ok(Vendor::V6(number, classes))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The names of the builds in `meta.json`.
#[derive(Deserialize)]
#[serde(remote = "Build", rename_all = "kebab-case")]
enum BuildName {
    Rtc,
    NoRtc,
}

/// The clocks that the recorded dnsmasq read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordedClock {
    /// Clocks that only the stimuli advance, so that every time is known exactly.
    Virtual,
    /// The clocks of the machine.
    Real,
    /// The clocks of the machine, as changed by libfaketime.
    Faketime,
}

/// The contents of `meta.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Meta {
    /// The name of the recording, without the build.
    pub name: String,
    /// The build of the recorded dnsmasq.
    #[serde(with = "BuildName")]
    pub build: Build,
    /// The release of dnsmasq, if a release was recorded.
    #[serde(default)]
    pub version: Option<String>,
    /// The first line of `dnsmasq --version`.
    #[serde(default)]
    pub dnsmasq: Option<String>,
    /// Command line of the first start.
    pub cmdline: Vec<String>,
    /// The clocks of the recorded dnsmasq.
    pub clock: RecordedClock,
    /// `CLOCK_REALTIME` at the beginning.
    pub wall0: f64,
    /// `CLOCK_MONOTONIC` at the beginning.
    pub mono0: f64,
    /// The lease script that the recorder imitated.
    pub store_mode: StoreMode,
    /// The order in which `init` prints the stored leases.
    pub init_order: InitOrder,
    /// The reason why two recordings of the same stimuli may differ, or `None` if they must not differ.
    pub racy: Option<String>,
    /// Number of stimuli.
    pub stimuli: u64,
    /// Number of calls.
    pub calls: u64,
    /// Calls by action.
    pub by_action: BTreeMap<String, u64>,
    /// The stored variables at the end, each as `name=value`.
    pub store_final: Vec<ByteString>,
}

/// An identity association in a DHCPv6 message or reply.
#[derive(Debug, Clone, Deserialize)]
pub struct IaRecord {
    /// `na` or `ta`.
    #[serde(rename = "type")]
    pub kind: String,
    /// IAID.
    pub iaid: u32,
    /// Addresses.
    #[serde(default)]
    pub addr: Vec<String>,
    /// Valid lifetime in seconds.
    #[serde(default)]
    pub valid: Option<u32>,
    /// Status code.
    #[serde(default)]
    pub status: Option<u16>,
}

/// The response to a stimulus.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// The type of the reply message, or `None` if there was no reply.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The address that was assigned.
    pub ip: Option<String>,
    /// The lease time that was granted, in seconds.
    pub lease_time: Option<u32>,
    /// The error message of a refusal.
    pub message: Option<String>,
    /// The exit status of dnsmasq, or `None` if it is running.
    pub rc: Option<i32>,
    /// The monotonic times at which SIGALRM fired.
    pub alarms: Option<Vec<f64>>,
    /// The identity associations in the reply.
    pub ia: Vec<IaRecord>,
    /// The server's DUID in the reply.
    pub server_duid: Option<String>,
    /// Number of bytes transferred.
    pub size: Option<u64>,
}

/// One line of `stimuli.jsonl`: an input of dnsmasq.
#[derive(Debug, Clone, Deserialize)]
pub struct Stimulus {
    /// Sequence number, starting at 0.
    pub i: u64,
    /// Seconds since the recording began.
    pub t: f64,
    /// `CLOCK_REALTIME` in seconds.
    pub wall: f64,
    /// `CLOCK_MONOTONIC` in seconds.
    pub mono: f64,
    /// The kind of stimulus, such as `renew` or `advance`.
    #[serde(rename = "do")]
    pub kind: String,
    /// The range of script calls that dnsmasq made before it was idle again.
    #[serde(default)]
    pub calls: Option<(u64, u64)>,
    /// The response to a stimulus.
    #[serde(default)]
    pub res: Option<Answer>,
    /// The exit status of dnsmasq if the stimulus ended it; a signal is its negated number. Later stimuli have no
    /// response.
    #[serde(default)]
    pub died: Option<i32>,
    /// Command line of a `start`.
    #[serde(default)]
    pub argv: Option<Vec<String>>,
    /// The client's hardware address.
    #[serde(default)]
    pub mac: Option<String>,
    /// ARP hardware type.
    #[serde(default)]
    pub htype: Option<u16>,
    /// The host name that the client sends.
    #[serde(default)]
    pub hostname: Option<ByteString>,
    /// The name in option 81 (FQDN).
    #[serde(default)]
    pub fqdn: Option<ByteString>,
    /// The client identifier.
    #[serde(default)]
    pub clid: Option<String>,
    /// Vendor class.
    #[serde(default)]
    pub vendor: Option<Vendor>,
    /// User classes.
    #[serde(default)]
    pub user_class: Option<Vec<ByteString>>,
    /// The requested options (DHCPv4).
    #[serde(default)]
    pub prl: Option<Vec<u8>>,
    /// The requested options (DHCPv6).
    #[serde(default)]
    pub oro: Option<Vec<u16>>,
    /// MUD URL.
    #[serde(default)]
    pub mud: Option<ByteString>,
    /// Suboptions of the relay agent option, by number.
    #[serde(default)]
    pub agent: Option<BTreeMap<String, ByteString>>,
    /// The number of the relay agent's network, or 0 if there is no relay agent.
    #[serde(default)]
    pub relay: Option<u8>,
    /// The requested address, or the client's own.
    #[serde(default)]
    pub ip: Option<String>,
    /// The requested lease time in seconds.
    #[serde(default)]
    pub lease_time: Option<u32>,
    /// 1 if the client requests rapid commit.
    #[serde(default)]
    pub rapid: Option<u8>,
    /// 1 if the recorder did not wait until dnsmasq was idle.
    #[serde(default)]
    pub nosettle: Option<u8>,
    /// 1 if SIGKILL was sent to the main process of dnsmasq only, not to its helper.
    #[serde(default)]
    pub main_only: Option<u8>,
    /// Seconds by which `advance` moves both clocks.
    #[serde(default)]
    pub dt: Option<f64>,
    /// Seconds by which the wall clock jumps.
    #[serde(default)]
    pub delta: Option<f64>,
    /// `CLOCK_REALTIME` after a reboot.
    #[serde(default)]
    pub to_wall: Option<f64>,
    /// `CLOCK_MONOTONIC` after a reboot.
    #[serde(default)]
    pub to_mono: Option<f64>,
    /// Seconds for which the router is off during a reboot.
    #[serde(default)]
    pub down: Option<f64>,
    /// Path of the file that is written.
    #[serde(default)]
    pub path: Option<String>,
    /// The contents of the file, or `None` if the file is removed.
    #[serde(default)]
    pub text: Option<ByteString>,
    /// `add` or `del`, for a neighbour or an address of the server.
    #[serde(default)]
    pub op: Option<String>,
    /// An address of the server's interface with its prefix length.
    #[serde(default)]
    pub addr: Option<String>,
    /// The client's DUID.
    #[serde(default)]
    pub duid: Option<String>,
    /// The identity associations in a message.
    #[serde(default)]
    pub ia: Option<Vec<IaRecord>>,
    /// The file that a TFTP client fetches.
    #[serde(default)]
    pub file: Option<String>,
}

/// One line of `calls.jsonl`: a script call.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    /// Sequence number, starting at 0.
    pub seq: u64,
    /// Seconds since the recording began.
    pub t: f64,
    /// `CLOCK_REALTIME` in seconds.
    pub wall: f64,
    /// `CLOCK_MONOTONIC` in seconds.
    pub mono: f64,
    /// Arguments.
    pub argv: Vec<ByteString>,
    /// The `DNSMASQ_*` variables.
    pub env: BTreeMap<String, ByteString>,
    /// 1 if the call changed the stored variables, and 0 otherwise.
    #[serde(default)]
    pub chg: Option<u8>,
    /// Output of `init`.
    #[serde(default)]
    pub out: Option<ByteString>,
    /// The exit code of `init`, or the negated number of the signal that killed it.
    #[serde(default)]
    pub rc: Option<i32>,
}

/// A recording: the inputs of one dnsmasq, and the script calls that it made.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The folder that contains the files.
    pub folder: PathBuf,
    /// `meta.json`.
    pub meta: Meta,
    /// `stimuli.jsonl`.
    pub stimuli: Vec<Stimulus>,
    /// `calls.jsonl`.
    pub calls: Vec<Call>,
}

impl Meta {
    /// Returns the release of the recorded dnsmasq. If the version is missing or unknown, returns the newest release.
    #[must_use]
    pub fn release(&self) -> Release {
        let mut texts = self.version.iter().chain(&self.dnsmasq);
        texts.find_map(|text| Release::of_program(text)).unwrap_or_default()
    }
}

impl Call {
    /// Returns the arguments and variables of the call.
    #[must_use]
    pub fn script_call(&self) -> ScriptCall {
        ScriptCall {
            argv: self.argv.iter().map(|argument| argument.0.clone()).collect(),
            env: self.env.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect(),
        }
    }
}

impl Recording {
    /// Returns the variables, each as `name=value`, that `lease-update` stored before the recording began. They are
    /// derived from the output of the first call if it is an `init`.
    #[must_use]
    pub fn stored_before(&self) -> Vec<Vec<u8>> {
        let first = self.calls.first().and_then(|call| call.out.as_ref());
        let lines = first.map_or(&[][..], |out| &out.0).split(|byte| *byte == b'\n');
        let variable = |line: &[u8]| {
            let name = match parse_duid_line(line) {
                Some(_) => &b"duid"[..],
                None => LeaseLine::parse(line)?.address,
            };
            Some([b"dnsmasq_lease_", name, b"=", line].concat())
        };
        lines.filter_map(variable).collect()
    }

    /// Returns the name of the folder, preceded by the release if a release was recorded.
    #[must_use]
    pub fn label(&self) -> String {
        let release =
            self.meta.version.as_ref().map_or_else(String::new, |text| format!("{text}/"));
        release + &self.folder_name()
    }

    fn folder_name(&self) -> String {
        self.folder.file_name().map_or_else(
            || self.folder.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        )
    }
}
