//! Reads a scenario file and creates its cases.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::case::{Case, ImposedSetting};
use crate::diagnostics::{Source, SourceError};
use crate::known_keys::{self, did_you_mean};
use crate::overrides::{Overrides, apply_override, is_selected, override_dialect};
use crate::parameters::{MAX_CASES, ParameterValues};
use crate::raw_step::{RawStep, StepError};
use crate::scenario::Scenario;
use crate::step::Step;
use crate::substitution::Substitution;
use crate::suitability::{with_any_script, with_dialect};
use crate::units::Parameters;

/// The maximum size of a scenario file in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 20;

/// The cases of a file, and those that do not suit the command line.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The cases, in the order of their parameters.
    pub cases: Vec<Case>,
    /// Cases that make no sense with the script or the dialect on the command line.
    pub unsuited: Vec<Unsuited>,
}

/// A case that makes no sense with the script or the dialect on the command line.
#[derive(Clone, Debug)]
pub struct Unsuited {
    /// The scenario file.
    pub path: PathBuf,
    /// The name of the case.
    pub name: String,
    /// The reason.
    pub why: String,
}

/// Reads a scenario file and creates its cases, except those that do not suit the command line. See [`load`].
///
/// # Errors
/// Returns an error in the text, with its place.
pub fn cases(path: &Path, text: String, overrides: &Overrides) -> Result<Vec<Case>, SourceError> {
    load(path, text, overrides).map(|loaded| loaded.cases)
}

/// Reads a scenario file and creates its cases.
///
/// The build and the release of dnsmasq on the command line (`rtc`, `dnsmasq`) select among those that the scenario
/// names, and replace the default if the scenario names none. Dialects on the command line replace those of the
/// scenario.
///
/// # Errors
/// Returns an error in the text, with its place.
pub fn load(path: &Path, text: String, overrides: &Overrides) -> Result<Loaded, SourceError> {
    let source = Source::new(path, text);
    let mut table =
        DeTable::parse(&source.text).map_err(|error| from_toml_error(&source, &error))?;
    known_keys::check(&source, table.get_ref())?;
    let sections =
        table.get_ref().iter().map(|(key, value)| (key.get_ref().to_string(), value.span()));
    let sections = Arc::new(sections.collect());
    let [build, release] = overrides.settings();
    apply_override(table.get_mut(), &build);
    let is_release_imposed = apply_override(table.get_mut(), &release);
    let own_dialects = override_dialect(table.get_mut(), &overrides.dialect);
    let values = ParameterValues::read(&source, table.get_ref())?;
    let combinations = values.combinations().ok_or_else(|| {
        let message = format!("the parameters make more than {MAX_CASES} combinations");
        SourceError::new(&source, 0..0, message)
    })?;
    let loader = Loader { source: &source, table: &table, values: &values, sections: &sections };
    let mut loaded = Loaded::default();
    let mut scripts_removed = BTreeSet::new();
    for combination in combinations {
        if !is_selected(&combination, table.get_ref(), overrides) {
            continue;
        }
        let Some(mut case) = loader.case(combination)? else { continue };
        let dialect = case.scenario.router.dialect.get_ref().clone();
        let is_dialect_imposed = !overrides.dialect.is_empty() && !own_dialects.contains(&dialect);
        case.imposed.extend(is_dialect_imposed.then_some(ImposedSetting::Dialect));
        case.imposed.extend(is_release_imposed.then_some(ImposedSetting::Release));
        let chosen = overrides.chosen_script;
        let why = (chosen.then(|| with_any_script(&case.scenario)).flatten()).or_else(|| {
            is_dialect_imposed.then(|| with_dialect(&case.scenario, &dialect, chosen)).flatten()
        });
        if let Some(why) = why {
            let (path, name) = (path.to_owned(), case.name());
            loaded.unsuited.push(Unsuited { path, name, why: why.to_string() });
        } else if !chosen || scripts_removed.insert(without_script(&case)) {
            loaded.cases.push(case);
        }
    }
    Ok(loaded)
}

/// Returns the parameters of a case, except those that name its script.
fn without_script(case: &Case) -> Parameters {
    let program = case.scenario.script.program.get_ref();
    let mut parameters = case.parameters.clone();
    parameters.retain(|_, value| value.to_string() != *program);
    parameters
}

fn from_toml_error(source: &Arc<Source>, error: &toml::de::Error) -> SourceError {
    SourceError::new(source, error.span().unwrap_or(0..0), error.message())
}

