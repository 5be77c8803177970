//! Selects the leases to show.

use lease_formats::dhcpd::{BindingState, Date, Declared, Lease, Reading};
use lease_formats::exchange::{Binding, Database};
use std::collections::BTreeMap;

/// Options that select leases.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct LeaseFilter {
    /// Only leases in these states: active, free, abandoned, expired, released, reset, backup
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state)]
    state: Vec<BindingState>,
    /// Only leases that were held at this time, according to all declarations in the file: a date in UTC, or
    /// seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = super::clock::parse)]
    pub(super) at: Option<i64>,
}

fn state(text: &str) -> Result<BindingState, String> {
    use BindingState::{Abandoned, Active, Backup, Expired, Free, Released, Reset};
    [Active, Free, Abandoned, Expired, Released, Reset, Backup]
        .into_iter()
        .find(|state| state.name() == text)
        .ok_or_else(|| {
            "expected one of active, free, abandoned, expired, released, reset, backup".to_owned()
        })
}

impl LeaseFilter {
    /// Whether all leases are selected.
    pub(super) fn is_all(&self) -> bool {
        self.state.is_empty() && self.at.is_none()
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
        database.leases.retain(|lease| self.wants(lease.state, lease.starts, lease.ends));
        database.bindings.retain(|one| self.wants(one.held.state, one.cltt, one.held.ends));
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

/// The last declaration of each address that was written up to `at`.
pub(super) fn as_of(reading: &Reading, at: i64) -> Database {
    let mut leases = BTreeMap::new();
    let mut bindings: BTreeMap<_, Vec<Binding>> = BTreeMap::new();
    for declaration in &reading.history {
        match &declaration.what {
            Declared::Lease(lease) if written(lease) <= at => {
                leases.insert(lease.address, (**lease).clone());
            }
            Declared::Ia(ia) if ia.cltt.0 <= at => {
                bindings.insert((ia.kind, ia.id.clone()), Binding::of(ia));
            }
            _ => {}
        }
    }
    Database {
        leases: leases.into_values().collect(),
        bindings: bindings.into_values().flatten().collect(),
        server_duid: reading.server_duid.clone(),
        non_leases: reading.non_leases.clone(),
    }
}
