//! The scenario format: the contents of one TOML file.
//!
//! The types are the format. Their doc comments become the descriptions of the JSON schema in
//! `scenarios/scenario.schema.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::bound::Bound;
use crate::condition::Condition;
use crate::group::Group;
use crate::invariant::Invariant;
use crate::journal_lab::JournalLab;
use crate::network::OtherNetwork;
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
    /// The property under test, in one line.
    pub title: String,
    /// What happens in this scenario, and why it matters.
    #[serde(default)]
    pub story: String,
    /// Tags, which select scenarios on the command line.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The group of the conformance report to which the scenario belongs. It is also the group of its findings, except that
    /// redundant writes always belong to `write-economy`. Without it, each finding has the group of its invariant.
    pub group: Option<Group>,
    /// Parameters, each with a list of values. Every combination of values is one case. `$name` and `${name}` stand for the
    /// value anywhere in the file.
    #[serde(default)]
    pub parameters: BTreeMap<String, Vec<Scalar>>,
    /// Combinations that are not run: those in which every listed parameter has the given value, or one of the given values.
    #[serde(default)]
    pub except: Vec<Condition>,
    /// The claim of the 2006 notes that this scenario tests.
    pub claim: Option<Claim>,
    /// The hardware and firmware of the router.
    #[serde(default)]
    pub router: Router,
    /// The configuration of dnsmasq.
    #[serde(default)]
    pub server: Server,
    /// Other networks to which dnsmasq leases addresses.
    #[serde(default, rename = "network", skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<OtherNetwork>,
    /// Clients that have leases before the first step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bound: Vec<Bound>,
    /// The lease script under test.
    #[serde(default)]
    pub script: Script,
    /// Invariants that this scenario is expected to break. The run fails if one of them holds.
    #[serde(default)]
    pub breaks: Vec<Breaks>,
    /// Violations that the hardware makes unavoidable; the judge ignores them.
    #[serde(default)]
    pub forgive: Vec<Forgiven>,
    /// Tests a program that rewrites its lease database, with a power cut at each of its system calls. It replaces the router
    /// and the steps.
    pub journal: Option<JournalLab>,
    /// The steps, in order.
    #[serde(default, rename = "step", skip_deserializing)]
    #[schemars(!skip_deserializing, with = "Vec<RawStep>")]
    pub steps: Vec<Spanned<Step>>,
}

/// A claim of the 2006 notes and the result of testing it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Claim {
    /// The claim in one sentence.
    pub text: String,
    /// The result of the measurements, for example `holds`, `holds only for …` or `false today`.
    pub verdict: String,
    /// The cost of the naive script of 2006 as measured by this scenario.
    #[serde(default)]
    pub naive: String,
    /// The cost of the project's script as measured by this scenario.
    #[serde(default)]
    pub ours: String,
}

/// A violation that the hardware makes unavoidable; the judge ignores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Forgiven {
    /// A power cut inside a flash operation may destroy all leases, which a store with a single copy cannot prevent. The
    /// leases that the next boot reads are accepted if they are well-formed.
    TornWrite,
    /// The call after one that was killed or failed may commit although nothing changed, because it cannot know whether the
    /// earlier commit was completed.
    RepeatedCommit,
}

/// An invariant that this scenario is expected to break.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Breaks {
    /// The invariant.
    pub invariant: Invariant,
    /// The reason, in one sentence.
    pub why: String,
    /// The violation is expected only in cases in which each of these parameters has the given value, or one of the given
    /// values.
    #[serde(default)]
    pub when: Condition,
}
