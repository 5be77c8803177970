//! The scenario format: one TOML file, one story.
//!
//! The types are the format. Their doc comments become the descriptions of the JSON schema in
//! `scenarios/scenario.schema.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::invariant::Invariant;
use crate::journal_lab::JournalLab;
use crate::raw_step::RawStep;
use crate::router::Router;
use crate::script::Script;
use crate::server::Server;
use crate::step::Step;
use crate::units::Scalar;

/// A scenario file.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// One line that says what must hold.
    pub title: String,
    /// The story: what happens to whom, and why it matters.
    #[serde(default)]
    pub story: String,
    /// Words to filter by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Names and their values. Every combination is run; `$name` and `${name}` stand for the value
    /// anywhere in the file.
    #[serde(default)]
    pub parameters: BTreeMap<String, Vec<Scalar>>,
    /// Combinations left out: those in which every named parameter has the given value.
    #[serde(default)]
    pub except: Vec<BTreeMap<String, Scalar>>,
    /// A claim of the 2006 notes that this scenario measures.
    pub claim: Option<Claim>,
    /// The router.
    #[serde(default)]
    pub router: Router,
    /// The DHCP server.
    #[serde(default)]
    pub server: Server,
    /// The lease script under test.
    #[serde(default)]
    pub script: Script,
    /// Invariants that this scenario expects to see broken. One that holds after all fails the run.
    #[serde(default)]
    pub breaks: Vec<Breaks>,
    /// What nobody can help, and the judge is not to speak of.
    #[serde(default)]
    pub forgive: Vec<Forgiven>,
    /// Instead of all that: a program that rewrites its lease database, cut at every system call.
    pub journal: Option<JournalLab>,
    /// What happens, in order.
    #[serde(default, rename = "step", skip_deserializing)]
    #[schemars(!skip_deserializing, with = "Vec<RawStep>")]
    pub steps: Vec<Spanned<Step>>,
}

/// A claim of the 2006 notes, and what became of it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Claim {
    /// The claim in a sentence.
    pub text: String,
    /// What the measurements say: holds, holds only for …, false today.
    pub verdict: String,
    /// What the naive script of 2006 costs, as measured by this scenario.
    #[serde(default)]
    pub naive: String,
    /// What the project's script costs, as measured by this scenario.
    #[serde(default)]
    pub ours: String,
}

/// What nobody can help, and the judge is not to speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Forgiven {
    /// Power that goes inside a flash operation may cost everything: a store of one copy has no choice. What the next
    /// boot finds is taken for granted, if it is leases.
    TornWrite,
    /// The call after one that was killed or failed may commit though nothing changed: it cannot know.
    RepeatedCommit,
}

/// An invariant that this scenario expects to see broken.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Breaks {
    /// Which one.
    pub invariant: Invariant,
    /// Why.
    pub why: String,
    /// Only where these parameters have these values.
    #[serde(default)]
    pub when: BTreeMap<String, Scalar>,
}
