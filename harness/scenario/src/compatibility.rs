//! Which back ends can run which cases.

use std::fmt;

use crate::bound::Bound;
use crate::case::Case;
use crate::router::Store;
use crate::step::{Action, Step};
use crate::unspanned::unspanned;

/// The kind of back end that runs a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendKind {
    /// The modelled dnsmasq, with the script in process or as processes.
    Modelled,
    /// The explorer of power cuts and kills, which works on snapshots of the NVRAM.
    FaultExplorer,
    /// A real dnsmasq.
    Live,
    /// A guest of QEMU.
    Guest,
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Modelled => "the modelled dnsmasq",
            Self::FaultExplorer => "the explorer of power cuts",
            Self::Live => "a real dnsmasq",
            Self::Guest => "a guest",
        })
    }
}

/// Why a back end cannot run a case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incompatibility {
    /// The script of the case keeps leases in NVRAM only.
    #[error("`store = \"journal\"` needs `use = \"rust\"`: `{0}` keeps no journal")]
    ScriptWithoutJournal(String),
    /// The back end has no journal for the script.
    #[error("`store = \"journal\"` cannot be run by {0}, which keeps leases in NVRAM")]
    JournalStore(BackendKind),
    /// The back end has a single network.
    #[error("`[[network]]` cannot be run by {0}, which has one network")]
    OtherNetworks(BackendKind),
    /// The back end cannot call the script before the router is switched on.
    #[error(
        "`[[bound]]` cannot be run by {0}: no script is called before the router is switched on"
    )]
    Bound(BackendKind),
    /// Script calls take no time on the router's clocks in this back end.
    #[error("`call-time` cannot be run by {0}: only the modelled dnsmasq waits for a slow script")]
    CallTime(BackendKind),
    /// The case tests programs on a simulated disk, without a router.
    #[error("a `[journal]` scenario cannot be run by {0}: it tests programs on a simulated disk")]
    JournalLab(BackendKind),
}

/// Why a case about leases in NVRAM cannot be run with leases in a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NeedsNvram {
    /// It has a `[journal]` section.
    #[error("it tests programs on a simulated disk")]
    JournalLab,
    /// Its script is not one of the project's scripts.
    #[error("its script keeps leases in NVRAM")]
    Script,
    /// It has a `[[breaks]]` section.
    #[error("it expects a violation that only NVRAM causes")]
    Breaks,
    /// It starts with an image, or with an NVRAM that is filled up to a number of free bytes.
    #[error("it is about the contents of NVRAM")]
    Contents,
    /// It sets environment variables of the script.
    #[error("it sets variables of the script that are about NVRAM")]
    Environment,
    /// It disturbs `nvram` commands, or has expectations about variables.
    #[error("it disturbs or checks `nvram` commands")]
    Steps,
}

impl Case {
    /// Returns why a back end cannot run the case, or `None` if it can.
    pub fn incompatibility(&self, backend: BackendKind) -> Option<Incompatibility> {
        let is_modelled = backend == BackendKind::Modelled;
        if self.scenario.journal.is_some() {
            return (!is_modelled).then_some(Incompatibility::JournalLab(backend));
        }
        if !is_modelled && self.scenario.script.call_time.is_some_and(|time| time.0 != 0) {
            return Some(Incompatibility::CallTime(backend));
        }
        let has_one_network = matches!(backend, BackendKind::Live | BackendKind::Guest);
        if has_one_network && !self.scenario.networks.is_empty() {
            return Some(Incompatibility::OtherNetworks(backend));
        }
        if backend == BackendKind::Guest && self.scenario.bound.iter().any(Bound::is_stored) {
            return Some(Incompatibility::Bound(backend));
        }
        if self.scenario.router.store == Store::Nvram {
            return None;
        }
        if !is_modelled {
            return Some(Incompatibility::JournalStore(backend));
        }
        let script = self.scenario.script.program.get_ref();
        (script != "rust").then(|| Incompatibility::ScriptWithoutJournal(script.clone()))
    }

    /// Returns the case with its leases stored in a journal.
    ///
    /// # Errors
    /// Returns an error if the case is about NVRAM.
    pub fn into_journal(mut self) -> Result<Self, NeedsNvram> {
        let router = &self.scenario.router;
        let script = &self.scenario.script;
        if self.scenario.journal.is_some() {
            return Err(NeedsNvram::JournalLab);
        }
        if !matches!(script.program.get_ref().as_str(), "shell" | "rust") {
            return Err(NeedsNvram::Script);
        }
        if !self.scenario.breaks.is_empty() {
            return Err(NeedsNvram::Breaks);
        }
        if router.image.is_some() || router.free.is_some() {
            return Err(NeedsNvram::Contents);
        }
        if script.environment.keys().any(|name| name.starts_with("LEASE_")) {
            return Err(NeedsNvram::Environment);
        }
        if self.scenario.steps.iter().any(|step| is_about_nvram(step.get_ref())) {
            return Err(NeedsNvram::Steps);
        }
        self.scenario.router.store = Store::Journal;
        self.scenario.script.program = unspanned("rust".to_owned());
        Ok(self)
    }
}

fn is_about_nvram(step: &Step) -> bool {
    let expects = step.expect.iter().any(|expect| {
        !expect.stderr.is_empty()
            || expect.failed_calls.is_some_and(|count| count > 0)
            || !expect.variables.is_empty()
            || !expect.flash.is_empty()
    });
    expects
        || step.disturbance.is_some()
        || matches!(step.action, Action::Nvram(_) | Action::Damage(_))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Overrides, cases};
    use rstest::rstest;

    fn case(text: &str) -> Case {
        let text = format!("title = \"x\"\n{text}\n[[step]]\nboot = {{}}\n");
        cases(Path::new("a.toml"), text, &Overrides::default()).expect("a scenario").remove(0)
    }

    const OTHERS: [BackendKind; 3] =
        [BackendKind::FaultExplorer, BackendKind::Live, BackendKind::Guest];

    #[test]
    fn a_journal_as_store_is_for_the_modelled_dnsmasq_only() {
        let case = case("[router]\nstore = \"journal\"\n[script]\nuse = \"rust\"");
        assert_eq!(case.incompatibility(BackendKind::Modelled), None);
        for backend in OTHERS {
            let expected = Some(Incompatibility::JournalStore(backend));
            assert_eq!(case.incompatibility(backend), expected);
        }
    }

    #[rstest]
    #[case("shell")]
    #[case("naive")]
    #[case("mine.sh")]
    fn other_scripts_keep_no_journal(#[case] script: &str) {
        let case = case(&format!("[router]\nstore = \"journal\"\n[script]\nuse = \"{script}\""));
        let expected = Some(Incompatibility::ScriptWithoutJournal(script.to_owned()));
        assert_eq!(case.incompatibility(BackendKind::Modelled), expected);
    }

    #[test]
    fn programs_on_a_simulated_disk_are_for_the_modelled_dnsmasq_only() {
        let case = case("[journal]\nstrategy = \"ours\"");
        assert_eq!(case.incompatibility(BackendKind::Modelled), None);
        for backend in OTHERS {
            let expected = Some(Incompatibility::JournalLab(backend));
            assert_eq!(case.incompatibility(backend), expected);
        }
    }

    #[test]
    fn leases_in_nvram_are_for_every_back_end() {
        let case = case("[script]\nuse = \"naive\"");
        for backend in [BackendKind::Modelled].into_iter().chain(OTHERS) {
            assert_eq!(case.incompatibility(backend), None);
        }
    }
}
