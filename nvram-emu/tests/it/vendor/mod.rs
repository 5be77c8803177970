//! The dialects that were read in their sources and not proven on recordings: one transcript a cell of the
//! table in `nvram_emu::dialect::vendor`.

mod exit;
mod reading;
mod router;
mod usage;
