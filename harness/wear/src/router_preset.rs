//! Well-known routers, from `routers.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::router::RouterSpec;
use nvram_emu::Dialect;
use nvram_emu::device::Chip;
use scenario::Bytes;

/// A well-known router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterPreset {
    /// The name on the command line.
    pub name: String,
    /// The manufacturer's name for it.
    pub model: String,
    /// The firmware whose `nvram` tool has [`RouterPreset::dialect`].
    pub firmware: String,
    /// The dialect of the `nvram` tool.
    pub dialect: Dialect,
    /// The flash chip, with the size of the erase blocks on this router.
    pub chip: Chip,
    /// Size of the NVRAM, in bytes.
    pub space: u32,
    /// The source of the chip, the erase block and the NVRAM size.
    pub source: String,
}

/// An entry of `routers.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    model: String,
    firmware: String,
    dialect: String,
    chip: String,
    erase: Bytes,
    space: Bytes,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    router: Vec<Entry>,
}

static ALL: LazyLock<Vec<RouterPreset>> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("../routers.toml")).expect("valid presets");
    file.router.into_iter().map(RouterPreset::from).collect()
});

impl RouterPreset {
    /// Returns all routers, in the order of the file.
    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// Returns the router with this name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|router| router.name == name)
    }

    /// Returns the specification of the router with `neighbours` bytes of other programs' variables.
    pub fn spec(&self, neighbours: u32) -> RouterSpec {
        RouterSpec { dialect: self.dialect, chip: self.chip, space: self.space, neighbours }
    }
}

impl From<Entry> for RouterPreset {
    fn from(entry: Entry) -> Self {
        let chip = Chip::by_name(&entry.chip).expect("a chip of the emulator");
        Self {
            dialect: entry.dialect.parse().expect("a dialect of the emulator"),
            chip: Chip { erase_block: entry.erase.0 as u32, ..chip },
            space: entry.space.0 as u32,
            name: entry.name,
            model: entry.model,
            firmware: entry.firmware,
            source: entry.source,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cost_model::CostModel;

    #[test]
    fn every_router_commits_to_its_flash() {
        for router in RouterPreset::all() {
            let cost_model = CostModel::new(&router.spec(4000));
            assert!(cost_model.is_ok(), "{}: {:?}", router.name, cost_model.err());
            assert!(!router.source.is_empty() && !router.model.is_empty(), "{}", router.name);
        }
    }

    #[test]
    fn names_are_distinct_and_at_least_a_dozen() {
        let names: BTreeSet<&str> =
            RouterPreset::all().iter().map(|router| router.name.as_str()).collect();
        assert_eq!(names.len(), RouterPreset::all().len());
        assert!(names.len() >= 12);
    }
}
