//! Finds keys and values in a file that the schema does not know, and suggests known ones.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostics::{Source, SourceError};
use crate::schema::schema;

/// Minimum similarity of a suggestion (Jaro-Winkler, 0 to 1).
const SIMILAR: f64 = 0.75;

/// Returns the known word that is most similar to a misspelt one, if any is similar enough.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let rated = known.into_iter().map(|known| (strsim::jaro_winkler(word, known), known));
    let best = rated.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(similarity, _)| *similarity >= SIMILAR).map(|(_, known)| known)
}

/// Checks that the schema knows every key of a file, and every value of the keys with a fixed set of values.
pub(crate) fn check(source: &Arc<Source>, table: &DeTable<'_>) -> Result<(), SourceError> {
    static SCHEMA: LazyLock<Value> = LazyLock::new(schema);
    Checker { source, root: &SCHEMA }.table(&SCHEMA, table, "a scenario")
}

struct Checker<'s> {
    source: &'s Arc<Source>,
    root: &'s Value,
}

impl Checker<'_> {
    fn resolve<'v>(&'v self, schema: &'v Value) -> &'v Value {
        let name = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
        name.map_or(schema, |name| &self.root["$defs"][name])
    }

    fn table(&self, schema: &Value, table: &DeTable<'_>, what: &str) -> Result<(), SourceError> {
        let others = &schema["additionalProperties"];
        let properties = schema["properties"].as_object();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            match properties.and_then(|properties| properties.get(name)) {
                Some(schema) => self.value(schema, value, &format!("`{name}`"))?,
                None if others.is_object() => self.value(others, value, &format!("`{name}`"))?,
                None if *others == Value::Bool(false) => {
                    let known = properties.into_iter().flat_map(|all| all.keys());
                    let known: Vec<&str> = known.map(String::as_str).collect();
                    let message = format!("unknown key `{name}` in {what}");
                    return Err(self.unknown(key.span(), message, name, &known, "keys"));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn value(
        &self,
        schema: &Value,
        value: &Spanned<DeValue<'_>>,
        what: &str,
    ) -> Result<(), SourceError> {
        let schema = self.resolve(schema);
        match value.get_ref() {
            DeValue::Table(table) => self.table(schema, table, what),
            DeValue::Array(items) if schema["items"].is_object() => {
                items.iter().try_for_each(|item| self.value(&schema["items"], item, what))
            }
            DeValue::String(text) if !text.contains('$') => {
                let Some(known) = schema["enum"].as_array() else { return Ok(()) };
                let known: Vec<&str> = known.iter().filter_map(Value::as_str).collect();
                let aliases = schema["x-aliases"].as_array();
                let is_alias = aliases.is_some_and(|all| all.iter().any(|alias| alias == &**text));
                if is_alias || known.contains(&text.as_ref()) {
                    return Ok(());
                }
                let message = format!("unknown value `{text}` of {what}");
                Err(self.unknown(value.span(), message, text, &known, "values"))
            }
            _ => Ok(()),
        }
    }

    fn unknown(
        &self,
        span: Range<usize>,
        message: String,
        word: &str,
        known: &[&str],
        kind: &str,
    ) -> SourceError {
        let help = match did_you_mean(word, known.iter().copied()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("the {kind} are {}", known.join(", ")),
        };
        SourceError::new(self.source, span, message).help(help)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rstest::rstest;

    use crate::{Overrides, cases};

    fn error(text: &str) -> String {
        let text = format!("title = \"x\"\n{text}\n");
        match cases(Path::new("a.toml"), text, &Overrides::default()) {
            Ok(_) => "no error".to_owned(),
            Err(error) => format!("{}; {}", error.message, error.help.unwrap_or_default()),
        }
    }

    #[rstest]
    #[case("[sever]", "unknown key `sever` in a scenario; did you mean `server`?")]
    #[case(
        "[server]\nlease_time = '1h'",
        "unknown key `lease_time` in `server`; did you mean `lease-time`?"
    )]
    #[case(
        "[[step]]\nboot = {}\nexpct = {}",
        "unknown key `expct` in `step`; did you mean `expect`?"
    )]
    #[case(
        "[[step]]\njoin = { client = 'pc', hostnam = 'x' }",
        "unknown key `hostnam` in `join`; did you mean `hostname`?"
    )]
    #[case(
        "[[step]]\nboot = {}\nexpect = [{ lease = 1 }]",
        "unknown key `lease` in `expect`; did you mean `leases`?"
    )]
    #[case(
        "[[step]]\ndnsmasq = 'restat'",
        "unknown value `restat` of `dnsmasq`; did you mean `restart`?"
    )]
    #[case(
        "[router]\npersistent = [{ path = '/etc', form = 'x' }]",
        "unknown key `form` in `persistent`; did you mean `from`?"
    )]
    #[case("[router]\nrtc = 'bad'", "unknown value `bad` of `rtc`; the values are good, broken")]
    fn a_misspelt_word_is_one_error_with_a_suggestion(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(error(text), expected);
    }
}
