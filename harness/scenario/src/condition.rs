//! Conditions on the parameters of a case.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::units::{Parameters, Scalar};

/// Parameters, each with its accepted values. The condition is true in cases in which each parameter has one of its
/// accepted values. An empty condition is always true.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Condition(BTreeMap<String, Values>);

impl Condition {
    /// Returns whether each parameter has one of its accepted values.
    pub(crate) fn is_true(&self, parameters: &Parameters) -> bool {
        let has_one_of = |name, values: &Values| {
            parameters.get(name).is_some_and(|value| values.0.contains(value))
        };
        self.0.iter().all(|(name, values)| has_one_of(name, values))
    }

    /// Returns whether the condition is true in every case.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Iterates over the parameters and their accepted values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &[Scalar])> {
        self.0.iter().map(|(name, values)| (name, values.0.as_slice()))
    }
}

impl<const N: usize> From<[(String, Scalar); N]> for Condition {
    fn from(pairs: [(String, Scalar); N]) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name, Values(vec![value]))).collect())
    }
}

/// At least one value, written as a single value or as a list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Values(Vec<Scalar>);

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a whole number, a boolean, or a list of them")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Values, E> {
        Ok(Values(vec![Scalar::Integer(number)]))
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Values, E> {
        Ok(Values(vec![Scalar::Boolean(truth)]))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Values, E> {
        Ok(Values(vec![Scalar::Text(text.to_owned())]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Values, A::Error> {
        let values: Vec<Scalar> = Vec::deserialize(SeqAccessDeserializer::new(list))?;
        if values.is_empty() {
            return Err(de::Error::custom(
                "an empty list matches no value: list at least one value",
            ));
        }
        Ok(Values(values))
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor)
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [only] => only.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

impl JsonSchema for Values {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Values".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let value = json_schema!({ "type": ["string", "integer", "boolean"] });
        json_schema!({
            "type": ["string", "integer", "boolean", "array"],
            "items": value,
            "minItems": 1,
        })
    }
}
