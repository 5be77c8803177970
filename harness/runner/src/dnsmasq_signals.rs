//! The signals that a script sends to dnsmasq in its calls. dnsmasq does not wait for its script: it handles a signal
//! while a call runs, and makes the resulting calls after those that are already waiting.

use super::finding_kind::FindingKind;
use super::router::Ending;
use super::session::Session;
use super::severity::Severity;
use super::tally::call_text;
use backend::{BackendError, CallResult, DnsmasqSignal};
use dnsmasq_model::ScriptCall;

/// How often the calls that follow from a signal may cause another one.
const MAX_IN_A_ROW: u32 = 5;

impl Session<'_> {
    /// Takes note of the signals of a call.
    pub(super) fn signals_sent(&mut self, call: &ScriptCall, result: &CallResult) {
        for signal in &result.signals {
            if *signal == DnsmasqSignal::Terminate {
                let text = format!(
                    "`{}` restarts dnsmasq: the new dnsmasq calls `init` while the old one may still make calls, whose \
                     leases it does not learn",
                    call_text(call)
                );
                self.judge.findings.add_with_severity(FindingKind::Signals, Severity::Risk, text);
            }
            if self.signals.waiting != Some(DnsmasqSignal::Terminate) {
                self.signals.waiting = Some(*signal);
            }
        }
    }

    /// dnsmasq handles the signal that the calls have sent to it.
    ///
    /// # Errors
    /// When the back end fails.
    pub(super) fn handle_signals(&mut self) -> Result<(), BackendError> {
        let Some(signal) = self.signals.waiting.take() else { return Ok(()) };
        if !self.router.is_on() || !self.router.engine().is_running() || self.signals.are_endless {
            return Ok(());
        }
        if self.signals.in_a_row == MAX_IN_A_ROW {
            self.signals.are_endless = true;
            let text = "each time that dnsmasq calls the script for all leases, the script signals or restarts \
                        dnsmasq again, endlessly";
            self.judge.findings.add(FindingKind::Signals, text);
            return Ok(());
        }
        self.signals.in_a_row += 1;
        let handled = match signal {
            DnsmasqSignal::Reload => self.sighup(),
            DnsmasqSignal::Terminate => {
                self.stop_dnsmasq(Ending::Terminated).and_then(|()| self.start_dnsmasq())
            }
        };
        self.signals.in_a_row -= 1;
        handled
    }
}
