//! One step of a scenario.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use crate::actions::{Boot, ClientEvent, DaemonAction, Damage, Join, Journal, RawCall};
use crate::condition::Condition;
use crate::configure::Configure;
use crate::disturbance::Disturbance;
use crate::expect::Expect;
use crate::units::{Moment, Seconds};

/// One step: an action, its disturbance, and the conditions that must be true afterwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// A comment for readers of the file.
    pub note: Option<String>,
    /// The step is run only in cases in which this is true.
    pub when: Condition,
    /// How often the action is repeated; once if `None`.
    pub repeat: Option<Repeat>,
    /// The action.
    pub action: Action,
    /// A disturbance of one of the script calls that the action causes.
    pub disturbance: Option<CallDisturbance>,
    /// Whether a web page calls `init` while the script runs.
    pub web_page: bool,
    /// Conditions that must be true after the step.
    pub expect: Vec<Expect>,
}

impl Step {
    /// Creates an undisturbed step that is run once in every case and expects nothing.
    pub fn new(action: Action) -> Self {
        Self {
            note: None,
            when: Condition::default(),
            repeat: None,
            action,
            disturbance: None,
            web_page: false,
            expect: Vec::new(),
        }
    }

    /// Formats the step in one line, as in a file, without its expectations, note and condition.
    pub fn summary(&self) -> String {
        let bare =
            Self { note: None, when: Condition::default(), expect: Vec::new(), ..self.clone() };
        let table = toml::Table::try_from(&bare).unwrap_or_default();
        if table.is_empty() {
            return "check".to_owned();
        }
        let mut pairs: Vec<(&String, &toml::Value)> = table.iter().collect();
        // The action comes first.
        pairs.sort_by_key(|(key, _)| Some(key.as_str()) != self.action.key());
        let texts: Vec<String> =
            pairs.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
        texts.join(", ")
    }

    /// Adds a disturbance of one of the step's script calls.
    #[must_use]
    pub fn disturbed(mut self, disturbance: CallDisturbance) -> Self {
        self.disturbance = Some(disturbance);
        self
    }
}

impl From<Action> for Step {
    fn from(action: Action) -> Self {
        Self::new(action)
    }
}

/// What happens in a step. Each variant but [`Action::Check`] is a key of the step's table.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Nothing: the step only checks expectations.
    Check,
    /// The router is switched on.
    Boot(Boot),
    /// dnsmasq is terminated with SIGTERM, then the router is switched off.
    Shutdown,
    /// Power is lost while no script call is running.
    PowerCut,
    /// Time passes.
    Advance(Seconds),
    /// The wall clock is set to a date, or moved by a distance from its current reading.
    SetClock(Moment),
    /// NTP sets the wall clock to the true time.
    Ntp,
    /// From now on, the wall clock runs too fast by this many parts per million.
    Drift(i32),
    /// dnsmasq is started or gets a signal.
    Dnsmasq(DaemonAction),
    /// New clients join the network and request leases.
    Join(Join),
    /// A client that joined sends a message.
    Client(ClientMessage, ClientEvent),
    /// A client leaves the network without a message.
    Silence(ClientEvent),
    /// A lease journal of ISC dhcpd is replayed.
    Journal(Journal),
    /// The lease script is called with given arguments.
    Call(RawCall),
    /// Another program runs `nvram` commands.
    Nvram(Vec<Vec<String>>),
    /// Bytes of the flash or of RAM are overwritten.
    Damage(Damage),
    /// Files are written, by path.
    Files(BTreeMap<String, String>),
    /// Files are removed, by path.
    RemoveFiles(Vec<String>),
    /// The configuration of dnsmasq changes.
    Configure(Box<Configure>),
}

impl Action {
    /// Returns the key of the step's table, or `None` for [`Action::Check`].
    pub fn key(&self) -> Option<&'static str> {
        Some(match self {
            Self::Check => return None,
            Self::Boot(_) => "boot",
            Self::Shutdown => "shutdown",
            Self::PowerCut => "power-cut",
            Self::Advance(_) => "advance",
            Self::SetClock(_) => "set-clock",
            Self::Ntp => "ntp",
            Self::Drift(_) => "drift",
            Self::Dnsmasq(_) => "dnsmasq",
            Self::Join(_) => "join",
            Self::Client(message, _) => message.key(),
            Self::Silence(_) => "silence",
            Self::Journal(_) => "journal",
            Self::Call(_) => "call",
            Self::Nvram(_) => "nvram",
            Self::Damage(_) => "damage",
            Self::Files(_) => "files",
            Self::RemoveFiles(_) => "remove-files",
            Self::Configure(_) => "configure",
        })
    }
}

/// A message of a client that joined in an earlier step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientMessage {
    /// DISCOVER and REQUEST.
    Request,
    /// Unicast REQUEST at T1.
    Renew,
    /// Broadcast REQUEST at T2.
    Rebind,
    /// REQUEST for the remembered address after a reboot of the client.
    InitReboot,
    /// A renewal with another host name.
    Rename,
    /// INFORM.
    Inform,
    /// RELEASE.
    Release,
    /// DECLINE.
    Decline,
}

impl ClientMessage {
    /// Returns the key of the step's table.
    pub fn key(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Renew => "renew",
            Self::Rebind => "rebind",
            Self::InitReboot => "init-reboot",
            Self::Rename => "rename",
            Self::Inform => "inform",
            Self::Release => "release",
            Self::Decline => "decline",
        }
    }
}

/// How often a step's action is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// This many times.
    Times(u32),
    /// Each time after `every` has passed, until `until` has passed.
    Every {
        /// The pause before each action, at least one second.
        every: Seconds,
        /// The total time of the repetitions.
        until: Seconds,
    },
}

/// A disturbance of one script call of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallDisturbance {
    /// The number of the call within the step, from 1.
    pub call: NonZeroU32,
    /// What happens during the call.
    pub disturbance: Disturbance,
}

impl CallDisturbance {
    /// Creates a disturbance of the first script call of a step.
    pub fn first(disturbance: Disturbance) -> Self {
        Self { call: NonZeroU32::MIN, disturbance }
    }
}
