//! What a journal says about one lease, found through its index.

use lease_formats::dhcpd::{Family, Reading};

use crate::checksum::is_intact;
use crate::contents::fault;
use crate::error::OperationError;
use crate::file_system::{FileSystem, Handle};
use crate::index::{Index, Key};
use crate::record::read_record;

/// The result of a lookup.
pub(crate) enum Lookup {
    /// There is no such record.
    Absent,
    /// The latest record.
    Found(Box<Reading>),
    /// The index cannot be used, or the record is damaged.
    Unusable,
}

/// Finds the latest record with this key. `rewrite` is the number of the rewrite of the journal.
pub(crate) fn look_up(
    fs: &mut dyn FileSystem,
    file: Handle,
    index: &Index,
    key: Key,
    family: Option<Family>,
    rewrite: u64,
) -> Result<Lookup, OperationError> {
    let Ok(place) = index.get(key) else { return Ok(Lookup::Unusable) };
    let Some(place) = place else { return Ok(Lookup::Absent) };
    let text = fs.read_at(file, place.offset(), place.length())?;
    if text.len() != place.length() || !is_intact(&text, rewrite) {
        return Ok(Lookup::Unusable);
    }
    let reading = read_record(&text, family);
    let is_whole = fault(&reading).is_none();
    Ok(if is_whole { Lookup::Found(Box::new(reading)) } else { Lookup::Unusable })
}
