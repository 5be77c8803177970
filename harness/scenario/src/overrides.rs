//! Values from the command line that select or replace those of a scenario file.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::case::Parameters;

/// Values from the command line for parameters that every scenario has.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// dnsmasq builds to run (`good`, `broken`); empty for those of the scenario.
    pub rtc: Vec<String>,
    /// Dialects to run; empty for those of the scenario.
    pub dialect: Vec<String>,
    /// Releases of dnsmasq to run; empty for those of the scenario.
    pub dnsmasq: Vec<String>,
}

/// A setting that the command line can select or replace.
pub(crate) struct Setting<'o> {
    /// The section of the scenario file.
    section: &'static str,
    /// The name in this section, and of the parameter.
    key: &'static str,
    /// The value if the file has none; `None` if it is not known.
    default: Option<&'static str>,
    /// The values of the command line.
    values: &'o [String],
}

impl Overrides {
    /// The settings with their values.
    pub(crate) fn settings(&self) -> [Setting<'_>; 3] {
        let setting = |section, key, default, values| Setting { section, key, default, values };
        [
            setting("router", "rtc", Some("good"), &self.rtc),
            setting("router", "dialect", Some("openwrt"), &self.dialect),
            setting("server", "dnsmasq", None, &self.dnsmasq),
        ]
    }
}

/// Adds `[parameters] KEY = values` and `[SECTION] KEY = "$KEY"` if the file does not mention KEY.
pub(crate) fn apply_override(table: &mut DeTable<'_>, setting: &Setting<'_>) {
    let Setting { section, key, values, .. } = *setting;
    let says = |section: &str| table.get(section).and_then(|s| s.get_ref().get(key)).is_some();
    if values.is_empty() || says(section) || says("parameters") {
        return;
    }
    let mut insert = |section: &'static str, value: DeValue<'static>| {
        let entry = table
            .entry(Spanned::new(0..0, section.into()))
            .or_insert_with(|| Spanned::new(0..0, DeValue::Table(DeTable::new())));
        if let DeValue::Table(section) = entry.get_mut() {
            section.insert(Spanned::new(0..0, key.into()), Spanned::new(0..0, value));
        }
    };
    let mut list = DeArray::new();
    for value in values {
        list.push(Spanned::new(0..0, DeValue::String(value.clone().into())));
    }
    insert("parameters", DeValue::Array(list));
    insert(section, DeValue::String(format!("${key}").into()));
}

/// Whether the command line selects this combination.
pub(crate) fn is_selected(
    combination: &Parameters,
    table: &DeTable<'_>,
    overrides: &Overrides,
) -> bool {
    overrides.settings().iter().all(|setting| {
        let Setting { section, key, default, values } = *setting;
        let fixed = || {
            let value = table.get(section)?.get_ref().get(key)?;
            value.get_ref().as_str().map(str::to_owned)
        };
        let value = combination
            .get(key)
            .map(ToString::to_string)
            .or_else(fixed)
            .or_else(|| default.map(str::to_owned));
        values.is_empty()
            || value.is_none_or(|value| value.starts_with('$') || values.contains(&value))
    })
}
