//! Values from the command line that select or replace those of a scenario file.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::units::Parameters;
use crate::unspanned::unspanned;

/// Values from the command line for parameters that every scenario has.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// dnsmasq builds to run (`good`, `broken`); empty for those of the scenario.
    pub rtc: Vec<String>,
    /// Dialects to run instead of those of the scenario; empty to run those of the scenario.
    pub dialect: Vec<String>,
    /// Releases of dnsmasq to run; empty for those of the scenario.
    pub dnsmasq: Vec<String>,
    /// Whether a script from the command line replaces `shell` and `rust`. Cases that differ only in which of the two
    /// they run then become one case.
    pub chosen_script: bool,
}

/// The default dialect.
const DEFAULT_DIALECT: &str = "openwrt";

/// Replaces the dialects of a file. Returns the dialects that the file names, or the default.
pub(crate) fn override_dialect(table: &mut DeTable<'_>, values: &[String]) -> Vec<String> {
    let fixed = table.get("router").and_then(|router| router.get_ref().get("dialect"));
    let fixed = fixed.and_then(|value| value.get_ref().as_str()).map(str::to_owned);
    let parameter = match &fixed {
        Some(text) => text.strip_prefix('$').map(|name| name.trim_matches(['{', '}']).to_owned()),
        None => None,
    };
    let name = parameter.clone().unwrap_or_else(|| "dialect".to_owned());
    let listed = table.get("parameters").and_then(|parameters| parameters.get_ref().get(&*name));
    let own = match (&fixed, listed.map(Spanned::get_ref)) {
        (Some(dialect), _) if parameter.is_none() => vec![dialect.clone()],
        (_, Some(DeValue::Array(values))) => {
            let text = |value: &Spanned<DeValue<'_>>| value.get_ref().as_str().map(str::to_owned);
            values.iter().filter_map(text).collect()
        }
        _ => vec![DEFAULT_DIALECT.to_owned()],
    };
    if !values.is_empty() {
        insert(table, "parameters", name.clone(), string_array(values));
        insert(
            table,
            "router",
            "dialect".to_owned(),
            DeValue::String(format!("${{{name}}}").into()),
        );
    }
    own
}

fn string_array(values: &[String]) -> DeValue<'static> {
    let mut list = DeArray::new();
    for value in values {
        list.push(unspanned(DeValue::String(value.clone().into())));
    }
    DeValue::Array(list)
}

/// Replaces or adds a key of a section.
fn insert(table: &mut DeTable<'_>, section: &'static str, key: String, value: DeValue<'static>) {
    let entry = table
        .entry(unspanned(section.into()))
        .or_insert_with(|| unspanned(DeValue::Table(DeTable::new())));
    if let DeValue::Table(section) = entry.get_mut() {
        section.insert(unspanned(key.into()), unspanned(value));
    }
}

/// A setting that the command line can select or replace.
pub(crate) struct Setting<'o> {
    /// The section of the scenario file.
    section: &'static str,
    /// The key in this section, which is also the name of the parameter.
    key: &'static str,
    /// The value if the file sets none; `None` if it is not known.
    default: Option<&'static str>,
    /// The values of the command line.
    values: &'o [String],
}

impl Overrides {
    /// Returns the settings other than the dialect, with their values on the command line.
    pub(crate) fn settings(&self) -> [Setting<'_>; 2] {
        let setting = |section, key, default, values| Setting { section, key, default, values };
        [
            setting("router", "rtc", Some("good"), &self.rtc),
            setting("server", "dnsmasq", None, &self.dnsmasq),
        ]
    }
}

/// Adds `[parameters] KEY = values` and `[SECTION] KEY = "$KEY"` if the file does not mention KEY. Returns whether they
/// were added.
pub(crate) fn apply_override(table: &mut DeTable<'_>, setting: &Setting<'_>) -> bool {
    let Setting { section, key, values, .. } = *setting;
    let says = |section: &str| table.get(section).and_then(|s| s.get_ref().get(key)).is_some();
    if values.is_empty() || says(section) || says("parameters") {
        return false;
    }
    insert(table, "parameters", key.to_owned(), string_array(values));
    insert(table, section, key.to_owned(), DeValue::String(format!("${key}").into()));
    true
}

/// Returns whether the command line selects this combination.
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
