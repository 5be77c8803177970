//! From the text of a scenario file to the cases that are run.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, ValueDeserializer};

use crate::diagnostics::{Source, SourceError};
use crate::raw_step::{RawStep, StepError};
use crate::scenario::Scenario;
use crate::step::Step;
use crate::units::Scalar;

/// A scenario file may not be larger than this many bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 20;

/// The cross product of a file's parameters may not be larger than this.
pub const MAX_CASES: usize = 4096;

/// The parameters of one case, by name.
pub type Parameters = BTreeMap<String, Scalar>;

/// A scenario with one combination of its parameters.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file.
    pub source: Arc<Source>,
    /// The combination.
    pub parameters: Parameters,
    /// The scenario, with the values of the parameters in place of their names.
    pub scenario: Scenario,
    /// Places of the sections by their names.
    sections: Arc<BTreeMap<String, Range<usize>>>,
}

impl Case {
    /// A case of a scenario without parameters that is not in a file. Errors name `path` and show no text.
    pub fn without_file(path: &Path, scenario: Scenario) -> Self {
        let source = Source::new(path, String::new());
        Self { source, parameters: Parameters::new(), scenario, sections: Arc::default() }
    }

    /// The case's name: the file's, and the parameters that were varied.
    pub fn name(&self) -> String {
        let file = self.source.path.with_extension("");
        let file = file.to_string_lossy();
        if self.parameters.is_empty() {
            return file.into_owned();
        }
        format!("{file}[{}]", self.parameters_text())
    }

    /// The parameters as `name=value,…`.
    pub fn parameters_text(&self) -> String {
        let pairs: Vec<String> =
            self.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join(",")
    }

    /// Whether every named parameter has the given value.
    pub fn matches(&self, wanted: &BTreeMap<String, Scalar>) -> bool {
        wanted.iter().all(|(name, value)| self.parameters.get(name) == Some(value))
    }

    /// The place of a section's header; the start of the file if the section is not there.
    pub fn section(&self, name: &str) -> Range<usize> {
        self.sections.get(name).cloned().unwrap_or(0..0)
    }

    /// An error at a place in the case's file.
    pub fn error(&self, span: Range<usize>, message: impl Into<String>) -> SourceError {
        SourceError::new(&self.source, span, message)
    }
}

/// What the command line wants of a parameter that every scenario has.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// dnsmasq builds to run (`good`, `broken`); empty: as the scenario says.
    pub rtc: Vec<String>,
    /// Dialects to run; empty: as the scenario says.
    pub dialect: Vec<String>,
}

/// Reads a scenario file and makes its cases.
///
/// A parameter on the command line (`rtc`, `dialect`) selects among the values that the scenario
/// names, and replaces the value where the scenario names none.
///
/// # Errors
/// Whatever is wrong with the text, with its place.
pub fn cases(path: &Path, text: String, overrides: &Overrides) -> Result<Vec<Case>, SourceError> {
    let source = Source::new(path, text);
    let mut loader = Loader { source: &source, values: BTreeMap::new(), sections: Arc::default() };
    let mut table = loader.parse()?;
    let sections =
        table.get_ref().iter().map(|(key, value)| (key.get_ref().to_string(), value.span()));
    loader.sections = Arc::new(sections.collect());
    for (key, values) in [("rtc", &overrides.rtc), ("dialect", &overrides.dialect)] {
        override_router(table.get_mut(), key, values);
    }
    let parameters = loader.parameters(table.get_ref())?;
    let mut cases = Vec::new();
    for combination in loader.product(&parameters)? {
        if !selected(&combination, table.get_ref(), overrides) {
            continue;
        }
        if let Some(case) = loader.case(&table, combination)? {
            cases.push(case);
        }
    }
    Ok(cases)
}

/// Makes `[parameters] KEY = values`, `[router] KEY = "$KEY"` where the file says nothing of KEY.
fn override_router(table: &mut DeTable<'_>, key: &'static str, values: &[String]) {
    let says = |section: &str| table.get(section).and_then(|s| s.get_ref().get(key)).is_some();
    if values.is_empty() || says("router") || says("parameters") {
        return;
    }
    let mut insert = |section: &'static str, value: DeValue<'static>| {
        let entry = table
            .entry(Spanned::new(0..0, section.into()))
            .or_insert_with(|| Spanned::new(0..0, DeValue::Table(DeTable::new())));
        if let DeValue::Table(section) = entry.get_mut() {
            section.insert(Spanned::new(0..0, key.into()), Spanned::new(0..0, value));
        }
    };
    let mut list = DeArray::new();
    for value in values {
        list.push(Spanned::new(0..0, DeValue::String(value.clone().into())));
    }
    insert("parameters", DeValue::Array(list));
    insert("router", DeValue::String(format!("${key}").into()));
}

