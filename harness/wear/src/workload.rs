//! Plays a [`Workload`] on an [`ExecutingStore`].

use std::net::IpAddr;

use dnsmasq_model::{Build, Clock, Engine, InitResult, Message4};
use trace::{Workload, WorkloadEvent};

use super::executing_store::ExecutingStore;
use super::lease_store::{LeaseStore as _, SimulationError};
use super::simulate::MONO_AT_START;

/// Plays the events of a workload. Calls of the script, from dnsmasq or from the workload itself, go to `store`.
///
/// # Errors
/// Returns an error if the back end fails or dnsmasq does not start.
pub(crate) fn play(
    workload: &Workload,
    build: Build,
    store: &mut ExecutingStore<'_>,
) -> Result<(), SimulationError> {
    let mut engine = Engine::with_network(build, workload.server.clone(), workload.network.clone());
    let mut booted = 0;
    for (second, event) in &workload.events {
        let since_boot = *second as i64 - booted as i64;
        let clock =
            Clock { wall: workload.begin + *second as i64, mono: MONO_AT_START + since_boot };
        store.set_time(*second, clock);
        if engine.is_running() {
            engine.advance_to(clock, store);
        }
        match event {
            WorkloadEvent::Call(call) => {
                store.execute(call);
            }
            WorkloadEvent::Start => {
                let printed = store.init()?;
                engine
                    .start(clock, &InitResult::ok(printed), store)
                    .map_err(SimulationError::Start)?;
            }
            WorkloadEvent::Message { client, kind, addr, reply } => {
                let message = Message4 { kind: *kind, client, addr: *addr };
                engine.dhcp4(message, *reply, clock, store);
            }
            WorkloadEvent::Stored(variables) => store.store_uncounted(variables)?,
            WorkloadEvent::Neighbour { addr, hw, added: true } => {
                engine.add_neighbour(IpAddr::V4(*addr), *hw);
            }
            WorkloadEvent::Neighbour { addr, .. } => engine.remove_neighbour(IpAddr::V4(*addr)),
            WorkloadEvent::Message6 { client, kind, asked, reply } => {
                engine.dhcp6(*kind, client, asked, reply, clock, store);
            }
            WorkloadEvent::Sighup => engine.sighup(clock, store),
            WorkloadEvent::PowerOff => {
                engine.kill();
                booted = *second;
                store.power_off()?;
            }
        }
    }
    Ok(())
}
