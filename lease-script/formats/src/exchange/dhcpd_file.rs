//! Writes a dhcpd.leases.

use crate::dhcpd::{Family, check_non_lease, write_header, write_ia, write_lease, write_non_lease};

use super::database::Database;
use super::fields::{FieldKind, lost_of_binding};
use super::losses::Losses;

/// The name of the format in messages.
const FORMAT: &str = "dhcpd.leases";

impl Database {
    /// Writes a dhcpd.leases of one protocol. dhcpd has a file for each protocol.
    pub fn to_dhcpd(&self, family: Family, losses: &mut Losses) -> Vec<u8> {
        let mut out = Vec::new();
        if let Err(unwritable) = write_header(&mut out, self.server_duid.as_deref()) {
            losses.add_unwritten(&unwritable);
            out.clear();
            let _ = write_header(&mut out, None);
        }
        self.other_protocol(family, losses);
        self.lost_further("dhcpd.", FORMAT, losses);
        for other in &self.non_leases {
            match check_non_lease(other) {
                Ok(()) => write_non_lease(&mut out, other),
                Err(unwritable) => losses.add_unwritten(&unwritable),
            }
        }
        if family == Family::V6 {
            use FieldKind::{Cltt, Lifetimes, OfDhcpd};
            for binding in &self.bindings {
                lost_of_binding(binding, &[Cltt, Lifetimes, OfDhcpd], FORMAT, losses);
            }
            for ia in self.associations() {
                if let Err(unwritable) = write_ia(&mut out, &ia) {
                    losses.add_unwritten(&unwritable);
                }
            }
            return out;
        }
        for lease in &self.leases {
            if let Err(unwritable) = write_lease(&mut out, lease) {
                losses.add_unwritten(&unwritable);
            }
        }
        out
    }
}
