//! Counts the fields that a format cannot store.

use std::net::IpAddr;

use crate::dhcpd::{BindingState, Date, Lease, keeps_hostname};

use super::database::{Binding, Database};
use super::losses::Losses;

/// A field of the common representation other than the address, the state and the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    Starts,
    Cltt,
    Hardware,
    ClientId,
    HostName,
    Lifetimes,
    /// Any other field. Only dhcpd.leases has such fields.
    OfDhcpd,
}

/// Counts the fields of a DHCPv4 lease that are not in `held`.
pub(super) fn lost_of_lease(lease: &Lease, held: &[FieldKind], format: &str, losses: &mut Losses) {
    let is_failover = |state: Option<BindingState>| {
        state.is_some_and(|state| state != BindingState::Free && state != lease.state)
    };
    let present = [
        (FieldKind::Starts, !lease.starts.is_absent(), "starts"),
        (FieldKind::Cltt, !lease.cltt.is_absent(), "cltt"),
        (FieldKind::OfDhcpd, lease.tstp != lease.ends && !lease.tstp.is_absent(), "tstp"),
        (FieldKind::OfDhcpd, !lease.tsfp.is_absent(), "tsfp"),
        (FieldKind::OfDhcpd, !lease.atsfp.is_absent(), "atsfp"),
        (FieldKind::OfDhcpd, is_failover(lease.next_state), "next binding state"),
        (FieldKind::OfDhcpd, is_failover(lease.rewind_state), "rewind binding state"),
        (FieldKind::Hardware, lease.hardware.is_some(), "hardware address"),
        (FieldKind::ClientId, !lease.uid.is_empty(), "client identifier"),
        (FieldKind::HostName, lease.hostname.is_some(), "host name"),
        (FieldKind::OfDhcpd, lease.reserved, "flag reserved"),
        (FieldKind::OfDhcpd, lease.bootp, "flag dynamic-bootp"),
        (FieldKind::OfDhcpd, !lease.set.is_empty(), "variables (`set`)"),
        (FieldKind::OfDhcpd, !lease.agent.is_empty(), "relay agent options"),
        (FieldKind::OfDhcpd, lease.billing.is_some(), "the class that it is billed to"),
        (FieldKind::OfDhcpd, lease.on_expiry.is_some(), "`on expiry` block"),
        (FieldKind::OfDhcpd, lease.on_release.is_some(), "`on release` block"),
    ];
    for (kind, is_present, name) in present {
        if is_present && !held.contains(&kind) {
            losses.add_field(name, format, lease.address);
        }
    }
}

/// Counts the fields of a DHCPv6 binding that are not in `held`.
pub(super) fn lost_of_binding(
    binding: &Binding,
    held: &[FieldKind],
    format: &str,
    losses: &mut Losses,
) {
    let of = &binding.held;
    let has_lifetimes = of.max != 0 || of.preferred != 0;
    let present = [
        (FieldKind::Cltt, !binding.cltt.is_absent(), "cltt"),
        (FieldKind::Lifetimes, has_lifetimes, "preferred and valid lifetime"),
        (FieldKind::Hardware, binding.hardware.is_some(), "hardware address"),
        (FieldKind::HostName, binding.hostname.is_some(), "host name"),
        (FieldKind::OfDhcpd, !of.set.is_empty(), "variables (`set`)"),
        (FieldKind::OfDhcpd, !of.on.is_empty(), "`on` blocks"),
    ];
    for (kind, is_present, name) in present {
        if is_present && !held.contains(&kind) {
            losses.add_field(name, format, of.address);
        }
    }
}

impl Database {
    /// Counts the fields of other formats, except those whose names begin with `own`.
    pub(super) fn lost_further(&self, own: &str, format: &str, losses: &mut Losses) {
        for (address, field) in self.further.iter() {
            if !field.name.starts_with(own) {
                losses.add_field(&field.name, format, address);
            }
        }
    }

    /// Counts the values of other formats that dhcpd reads but does not keep.
    pub fn lost_far_dates(&self, losses: &mut Losses) {
        for lease in &self.leases {
            if lease.hostname.as_deref().is_some_and(|name| !keeps_hostname(name)) {
                losses.add("a host name that dhcpd drops at its next rewrite", lease.address);
            }
        }
        /// The first second of 2038.
        const YEAR_2038: i64 = 2_145_916_800;
        let is_far = |date: Date| !date.is_never() && date.0 >= YEAR_2038 && !date.fits_dhcpd();
        let leases = self.leases.iter().map(|lease| (IpAddr::V4(lease.address), lease.ends));
        let bindings =
            self.bindings.iter().map(|one| (IpAddr::V6(one.held.address), one.held.ends));
        for (address, _) in leases.chain(bindings).filter(|(_, ends)| is_far(*ends)) {
            losses.add("an end after 2038: dhcpd reads it as never", address);
        }
    }

    /// Counts the declarations other than leases, which only dhcpd.leases can store.
    pub(super) fn lost_non_leases(&self, format: &str, losses: &mut Losses) {
        for other in &self.non_leases {
            let kind = other.kind;
            let what = if kind == "failover" { "failover state" } else { kind };
            losses.add(format!("{what}: {format} has no such declaration"), kind);
        }
    }

    /// Counts the DUID of the server, if there is one.
    pub(super) fn lost_server_duid(&self, format: &str, losses: &mut Losses) {
        if self.server_duid.is_some() {
            losses.add_field("the DUID of the server", format, "server-duid");
        }
    }
}
