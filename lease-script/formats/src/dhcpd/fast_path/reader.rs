//! Reads leases one after the other, until one is not well-formed.

use std::io::Read;
use std::net::Ipv4Addr;

use super::lease::Record;
use crate::dhcpd::declaration::{Contents, Counts, Declarations, Family, ParseRules, Subject};
use crate::dhcpd::input::Input;
use crate::dhcpd::table::LeaseTable;
use crate::limits::MAX_LEASES;

/// Maximum length of a record that the fast path accepts. If an attempt fails in a shorter window, it is repeated with more
/// bytes.
pub(super) const MARGIN: usize = 16 * 1024;

/// Reads well-formed leases up to the first other declaration, or up to the lease that starts at `stop`.
pub(crate) fn run<R: Read>(
    declarations: &mut Declarations<R>,
    record: &mut Record,
    stop: Option<u64>,
) {
    let Declarations { lexer, rules, contents, .. } = declarations;
    if rules.family != Family::V4 {
        return;
    }
    let Contents { leases: table, lost_statements, .. } = contents;
    let counts = read_leases(&mut lexer.input, rules, record, table, stop, |address| {
        if !lost_statements.is_empty() {
            lost_statements.remove(&Subject::Lease(Ipv4Addr::from(address)));
        }
    });
    contents.counts.add(counts);
    if counts.declarations > 0 {
        lexer.skipped();
    }
}

pub(super) fn read_leases<R: Read>(
    input: &mut Input<R>,
    rules: &ParseRules,
    record: &mut Record,
    table: &mut LeaseTable,
    stop: Option<u64>,
    mut entered: impl FnMut(u32),
) -> Counts {
    let config = rules.config.as_deref().filter(|_| rules.pools);
    let mut counts = Counts::default();
    // If the table has more leases than the limit, the caller reports it.
    while stop != Some(input.offset()) && table.len() <= MAX_LEASES {
        match record.read(input.window()) {
            Some(used) => {
                if config.is_some_and(|config| config.pool(record.address).is_none()) {
                    return counts;
                }
                table.put_packed(record.address, record.fixed, &record.items);
                entered(record.address);
                counts.declarations += 1;
                input.advance(used);
            }
            None if input.window().len() < MARGIN && input.extend() => {}
            None => return counts,
        }
    }
    counts
}