/// Whether the command line wants this combination.
fn selected(combination: &Parameters, table: &DeTable<'_>, overrides: &Overrides) -> bool {
    [("rtc", "good", &overrides.rtc), ("dialect", "openwrt", &overrides.dialect)].iter().all(
        |(key, default, wanted)| {
            let fixed = || {
                let router = table.get("router")?.get_ref().get(*key)?;
                router.get_ref().as_str().map(str::to_owned)
            };
            let value = combination
                .get(*key)
                .map(ToString::to_string)
                .or_else(fixed)
                .unwrap_or_else(|| (*default).to_owned());
            wanted.is_empty() || value.starts_with('$') || wanted.contains(&value)
        },
    )
}

struct Loader<'a> {
    source: &'a Arc<Source>,
    /// The parameters' values as the parser holds them: the only way to put a number back.
    values: BTreeMap<(String, Scalar), DeValue<'a>>,
    sections: Arc<BTreeMap<String, Range<usize>>>,
}

impl<'a> Loader<'a> {
    fn error(&self, span: Range<usize>, message: impl Into<String>) -> SourceError {
        SourceError::new(self.source, span, message)
    }

    fn toml_error(&self, error: &toml::de::Error) -> SourceError {
        self.error(error.span().unwrap_or(0..0), error.message())
    }

