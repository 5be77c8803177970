//! Tomato on MIPS: Jonathan Zarate's NVRAM Utility, which runs one command per call.

mod cli;
mod export;
mod find;
mod info;
mod listing;
mod variables;

pub(in crate::dialect) use info::{TOMATO, TOMATO_CLASSIC};
