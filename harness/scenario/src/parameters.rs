//! The `[parameters]` section of a scenario file.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostics::{Source, SourceError};
use crate::units::{Parameters, Scalar};

/// The maximum number of combinations of a file's parameters.
pub(crate) const MAX_CASES: usize = 4096;

/// The parameters to which the command line may give values that the file does not list.
const OVERRIDABLE: [&str; 3] = ["rtc", "dialect", "dnsmasq"];

/// The parameters of a file with all their values.
pub(crate) struct ParameterValues<'a> {
    lists: Vec<(String, Vec<Scalar>)>,
    /// The values as the parser represents them, because a number cannot be converted back.
    parsed: BTreeMap<(String, Scalar), DeValue<'a>>,
}

impl<'a> ParameterValues<'a> {
    /// Reads the `[parameters]` section.
    pub(crate) fn read(source: &Arc<Source>, table: &DeTable<'a>) -> Result<Self, SourceError> {
        let mut all = Self { lists: Vec::new(), parsed: BTreeMap::new() };
        let Some(section) = table.get("parameters") else { return Ok(all) };
        let error = |span, message: &str| SourceError::new(source, span, message);
        let DeValue::Table(section_table) = section.get_ref() else {
            return Err(error(section.span(), "`parameters` must be a table of lists"));
        };
        for (name, values) in section_table {
            let DeValue::Array(array) = values.get_ref() else {
                let message = format!("parameter `{}` must be a list", name.get_ref());
                return Err(
                    error(values.span(), &message).help("write its values as name = [1, 50, 150]")
                );
            };
            if array.is_empty() {
                return Err(error(values.span(), "a parameter must have at least one value"));
            }
            let mut scalars = Vec::new();
            for value in array {
                let scalar = scalar(source, value)?;
                let key = (name.get_ref().to_string(), scalar.clone());
                all.parsed.insert(key, value.get_ref().clone());
                scalars.push(scalar);
            }
            all.lists.push((name.get_ref().to_string(), scalars));
        }
        Ok(all)
    }

    /// Returns every combination of values, or `None` if there are more than [`MAX_CASES`].
    pub(crate) fn combinations(&self) -> Option<Vec<Parameters>> {
        let mut product = vec![Parameters::new()];
        for (name, values) in &self.lists {
            if product.len().saturating_mul(values.len()) > MAX_CASES {
                return None;
            }
            product = product
                .iter()
                .flat_map(|combination| {
                    values.iter().map(|value| {
                        let mut longer = combination.clone();
                        longer.insert(name.clone(), value.clone());
                        longer
                    })
                })
                .collect();
        }
        Some(product)
    }

    /// Returns whether the file or the command line may give the parameter this value.
    pub(crate) fn may_be(&self, name: &str, value: &Scalar) -> bool {
        OVERRIDABLE.contains(&name)
            || self.lists.iter().any(|(own, values)| own == name && values.contains(value))
    }

    /// Returns a value of a parameter as the parser represents it.
    pub(crate) fn parsed(&self, name: &str, value: &Scalar) -> DeValue<'a> {
        self.parsed[&(name.to_owned(), value.clone())].clone()
    }
}

fn scalar(source: &Arc<Source>, value: &Spanned<DeValue<'_>>) -> Result<Scalar, SourceError> {
    let error = |message: &str| SourceError::new(source, value.span(), message);
    match value.get_ref() {
        DeValue::String(text) => Ok(Scalar::Text(text.to_string())),
        DeValue::Boolean(truth) => Ok(Scalar::Boolean(*truth)),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Scalar::Integer)
            .map_err(|_| error("this number is too large")),
        _ => Err(error("a value of a parameter must be a string, an integer or a boolean")),
    }
}
