//! Lookup of a record through the index of a journal.

use crate::checksum::is_intact;
use crate::declaration::Declaration;
use crate::error::OperationError;
use crate::file_system::{FileSystem, Handle};
use crate::index::{Index, Key};
use crate::reading::Reading;

/// The result of a lookup.
pub(crate) enum Lookup {
    /// There is no such record.
    Absent,
    /// The latest record.
    Found(Declaration),
    /// The index cannot be used, or the record is damaged.
    Unusable,
}

/// Finds the latest record with this key. `rewrite` is the number of the rewrite of the journal.
pub(crate) fn look_up(
    fs: &mut dyn FileSystem,
    file: Handle,
    index: &Index,
    key: Key,
    rewrite: u64,
) -> Result<Lookup, OperationError> {
    let Ok(place) = index.get(key) else { return Ok(Lookup::Unusable) };
    let Some(place) = place else { return Ok(Lookup::Absent) };
    let text = fs.read_at(file, place.offset(), place.length())?;
    if text.len() != place.length() || !is_intact(&text, rewrite) {
        return Ok(Lookup::Unusable);
    }
    let mut reading = Reading::parse(&text);
    Ok(match (reading.declarations.pop(), reading.fault) {
        (Some(declaration), None) => Lookup::Found(declaration),
        _ => Lookup::Unusable,
    })
}
