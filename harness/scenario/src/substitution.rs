//! Replaces the names of parameters with their values.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::diagnostics::{Source, SourceError};
use crate::parameters::ParameterValues;
use crate::units::Parameters;

/// Replaces `$name` and `${name}` with the values of one case.
pub(crate) struct Substitution<'s, 'a> {
    source: &'s Arc<Source>,
    values: &'s ParameterValues<'a>,
    parameters: &'s Parameters,
    used: BTreeSet<String>,
}

impl<'s, 'a> Substitution<'s, 'a> {
    pub(crate) fn new(
        source: &'s Arc<Source>,
        values: &'s ParameterValues<'a>,
        parameters: &'s Parameters,
    ) -> Self {
        Self { source, values, parameters, used: BTreeSet::new() }
    }

    /// Returns the names that were replaced.
    pub(crate) fn into_used(self) -> BTreeSet<String> {
        self.used
    }

    /// Replaces all names in a value, at any depth.
    pub(crate) fn apply(
        &mut self,
        value: &Spanned<DeValue<'a>>,
    ) -> Result<Spanned<DeValue<'a>>, SourceError> {
        let span = value.span();
        let new = match value.get_ref() {
            DeValue::String(text) if text.contains('$') => self.fill(text, &span)?,
            DeValue::Array(items) => {
                let mut array = DeArray::new();
                for item in items {
                    array.push(self.apply(item)?);
                }
                DeValue::Array(array)
            }
            DeValue::Table(entries) => {
                let mut table = DeTable::new();
                for (key, item) in entries {
                    table.insert(key.clone(), self.apply(item)?);
                }
                DeValue::Table(table)
            }
            other => other.clone(),
        };
        Ok(Spanned::new(span, new))
    }

    fn fill(&mut self, text: &str, span: &Range<usize>) -> Result<DeValue<'a>, SourceError> {
        let (source, parameters, used) = (self.source, self.parameters, &mut self.used);
        let error = |message: &str| SourceError::new(source, span.clone(), message);
        let mut look_up = |name: &str| {
            used.insert(name.to_owned());
            parameters.get(name).ok_or_else(|| {
                error(&format!("`${name}` is not a parameter of this scenario"))
                    .help("write `$$` for a dollar sign")
            })
        };
        if let Some(name) = text.strip_prefix('$').filter(|name| is_name(name)) {
            let scalar = look_up(name)?;
            return Ok(self.values.parsed(name, scalar));
        }
        let mut filled = String::new();
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            filled.push_str(&rest[..dollar]);
            rest = &rest[dollar + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                filled.push('$');
                rest = after;
            } else if let Some((name, after)) =
                rest.strip_prefix('{').and_then(|inner| inner.split_once('}'))
            {
                filled.push_str(&look_up(name)?.to_string());
                rest = after;
            } else {
                return Err(error("this `$` is not followed by the name of a parameter")
                    .help("write `${name}` inside a text, `$$` for a dollar sign"));
            }
        }
        filled.push_str(rest);
        Ok(DeValue::String(filled.into()))
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
