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
}

/// Adds `[parameters] KEY = values` and `[router] KEY = "$KEY"` if the file does not mention KEY.
pub(crate) fn override_router(table: &mut DeTable<'_>, key: &'static str, values: &[String]) {
    let says = |section: &str| table.get(section).and_then(|s| s.get_ref().get(key)).is_some();
    if values.is_empty() || says("router") || says("parameters") {
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
    insert("router", DeValue::String(format!("${key}").into()));
}

/// Whether the command line selects this combination.
pub(crate) fn is_selected(
    combination: &Parameters,
    table: &DeTable<'_>,
    overrides: &Overrides,
) -> bool {
    [("rtc", "good", &overrides.rtc), ("dialect", "openwrt", &overrides.dialect)].iter().all(
        |(key, default, wanted)| {
            let fixed = || {
                let router = table.get("router")?.get_ref().get(*key)?;
                router.get_ref().as_str().map(str::to_owned)
            };
            let value = combination
                .get(*key)
                .map(ToString::to_string)
                .or_else(fixed)
                .unwrap_or_else(|| (*default).to_owned());
            wanted.is_empty() || value.starts_with('$') || wanted.contains(&value)
        },
    )
}
