//! Names that help texts list. Errors suggest the nearest one.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use nvram_emu::Dialect;
use nvram_emu::device::Chip;
use wear::RouterPreset;

/// The names of the dialects of the nvram tool.
pub(in crate::cli) fn dialect_names() -> PossibleValuesParser {
    PossibleValuesParser::new(Dialect::ALL.iter().map(|dialect| dialect.name()))
}

/// The dialects of the nvram tool, by name.
pub(in crate::cli) fn dialect_parser() -> impl TypedValueParser<Value = Dialect> {
    dialect_names().try_map(|name| name.parse::<Dialect>())
}

/// The names of the dialects, and `all`.
pub(in crate::cli) fn dialect_names_or_all() -> PossibleValuesParser {
    PossibleValuesParser::new(Dialect::ALL.iter().map(|dialect| dialect.name()).chain(["all"]))
}

/// The names of the flash chips.
pub(in crate::cli) fn chip_names() -> PossibleValuesParser {
    PossibleValuesParser::new(Chip::ALL.map(|chip| chip.name))
}

/// The names of the flash chips, and `all`.
pub(in crate::cli) fn chip_names_or_all() -> PossibleValuesParser {
    PossibleValuesParser::new(Chip::ALL.iter().map(|chip| chip.name).chain(["all"]))
}

/// The names of the well-known routers.
pub(in crate::cli) fn router_names() -> PossibleValuesParser {
    PossibleValuesParser::new(RouterPreset::all().iter().map(|router| router.name.as_str()))
}
