//! Selects the leases to show.

use std::collections::BTreeMap;
use std::net::IpAddr;

use lease_formats::dhcpd::{BindingState, Date, Declared, Hardware, Lease};
use lease_formats::exchange::{Binding, Database, Field};
use lease_formats::hex;

use super::loaded::Entry;

/// Options that select leases.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct LeaseFilter {
    /// Only leases in these states: active, free, abandoned, expired, released, reset, backup
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state)]
    state: Vec<BindingState>,
    /// Only leases of this address, hardware address, DUID, client identifier or host name; may be repeated
    #[arg(long, value_name = "WHAT")]
    only: Vec<Selector>,
    /// Only leases that were held at this time, according to all declarations in the file: a date in UTC, or
    /// seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = super::clock::parse)]
    pub(super) at: Option<i64>,
    /// Show leases that have ended in the state that the file records
    #[arg(long)]
    pub(super) as_recorded: bool,
}

/// What leases are looked up by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selector {
    Address(IpAddr),
    /// A hardware address, DUID or client identifier, or a host name that consists of hexadecimal digits.
    Bytes(Vec<u8>, String),
    Name(String),
}

impl std::str::FromStr for Selector {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let plain: Option<Vec<u8>> = dnsmasq_model::parse_hex_digits(text.as_bytes());
        let separated = text.replace('-', ":");
        let bytes = if text.contains([':', '-']) {
            hex::decode(separated.as_bytes()).filter(|bytes| bytes.len() > 1)
        } else {
            plain.filter(|bytes| bytes.len() > 2)
        };
        let name = text.to_owned();
        Ok(bytes.map_or_else(|| Self::Name(name.clone()), |bytes| Self::Bytes(bytes, name.clone())))
    }
}

impl Selector {
    /// Whether it selects a lease with these values.
    fn is_met(
        &self,
        address: IpAddr,
        hardware: Option<&Hardware>,
        ids: &[&[u8]],
        name: Option<&Vec<u8>>,
    ) -> bool {
        let named = |wanted: &str| {
            name.is_some_and(|name| {
                let first = name.split(|c| *c == b'.').next().unwrap_or_default();
                name.eq_ignore_ascii_case(wanted.as_bytes())
                    || first.eq_ignore_ascii_case(wanted.as_bytes())
            })
        };
        match self {
            Self::Address(wanted) => *wanted == address,
            Self::Name(wanted) => named(wanted),
            Self::Bytes(bytes, wanted) => {
                hardware.is_some_and(|hardware| hardware.bytes == *bytes)
                    || ids.contains(&&bytes[..])
                    || named(wanted)
            }
        }
    }

    pub(super) fn is_met_by_lease(&self, lease: &Lease) -> bool {
        let address = lease.address.into();
        // The identifier usually begins with its type.
        let ids = [&lease.uid[..], lease.uid.get(1..).unwrap_or_default()];
        self.is_met(address, lease.hardware.as_ref(), &ids, lease.hostname.as_ref())
    }

    pub(super) fn is_met_by_binding(&self, one: &Binding) -> bool {
        let address = one.held.address.into();
        self.is_met(address, one.hardware.as_ref(), &[&one.duid], one.hostname.as_ref())
    }
}

/// The state with this name.
pub(super) fn state_named(text: &str) -> Option<BindingState> {
    use BindingState::{Abandoned, Active, Backup, Expired, Free, Released, Reset};
    [Active, Free, Abandoned, Expired, Released, Reset, Backup]
        .into_iter()
        .find(|state| state.name() == text)
}

fn state(text: &str) -> Result<BindingState, String> {
    state_named(text).ok_or_else(|| {
        "expected one of active, free, abandoned, expired, released, reset, backup".to_owned()
    })
}

impl LeaseFilter {
    /// Whether all leases are selected.
    pub(super) fn is_all(&self) -> bool {
        self.state.is_empty() && self.at.is_none() && self.only.is_empty()
    }

    fn wants(&self, state: BindingState, starts: Date, ends: Date) -> bool {
        let in_state = self.state.is_empty() || self.state.contains(&state);
        let then = self.at.is_none_or(|at| {
            let begun = starts.is_absent() || starts.0 <= at;
            state == BindingState::Active && begun && (ends.is_never() || at < ends.0)
        });
        in_state && then
    }

    /// Removes all leases that are not selected.
    pub(super) fn retain(&self, database: &mut Database) {
        database.leases.retain(|lease| {
            self.wants(lease.state, lease.starts, lease.ends)
                && (self.only.is_empty() || self.only.iter().any(|one| one.is_met_by_lease(lease)))
        });
        database.bindings.retain(|one| {
            self.wants(one.held.state, one.cltt, one.held.ends)
                && (self.only.is_empty()
                    || self.only.iter().any(|what| what.is_met_by_binding(one)))
        });
    }
}

/// Sets the state of active leases that have ended to `expired`.
pub(super) fn expire(database: &mut Database, now: i64) {
    let expire = |state: &mut BindingState, ends: Date| {
        if *state == BindingState::Active && !ends.is_never() && ends.0 <= now {
            *state = BindingState::Expired;
        }
    };
    for lease in &mut database.leases {
        expire(&mut lease.state, lease.ends);
    }
    for binding in &mut database.bindings {
        expire(&mut binding.held.state, binding.held.ends);
    }
}

/// The time at which a declaration was written, as far as it can be inferred.
pub(super) fn written(lease: &Lease) -> i64 {
    match lease.state {
        // The record of an expiry or a release is written at the end of the lease.
        BindingState::Free | BindingState::Expired | BindingState::Released => {
            lease.cltt.0.max(if lease.ends.is_never() { 0 } else { lease.ends.0 })
        }
        _ => lease.cltt.0.max(lease.starts.0),
    }
}

/// The last declaration of each address that was written up to `at`. In a dhcpd.leases, a declaration of an association
/// replaces `whole_associations`; in a memfile, each row is about one address.
pub(super) fn as_of<'a>(
    entries: impl IntoIterator<Item = Entry<'a>>,
    at: i64,
    whole_associations: bool,
) -> Database {
    let mut leases = BTreeMap::new();
    let mut bindings: BTreeMap<_, BTreeMap<_, (Binding, &[Field])>> = BTreeMap::new();
    for entry in entries {
        match &entry.declaration.what {
            Declared::Lease(lease) if written(lease) <= at => {
                leases.insert(lease.address, ((**lease).clone(), entry.fields()));
            }
            Declared::Ia(ia) if ia.cltt.0 <= at => {
                let held = bindings.entry((ia.kind, ia.id.clone())).or_default();
                if whole_associations {
                    held.clear();
                }
                let each = entry.bindings().into_iter();
                held.extend(each.map(|one| (one.held.address, (one, entry.fields()))));
            }
            _ => {}
        }
    }
    let mut database = Database::default();
    for (lease, fields) in leases.into_values() {
        database.further.put(lease.address.into(), fields.to_vec());
        database.leases.push(lease);
    }
    for (binding, fields) in bindings.into_values().flat_map(BTreeMap::into_values) {
        database.further.put(binding.held.address.into(), fields.to_vec());
        database.bindings.push(binding);
    }
    database
}
