//! Whether a case makes sense with a script or a dialect for which it was not written.

use crate::actions::RawCall;
use crate::disturbance::Disturbance;
use crate::expect::Expect;
use crate::scenario::Scenario;
use crate::step::{Action, Step};

/// The prefix of the names of the variables in which the project's scripts store leases.
const LEASE_VARIABLES: &str = "dnsmasq_lease_";

/// Why a case makes no sense with the script or the dialect on the command line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsuitability {
    /// The scenario names a script of its own.
    #[error("it is about the script `{0}`")]
    OtherScript(String),
    /// It has a `[journal]` section.
    #[error("it is about leases in a journal")]
    Journal,
    /// It has a `[claim]` section.
    #[error("it measures a claim about the project's scripts")]
    Claim,
    /// It sets variables of the project's scripts.
    #[error("it sets environment variables of the project's scripts")]
    Environment,
    /// The NVRAM contains records of the project's scripts at the start, or another program writes such records.
    #[error("it is about the variables in which the project's scripts store leases")]
    Records,
    /// It calls the script with arguments that dnsmasq does not pass.
    #[error("it calls the script with arguments that dnsmasq does not pass")]
    RawCall,
    /// It starts with an NVRAM image.
    #[error("its NVRAM image was not made by {0}")]
    Image(String),
    /// It damages bytes of the NVRAM.
    #[error("it damages bytes that have another meaning with {0}")]
    Damage(String),
    /// Its conditions name dialects.
    #[error("it does not say what is different with {0}")]
    Conditions(String),
    /// It cuts power inside a flash operation.
    #[error("it cuts power inside a flash operation that may not exist with {0}")]
    FlashOperation(String),
    /// It expects numbers of flash operations, or a behaviour of the script in a full NVRAM.
    #[error("it expects costs or free space of its own dialects, not of {0}")]
    Expectations(String),
}

/// Returns why a scenario makes no sense with a script from the command line, or `None` if it does make sense.
pub(crate) fn with_any_script(scenario: &Scenario) -> Option<Unsuitability> {
    let program = scenario.script.program.get_ref();
    if !matches!(program.as_str(), "shell" | "rust") {
        return Some(Unsuitability::OtherScript(program.clone()));
    }
    if scenario.group.is_some() {
        return None;
    }
    if scenario.journal.is_some() {
        return Some(Unsuitability::Journal);
    }
    if scenario.claim.is_some() {
        return Some(Unsuitability::Claim);
    }
    let script = &scenario.script;
    let sets = script.slack.is_some()
        || script.max.is_some()
        || script.strict.is_some()
        || script.free.is_some()
        || !script.environment.is_empty();
    if sets {
        return Some(Unsuitability::Environment);
    }
    let is_lease = |text: &String| text.starts_with(LEASE_VARIABLES);
    let writes_leases = |step: &Step| match &step.action {
        Action::Nvram(commands) => commands.iter().flatten().any(is_lease),
        _ => false,
    };
    let steps = || scenario.steps.iter().map(toml::Spanned::get_ref);
    if scenario.router.image.is_some()
        || scenario.router.variables.keys().any(is_lease)
        || steps().any(writes_leases)
    {
        return Some(Unsuitability::Records);
    }
    let is_unusual = |step: &Step| match &step.action {
        Action::Call(RawCall { arguments, .. }) => {
            arguments.first().is_none_or(|word| matches!(word.as_str(), "add" | "old" | "del"))
        }
        _ => false,
    };
    steps().any(is_unusual).then_some(Unsuitability::RawCall)
}

/// Returns why a scenario makes no sense with a dialect that it does not name, or `None` if it does make sense. If
/// `chosen_script` is set, `--script` replaces the project's scripts, and expectations about these are not checked.
pub(crate) fn with_dialect(
    scenario: &Scenario,
    dialect: &str,
    chosen_script: bool,
) -> Option<Unsuitability> {
    let dialect = dialect.to_owned();
    let steps = || scenario.steps.iter().map(toml::Spanned::get_ref);
    if scenario.router.image.is_some() {
        return Some(Unsuitability::Image(dialect));
    }
    if steps().any(|step| matches!(step.action, Action::Damage(_))) {
        return Some(Unsuitability::Damage(dialect));
    }
    let in_steps = steps().flat_map(|step| {
        std::iter::once(&step.when).chain(step.expect.iter().map(|expect| &expect.when))
    });
    let mut conditions = in_steps.chain(scenario.breaks.iter().map(|breaks| &breaks.when));
    if conditions.any(|when| when.iter().any(|(name, _)| name == "dialect")) {
        return Some(Unsuitability::Conditions(dialect));
    }
    if scenario.group.is_some() {
        return None;
    }
    let is_inside = |step: &Step| match step.disturbance.as_ref().map(|d| &d.disturbance) {
        Some(Disturbance::Cut(point) | Disturbance::Kill(point)) => {
            point.is_inside_flash_operation()
        }
        _ => false,
    };
    if steps().any(is_inside) {
        return Some(Unsuitability::FlashOperation(dialect));
    }
    let expects_costs = || steps().flat_map(|step| &step.expect).any(has_costs);
    if !chosen_script && (scenario.router.free.is_some() || expects_costs()) {
        return Some(Unsuitability::Expectations(dialect));
    }
    None
}

/// Returns whether an expectation depends on how a dialect stores variables.
fn has_costs(expect: &Expect) -> bool {
    expect.nvram_commands.is_some()
        || expect.erases.is_some()
        || expect.programmed.is_some()
        || expect.flash_operations.is_some()
        || expect.total_erases.is_some()
        || expect.committed.is_some()
        || !expect.flash.is_empty()
        || !expect.no_flash.is_empty()
        || !expect.stderr.is_empty()
        || expect.failed_calls.is_some_and(|count| count > 0)
}
