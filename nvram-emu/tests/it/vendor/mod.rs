//! The dialects that were read in their sources and not proven on recordings: transcripts of every cell of
//! the table in `src/dialect/vendor/mod.rs`.

mod boot;
mod commit;
mod exit;
mod hostile;
mod limits;
mod processes;
mod reading;
mod router;
mod show;
mod usage;