/// A parsed file.
struct Loader<'s, 'a> {
    source: &'s Arc<Source>,
    table: &'s Spanned<DeTable<'a>>,
    values: &'s ParameterValues<'a>,
    sections: &'s Arc<BTreeMap<String, Range<usize>>>,
}

impl<'a> Loader<'_, 'a> {
    /// Returns the case with these parameters, or `None` if the file excludes it.
    fn case(&self, parameters: Parameters) -> Result<Option<Case>, SourceError> {
        let mut substitution = Substitution::new(self.source, self.values, &parameters);
        let mut filled = DeTable::new();
        for (key, value) in self.table.get_ref() {
            let value = if key.get_ref() == "parameters" {
                value.clone()
            } else {
                substitution.apply(value)?
            };
            filled.insert(key.clone(), value);
        }
        let used = substitution.into_used();
        let steps = filled.remove("step");
        let deserializer = toml::de::Deserializer::from(Spanned::new(self.table.span(), filled));
        let mut scenario = Scenario::deserialize(deserializer)
            .map_err(|error| from_toml_error(self.source, &error))?;
        scenario.steps = steps.map_or_else(|| Ok(Vec::new()), |steps| self.steps(steps))?;
        let (source, sections) = (Arc::clone(self.source), Arc::clone(self.sections));
        let case = Case::new(source, parameters, scenario, sections);
        if case.scenario.except.iter().any(|exception| case.matches(exception)) {
            return Ok(None);
        }
        check_parameters(&case, &used, self.values)?;
        if case.scenario.steps.is_empty() && case.scenario.journal.is_none() {
            return Err(case
                .error(0..0, "this scenario has no steps")
                .help("add a step, for example `[[step]]` with `boot = {}`"));
        }
        Ok(Some(case))
    }

    fn steps(&self, value: Spanned<DeValue<'a>>) -> Result<Vec<Spanned<Step>>, SourceError> {
        let tables = Vec::<Spanned<RawStep>>::deserialize(ValueDeserializer::from(value))
            .map_err(|error| from_toml_error(self.source, &error))?;
        let step = |table: Spanned<RawStep>| {
            let span = table.span();
            match table.into_inner().into_step(span.clone()) {
                Ok(step) => Ok(Spanned::new(span, step)),
                Err(StepError { span, message, help }) => {
                    let error = SourceError::new(self.source, span, message);
                    Err(match help {
                        Some(help) => error.help(help),
                        None => error,
                    })
                }
            }
        };
        tables.into_iter().map(step).collect()
    }
}

/// Checks that each parameter is used, and that each condition names a parameter and values that it has.
fn check_parameters(
    case: &Case,
    used: &BTreeSet<String>,
    values: &ParameterValues<'_>,
) -> Result<(), SourceError> {
    let scenario = &case.scenario;
    let mut named: BTreeSet<&str> = used.iter().map(String::as_str).collect();
    let in_steps = scenario.steps.iter().flat_map(|step| {
        let expectations = step.get_ref().expect.iter().map(|expect| &expect.when);
        let conditions = std::iter::once(&step.get_ref().when).chain(expectations);
        conditions.map(|when| (step.span(), when))
    });
    let conditions = scenario
        .except
        .iter()
        .chain(scenario.breaks.iter().map(|breaks| &breaks.when))
        .map(|when| (0..0, when))
        .chain(in_steps);
    for (span, when) in conditions {
        for (name, wanted) in when.iter() {
            if !case.parameters.contains_key(name) {
                let message = format!("`{name}` is not a parameter of this scenario");
                let error = case.error(span, message);
                let known = case.parameters.keys().map(String::as_str);
                return Err(match did_you_mean(name, known) {
                    Some(known) => error.help(format!("did you mean `{known}`?")),
                    None => error,
                });
            }
            if let Some(stray) = wanted.iter().find(|value| !values.may_be(name, value)) {
                let message = format!("`{stray}` is not a value of the parameter `{name}`");
                return Err(case.error(span, message).help("add it to `[parameters]`"));
            }
            named.insert(name);
        }
    }
    match case.parameters.keys().find(|name| !named.contains(name.as_str())) {
        Some(unused) => Err(case
            .error(case.section("parameters"), format!("parameter `{unused}` is never used"))
            .help(format!("use `${unused}` in the scenario, or remove the parameter"))),
        None => Ok(()),
    }
}
