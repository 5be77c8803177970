//! The salvage view, which reads every record that can be recovered from a damaged file.
//!
//! Each record is first read by dhcpd's own parser in a trial. If the trial loses nothing, its result is kept. At the first
//! loss, the trial is abandoned and the record is read again statement by statement. An unreadable statement is left out. A
//! torn record is dropped as a whole, so that the earlier one is kept. A record is torn if the file ends in it, the next one
//! starts in the middle of a statement, or it contains NUL or 0xFF bytes. Reading continues at the next text that looks like
//! a declaration.

mod header;
mod reader;
mod record;

pub(crate) use reader::declaration;