    fn parse(&self) -> Result<Spanned<DeTable<'a>>, SourceError> {
        DeTable::parse(&self.source.text).map_err(|error| self.toml_error(&error))
    }

    fn parameters(
        &mut self,
        table: &DeTable<'a>,
    ) -> Result<Vec<(String, Vec<Scalar>)>, SourceError> {
        let Some(section) = table.get("parameters") else { return Ok(Vec::new()) };
        let DeValue::Table(section_table) = section.get_ref() else {
            return Err(self.error(section.span(), "`parameters` is a table of lists"));
        };
        let mut parameters = Vec::new();
        for (name, values) in section_table {
            let DeValue::Array(array) = values.get_ref() else {
                return Err(self
                    .error(values.span(), format!("parameter `{}` is no list", name.get_ref()))
                    .help("write its values as name = [1, 50, 150]"));
            };
            if array.is_empty() {
                return Err(self.error(values.span(), "an empty list of values runs nothing"));
            }
            let mut scalars = Vec::new();
            for value in array {
                let scalar = self.scalar(value)?;
                let key = (name.get_ref().to_string(), scalar.clone());
                self.values.insert(key, value.get_ref().clone());
                scalars.push(scalar);
            }
            parameters.push((name.get_ref().to_string(), scalars));
        }
        Ok(parameters)
    }

    fn scalar(&self, value: &Spanned<DeValue<'_>>) -> Result<Scalar, SourceError> {
        match value.get_ref() {
            DeValue::String(text) => Ok(Scalar::Text(text.to_string())),
            DeValue::Boolean(truth) => Ok(Scalar::Boolean(*truth)),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map(Scalar::Integer)
                .map_err(|_| self.error(value.span(), "this number is too large")),
            _ => Err(self.error(value.span(), "a value is a string, a whole number or a boolean")),
        }
    }

    fn product(
        &self,
        parameters: &[(String, Vec<Scalar>)],
    ) -> Result<Vec<Parameters>, SourceError> {
        let mut product = vec![Parameters::new()];
        for (name, values) in parameters {
            if product.len().saturating_mul(values.len()) > MAX_CASES {
                return Err(self.error(
                    0..0,
                    format!("the parameters make more than {MAX_CASES} combinations"),
                ));
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
        Ok(product)
    }

    fn case(
        &self,
        table: &Spanned<DeTable<'a>>,
        parameters: Parameters,
    ) -> Result<Option<Case>, SourceError> {
        let mut used = BTreeSet::new();
        let mut filled = DeTable::new();
        for (key, value) in table.get_ref() {
            let value = if key.get_ref() == "parameters" {
                value.clone()
            } else {
                self.substitute(value, &parameters, &mut used)?
            };
            filled.insert(key.clone(), value);
        }
        let steps = filled.remove("step");
        let deserializer = toml::de::Deserializer::from(Spanned::new(table.span(), filled));
        let mut scenario =
            Scenario::deserialize(deserializer).map_err(|error| self.toml_error(&error))?;
        scenario.steps = steps.map_or_else(|| Ok(Vec::new()), |steps| self.steps(steps))?;
        let (source, sections) = (Arc::clone(self.source), Arc::clone(&self.sections));
        let case = Case { source, parameters, scenario, sections };
        if case.scenario.except.iter().any(|exception| case.matches(exception)) {
            return Ok(None);
        }
        check_parameters(&case, &used)?;
        Ok(Some(case))
    }

    fn steps(&self, value: Spanned<DeValue<'a>>) -> Result<Vec<Spanned<Step>>, SourceError> {
        let tables = Vec::<Spanned<RawStep>>::deserialize(ValueDeserializer::from(value))
            .map_err(|error| self.toml_error(&error))?;
        let step = |table: Spanned<RawStep>| {
            let span = table.span();
            match table.into_inner().into_step(span.clone()) {
                Ok(step) => Ok(Spanned::new(span, step)),
                Err(StepError { span, message, help }) => {
                    let error = self.error(span, message);
                    Err(match help {
                        Some(help) => error.help(help),
                        None => error,
                    })
                }
            }
        };
        tables.into_iter().map(step).collect()
    }

    /// Puts the values of parameters in place of `$name` and `${name}`, everywhere below `value`.
    fn substitute(
        &self,
        value: &Spanned<DeValue<'a>>,
        parameters: &Parameters,
        used: &mut BTreeSet<String>,
    ) -> Result<Spanned<DeValue<'a>>, SourceError> {
        let span = value.span();
        let new = match value.get_ref() {
            DeValue::String(text) if text.contains('$') => {
                self.fill(text, &span, parameters, used)?
            }
            DeValue::Array(items) => {
                let mut array = DeArray::new();
                for item in items {
                    array.push(self.substitute(item, parameters, used)?);
                }
                DeValue::Array(array)
            }
            DeValue::Table(entries) => {
                let mut table = DeTable::new();
                for (key, item) in entries {
                    table.insert(key.clone(), self.substitute(item, parameters, used)?);
                }
                DeValue::Table(table)
            }
            other => other.clone(),
        };
        Ok(Spanned::new(span, new))
    }

    fn fill(
        &self,
        text: &str,
        span: &Range<usize>,
        parameters: &Parameters,
        used: &mut BTreeSet<String>,
    ) -> Result<DeValue<'a>, SourceError> {
        let mut look_up = |name: &str| {
            used.insert(name.to_owned());
            parameters.get(name).ok_or_else(|| {
                self.error(span.clone(), format!("`${name}` is no parameter of this scenario"))
                    .help("write `$$` for a dollar sign")
            })
        };
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if let Some(name) = text.strip_prefix('$').filter(|name| is_name(name)) {
            let scalar = look_up(name)?;
            return Ok(self.values[&(name.to_owned(), scalar.clone())].clone());
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
                return Err(self
                    .error(span.clone(), "a `$` that begins no parameter")
                    .help("write `${name}` inside a text, `$$` for a dollar sign"));
            }
        }
        filled.push_str(rest);
        Ok(DeValue::String(filled.into()))
    }
}

fn check_parameters(case: &Case, used: &BTreeSet<String>) -> Result<(), SourceError> {
    let scenario = &case.scenario;
    let mut named: BTreeSet<&String> = used.iter().collect();
    let conditions = scenario
        .except
        .iter()
        .chain(scenario.breaks.iter().map(|breaks| &breaks.when))
        .map(|when| (0..0, when))
        .chain(scenario.steps.iter().map(|step| (step.span(), &step.get_ref().when)));
    for (span, when) in conditions {
        for name in when.keys() {
            if !case.parameters.contains_key(name) {
                return Err(case.error(span, format!("`{name}` is no parameter of this scenario")));
            }
            named.insert(name);
        }
    }
    match case.parameters.keys().find(|name| !named.contains(name)) {
        Some(idle) => Err(case
            .error(case.section("parameters"), format!("parameter `{idle}` is never used"))
            .help(format!("put `${idle}` where its value belongs, or take it out"))),
        None => Ok(()),
    }
}
