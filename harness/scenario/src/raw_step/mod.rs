//! A step as written in a file: a table with one key for each action.

mod located;
mod read;
mod table;
mod write;

pub(crate) use read::StepError;
pub(crate) use table::RawStep;
