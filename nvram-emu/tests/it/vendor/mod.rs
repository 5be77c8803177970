//! Transcripts for every cell of the table in `src/dialect/vendor/mod.rs`.

mod arbitrary_input;
mod boot;
mod commit;
mod exit;
mod limits;
mod processes;
mod reading;
mod router;
mod show;
mod usage;
