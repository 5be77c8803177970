//! The folders of a router that survive a reboot.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// A folder that survives a reboot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum PersistentFolder {
    /// The path of a folder that is empty at first, except that `/etc` contains the few files that programs need.
    Path(String),
    /// A folder that has contents before the first boot.
    Filled(FilledFolder),
}

/// A folder that has contents before the first boot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilledFolder {
    /// Its path.
    pub path: String,
    /// A folder with the contents, as a path relative to this file.
    pub from: String,
}

impl PersistentFolder {
    /// Returns the path on the router.
    pub fn path(&self) -> &str {
        match self {
            Self::Path(path) | Self::Filled(FilledFolder { path, .. }) => path,
        }
    }
}

/// A single schema for both forms, since each branch of an `anyOf` would report a misspelt key on its own.
impl JsonSchema for PersistentFolder {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PersistentFolder".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = FilledFolder::json_schema(generator);
        schema.insert("type".to_owned(), serde_json::json!(["string", "object"]));
        schema.insert("description".to_owned(), serde_json::json!(DESCRIPTION));
        schema
    }
}

/// The description in the schema.
const DESCRIPTION: &str = "The path of a folder that survives a reboot and is empty at first, or a \
                           table with its path and a folder with its contents before the first \
                           boot.";

/// What a power cut does to changes of persistent files that were not synced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unsynced {
    /// The changes have reached the medium, because the kernel writes them within seconds. `leaselab crash` explores
    /// what else can happen.
    #[default]
    Kept,
    /// The changes of the last script call are lost.
    Lost,
}
