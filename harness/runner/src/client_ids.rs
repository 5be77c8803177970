//! Whether dnsmasq passes long client-ids to its script whole or truncated.

use std::borrow::Cow;

use dnsmasq_model::ScriptCall;
use scenario::LongIds;

/// Where the assumption about long client-ids comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The scenario does not say; a real dnsmasq may correct it.
    Default,
    /// The scenario's `long-ids`.
    Scenario,
    /// The scenario's `long-ids`, but the real dnsmasq does the opposite: the case does not apply to it.
    Contradicted,
}

/// How dnsmasq passes long client-ids to its script.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientIds {
    form: LongIds,
    source: Source,
}

impl ClientIds {
    /// As the scenario says; whole, if it says nothing.
    pub(super) fn new(long_ids: Option<LongIds>) -> Self {
        let source = if long_ids.is_some() { Source::Scenario } else { Source::Default };
        Self { form: long_ids.unwrap_or(LongIds::Whole), source }
    }

    pub(super) fn are_truncated(self) -> bool {
        self.form == LongIds::Cut
    }

    /// The call with its ids as this dnsmasq passes them.
    pub(super) fn apply(self, call: &ScriptCall) -> Cow<'_, ScriptCall> {
        let mut call = Cow::Borrowed(call);
        if self.are_truncated() {
            call.to_mut().truncate_ids();
        }
        call
    }

    /// Switches to the other form, because a real dnsmasq has used it.
    pub(super) fn correct(&mut self) {
        self.form = match self.form {
            LongIds::Whole => LongIds::Cut,
            LongIds::Cut => LongIds::Whole,
        };
        if self.source == Source::Scenario {
            self.source = Source::Contradicted;
        }
    }

    /// Whether the real dnsmasq contradicts the scenario.
    pub(super) fn contradict_the_scenario(self) -> bool {
        self.source == Source::Contradicted
    }
}
