//! The variables that the recorder's lease script stores: the script of 2006, or its DHCPv6-aware version.

use dnsmasq_model::{LeaseLine, ScriptCall, duid_line};
use serde::Deserialize;

/// The lease script that the recorder imitates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreMode {
    /// The script of 2006.
    Upstream,
    /// The DHCPv6-aware version of that script, which stores IAIDs and the DUID of the server.
    V6Aware,
}

/// The order in which `init` prints the stored leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InitOrder {
    /// The order in which they were first stored.
    Insert,
    /// The reverse of the order in which they were first stored.
    Reverse,
    /// The order of their names.
    Sorted,
}

/// The stored variables, and the order in which `init` prints them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecorderStore {
    mode: StoreMode,
    order: InitOrder,
    /// Names and values in insertion order. An overwritten value keeps its position.
    entries: Vec<(Vec<u8>, Vec<u8>)>,
}

impl RecorderStore {
    /// Creates an empty store.
    #[must_use]
    pub(super) fn new(mode: StoreMode, order: InitOrder) -> Self {
        Self { mode, order, entries: Vec::new() }
    }

    /// Replaces all variables with those in the lines of `text`, each `name=value`.
    pub(super) fn replace(&mut self, text: &[u8]) {
        self.entries = text
            .split(|&b| b == b'\n')
            .filter_map(|line| {
                let at = line.iter().position(|&b| b == b'=')?;
                Some((line[..at].to_vec(), line[at + 1..].to_vec()))
            })
            .collect();
    }

    /// Returns the output of `init`.
    #[must_use]
    pub(super) fn print(&self) -> Vec<u8> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        match self.order {
            InitOrder::Insert => {}
            InitOrder::Reverse => entries.reverse(),
            InitOrder::Sorted => entries.sort(),
        }
        entries.iter().flat_map(|(_, value)| [&value[..], b"\n"].concat()).collect()
    }

    /// Returns the variables, each as `name=value`.
    #[must_use]
    pub(super) fn lines(&self) -> Vec<Vec<u8>> {
        self.entries.iter().map(|(name, value)| [&name[..], b"=", value].concat()).collect()
    }

    fn set(&mut self, name: Vec<u8>, value: Vec<u8>) {
        match self.entries.iter_mut().find(|(n, _)| *n == name) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((name, value)),
        }
    }

    /// Applies a call as the script does. Returns whether a variable changed.
    pub(super) fn apply(&mut self, call: &ScriptCall) -> bool {
        let before = self.entries.clone();
        let (Some(id), Some(addr)) = (call.argv.get(2), call.argv.get(3)) else { return false };
        let name = [b"dnsmasq_lease_", &addr[..]].concat();
        let variable = |name: &str| call.env.get(name).map_or(&[][..], Vec::as_slice);
        match call.action() {
            b"del" => self.entries.retain(|(n, _)| *n != name),
            b"add" | b"old" => {
                let time =
                    [variable("DNSMASQ_LEASE_LENGTH"), variable("DNSMASQ_LEASE_EXPIRES")].concat();
                let host = call.argv.get(4).map_or(LeaseLine::NONE, Vec::as_slice);
                let iaid = variable("DNSMASQ_IAID");
                let (id, client) = if self.mode == StoreMode::V6Aware && !iaid.is_empty() {
                    self.set(b"dnsmasq_duid".to_vec(), duid_line(variable("DNSMASQ_SERVER_DUID")));
                    (iaid, &id[..])
                } else {
                    (&id[..], variable("DNSMASQ_CLIENT_ID"))
                };
                let line = LeaseLine {
                    time: &time,
                    id,
                    address: addr,
                    hostname: host,
                    client_id: LeaseLine::or_none(client),
                };
                self.set(name, line.to_bytes());
            }
            _ => {}
        }
        self.entries != before
    }
}
