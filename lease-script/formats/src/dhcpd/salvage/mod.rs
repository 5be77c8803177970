//! The salvage view: reads every record of a damaged file that can be kept.
//!
//! A record first goes through dhcpd's own parser as a trial. If the trial loses nothing, its result is entered. At the
//! first loss the trial is dropped and the record is read again statement by statement: an unreadable statement is
//! left out; a record that is torn (the file ends in it, the next one starts in the middle of a statement, or NUL or
//! 0xFF bytes are in it) is dropped as a whole, so that the earlier one stays. Reading continues at the next text that
//! looks like a declaration.

mod header;
mod reader;
mod record;

pub(crate) use reader::declaration;
