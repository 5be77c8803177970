//! Tomato on MIPS: Jonathan Zarate's NVRAM Utility, which runs one command per call.

mod backup;
mod cli;
mod export;
mod file_values;
mod find;
mod import;
mod info;
mod listing;
mod variables;

pub(in crate::dialect) use info::{TOMATO, TOMATO_CLASSIC};
