//! The text of a rewritten journal.

use lease_formats::dhcpd::{
    BindingState, Ia, Lease, Reading, SetValue, Unwritable, write_header, write_ia, write_lease,
    write_non_lease, write_server_duid,
};

use crate::checksum::{Number, append_checksum};
use crate::record::Record;
use crate::text::end;

/// Variables with this prefix belong to leases of dnsmasq.
const VARIABLES: &str = "dnsmasq-";

/// How much of a journal a rewrite contains.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything that can be written.
    Whole,
    /// What dnsmasq needs of each active lease.
    Essential,
}

/// The text of a rewritten journal, and the declarations that it cannot contain as they were.
pub(crate) struct Replacement {
    pub(crate) text: Vec<u8>,
    /// The first declaration of which something is left out.
    pub(crate) left_out: Option<String>,
    /// The number of the last record.
    last: Number,
}

impl Replacement {
    /// A journal with the leases of an old one, followed by new records. As dhcpd does, it omits free leases without a
    /// previous holder.
    pub(crate) fn new(
        reading: &Reading,
        extent: Extent,
        number: u64,
        now: i64,
        records: &[Record],
    ) -> Self {
        let last = Number { rewrite: number, record: 0 };
        let mut new = Self { text: Vec::new(), left_out: None, last };
        new.put(|text| write_header(text, None));
        if let Some(duid) = &reading.server_duid {
            new.put(|text| write_server_duid(text, duid));
        }
        let is_whole = extent == Extent::Whole;
        for declaration in reading.non_leases.iter().filter(|_| is_whole) {
            new.put(|text| {
                write_non_lease(text, declaration);
                Ok(())
            });
        }
        for lease in reading.table.iter_sorted().filter(is_worth_keeping) {
            let is_written = is_whole && new.put(|text| write_lease(text, &lease));
            if !is_written && lease.state == BindingState::Active {
                new.put(|text| write_lease(text, &essential_lease(&lease)));
            }
        }
        for ia in reading.ia_table.iter() {
            let lives = |state| matches!(state, BindingState::Active | BindingState::Abandoned);
            let mut ia: Ia = ia.clone();
            ia.addresses.retain(|held| lives(held.state));
            if ia.addresses.is_empty() {
                continue;
            }
            if !(is_whole && new.put(|text| write_ia(text, &ia))) {
                new.put(|text| write_ia(text, &essential_association(&ia)));
            }
        }
        end(&mut new.text, number, now);
        for record in records {
            new.put(|text| {
                text.extend_from_slice(&record.text);
                Ok(())
            });
        }
        new
    }

    /// Appends a record; false if it cannot be written.
    fn put(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), Unwritable>) -> bool {
        let from = self.text.len();
        match write(&mut self.text) {
            Ok(()) => {
                self.last.record += 1;
                append_checksum(&mut self.text, from, self.last);
                true
            }
            Err(error) => {
                self.text.truncate(from);
                self.left_out.get_or_insert(error.to_string());
                false
            }
        }
    }
}

fn is_worth_keeping(lease: &Lease) -> bool {
    lease.state != BindingState::Free
        || lease.hardware.is_some()
        || !lease.uid.is_empty()
        || !lease.tsfp.is_absent()
}

fn essential_variables(set: &[(String, SetValue)]) -> Vec<(String, SetValue)> {
    set.iter().filter(|(name, _)| name.starts_with(VARIABLES)).cloned().collect()
}

/// What a lease needs to be given to dnsmasq.
fn essential_lease(lease: &Lease) -> Lease {
    let mut essential = Lease::new(lease.address);
    essential.state = lease.state;
    essential.next_state = Some(BindingState::Free);
    essential.rewind_state = Some(BindingState::Free);
    (essential.ends, essential.tstp) = (lease.ends, lease.ends);
    essential.hardware.clone_from(&lease.hardware);
    essential.uid.clone_from(&lease.uid);
    essential.hostname.clone_from(&lease.hostname);
    essential.set = essential_variables(&lease.set);
    essential
}

fn essential_association(ia: &Ia) -> Ia {
    let mut ia = ia.clone();
    for held in &mut ia.addresses {
        held.on.clear();
        held.set = essential_variables(&held.set);
    }
    ia
}
