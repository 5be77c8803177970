//! A step that replays a journal of ISC dhcpd.

use std::path::Path;

use super::case_error::CaseError;
use super::session::Session;
use dnsmasq_model::Message4;
use scenario::{Case, Journal};
use trace::{WorkloadEvent, from_journal, generations, message, server_of};

/// Starts dnsmasq with ranges that contain the journal's addresses, then replays its events with the time between them.
///
/// # Errors
/// A journal that cannot be read or has no lease, or a back end that fails.
pub(super) fn replay(
    case: &Case,
    session: &mut Session<'_>,
    journal: &Journal,
) -> Result<(), CaseError> {
    let span = journal.path.span();
    let fault = |message: String| CaseError::from(case.error(span.clone(), message));
    let folder = case.source.path.parent().unwrap_or(Path::new("."));
    let found = generations(&[folder.join(journal.path.get_ref())])
        .map_err(|error| fault(error.to_string()))?;
    let events = from_journal(&found).events;
    let Some(first) = events.first() else {
        return Err(fault("this journal contains no lease".to_owned()));
    };
    let (config, network) = server_of(&events).map_err(|error| fault(error.to_string()))?;
    session.router.engine_mut().kill();
    session.router.engine_mut().set_config(config);
    session.router.engine_mut().set_network(network);
    session.start_dnsmasq()?;
    let end = journal.time.map(|time| first.time.saturating_add(time.0 as i64));
    let mut now = first.time;
    for event in events.iter().take_while(|event| end.is_none_or(|end| event.time <= end)) {
        session.pass(event.time - now)?;
        now = event.time;
        let clock = session.router.clocks.now();
        let mut calls = Vec::new();
        match message(event) {
            Some(WorkloadEvent::Message { client, kind, addr, reply }) => {
                let message = Message4 { kind, client: &client, addr };
                session.router.engine_mut().dhcp4(message, reply, clock, &mut calls);
            }
            Some(WorkloadEvent::Message6 { client, kind, asked, reply }) => {
                session.router.engine_mut().dhcp6(kind, &client, &asked, &reply, clock, &mut calls);
            }
            _ => {}
        }
        session.perform_all(calls)?;
    }
    Ok(())
}
