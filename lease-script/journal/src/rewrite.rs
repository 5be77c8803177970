//! The text of a rewritten journal.

use crate::checksum::{Number, append_checksum};
use crate::declaration::put;
use crate::reading::Reading;
use crate::record::Record;
use crate::text::end;

const HEADER: &[u8] =
    b"# The format of this file is documented in the dhcpd.leases(5) manual page.\n\
    # This lease file was written by lease-script.\n\n\
    # authoring-byte-order entry is generated, DO NOT DELETE\n\
    authoring-byte-order little-endian;\n\n";

/// Returns the text of a journal with the declarations of an old one, followed by new records.
pub(crate) fn rewritten(reading: &Reading, number: u64, now: i64, records: &[Record]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut last = Number { rewrite: number, record: 0 };
    let mut finish = |text: &mut Vec<u8>, from| {
        last.record += 1;
        append_checksum(text, from, last);
    };
    text.extend_from_slice(HEADER);
    finish(&mut text, 0);
    // Classes and other declarations come before the leases that refer to them.
    let mut declarations: Vec<_> = reading.declarations.iter().collect();
    declarations.sort_by_key(|declaration| declaration.subject.rank());
    for declaration in declarations {
        let Some(body) = declaration.worth_keeping() else { continue };
        let from = text.len();
        put(&mut text, &declaration.subject, &body);
        finish(&mut text, from);
    }
    end(&mut text, number, now);
    for record in records {
        let from = text.len();
        text.extend_from_slice(&record.text);
        finish(&mut text, from);
    }
    text
}
