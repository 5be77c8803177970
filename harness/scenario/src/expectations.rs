//! One table of expectations, or several with conditions.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::expect::Expect;

/// The expectations of a step, written as a table or as a list of tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Expectations(pub(crate) Vec<Expect>);

impl Expectations {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

struct ExpectationsVisitor;

impl<'de> Visitor<'de> for ExpectationsVisitor {
    type Value = Expectations;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table, or a list of tables")
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Expectations, A::Error> {
        Expect::deserialize(MapAccessDeserializer::new(table)).map(|only| Expectations(vec![only]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Expectations, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Expectations)
    }
}

impl<'de> Deserialize<'de> for Expectations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExpectationsVisitor)
    }
}

impl Serialize for Expectations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [only] => only.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

/// A single schema for both forms, since each branch of an `anyOf` would report a misspelt key on its own.
impl JsonSchema for Expectations {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Expectations".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Expect::json_schema(generator);
        let items = generator.subschema_for::<Expect>();
        schema.insert("type".to_owned(), serde_json::json!(["object", "array"]));
        schema.insert("items".to_owned(), items.to_value());
        schema
    }
}
