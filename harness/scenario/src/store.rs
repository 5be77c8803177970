//! Which scenarios make sense for a journal.

use toml::Spanned;

use crate::load::Case;
use crate::router::Store;
use crate::step::{Action, Step};

impl Case {
    /// The case with its leases in a journal, or why it makes no sense then.
    ///
    /// # Errors
    /// What it says that only an NVRAM has.
    pub fn into_journal(mut self) -> Result<Self, &'static str> {
        if self.scenario.journal.is_some() {
            return Err("it is about one way of keeping journals");
        }
        if !matches!(self.scenario.script.program.get_ref().as_str(), "shell" | "rust") {
            return Err("its script keeps leases in NVRAM");
        }
        if !self.scenario.breaks.is_empty() {
            return Err("it expects what an NVRAM breaks");
        }
        let router = &self.scenario.router;
        if router.image.is_some() || router.free.is_some() {
            return Err("it is about what stands in NVRAM");
        }
        if self.scenario.script.environment.keys().any(|name| name.starts_with("LEASE_")) {
            return Err("it sets variables of the NVRAM's");
        }
        if self.scenario.steps.iter().any(|step| is_of_nvram(step.get_ref())) {
            return Err("it strikes at commands of nvram, or looks at them");
        }
        self.scenario.router.store = Store::Journal;
        self.scenario.script.program = Spanned::new(0..0, "rust".to_owned());
        Ok(self)
    }
}

fn is_of_nvram(step: &Step) -> bool {
    let looks = step.expect.as_ref().is_some_and(|expect| {
        !expect.stderr.is_empty()
            || expect.failed_calls.is_some_and(|count| count > 0)
            || !expect.variables.is_empty()
            || !expect.flash.is_empty()
    });
    looks
        || step.disturbance.is_some()
        || matches!(step.action, Action::Nvram(_) | Action::Damage(_))
}
