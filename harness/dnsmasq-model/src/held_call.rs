//! Waiting calls, each with a copy of its data.

use std::net::IpAddr;

use super::call::Action;
use super::call_sink::CallSink;
use super::hw_addr::HwAddr;
use super::lease::Lease;
use super::pending_call::{CallContext, PendingCall, Subject};
use super::stale_buffers::StaleBuffers;
use super::text::Text;

/// A waiting call: in dnsmasq's buffer until SIGTERM (2.48, 2.74), or in the pipe to the helper while the script runs.
#[derive(Debug, Clone)]
pub(crate) struct HeldCall {
    action: Action,
    subject: HeldSubject,
    stale: StaleBuffers,
    now: i64,
}

#[derive(Debug, Clone)]
enum HeldSubject {
    Lease(Box<Lease>, Option<Text>),
    Neighbour(HwAddr, IpAddr),
    Transfer(u64, IpAddr, Vec<u8>),
}

impl HeldCall {
    pub(crate) fn of(call: &PendingCall<'_>) -> HeldCall {
        let subject = match call.subject {
            Subject::Lease { lease, name } => {
                HeldSubject::Lease(Box::new(lease.clone()), name.cloned())
            }
            Subject::Neighbour { hw, addr } => HeldSubject::Neighbour(*hw, addr),
            Subject::Transfer { size, client, path } => {
                HeldSubject::Transfer(size, client, path.to_vec())
            }
        };
        HeldCall { action: call.action, subject, stale: call.stale.clone(), now: call.now }
    }

    /// Makes the call.
    pub(crate) fn make(&self, context: &CallContext, sink: &mut impl CallSink) {
        let subject = match &self.subject {
            HeldSubject::Lease(lease, name) => Subject::Lease { lease, name: name.as_ref() },
            HeldSubject::Neighbour(hw, addr) => Subject::Neighbour { hw, addr: *addr },
            HeldSubject::Transfer(size, client, path) => {
                Subject::Transfer { size: *size, client: *client, path }
            }
        };
        let HeldCall { action, stale, now, .. } = self;
        sink.call(&PendingCall { action: *action, subject, context, stale, now: *now });
    }
}
