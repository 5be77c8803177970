//! Plays a [`Workload`] on a store of real calls.

use std::net::IpAddr;

use dnsmasq_model::{Build, Clock, Engine, InitResult, Message4};
use trace::{Workload, WorkloadEvent};

use super::rendered::Rendered;
use super::simulate::{Broken, MONO_AT_START, Store as _};

/// Makes it happen, on a store of real calls.
///
/// # Errors
/// A target that fails, a dnsmasq that does not start.
pub(crate) fn play(
    workload: &Workload,
    build: Build,
    store: &mut Rendered<'_>,
) -> Result<(), Broken> {
    let mut engine = Engine::on(build, workload.server.clone(), workload.network.clone());
    let mut booted = 0;
    for (second, event) in &workload.events {
        let since_boot = *second as i64 - booted as i64;
        let clock =
            Clock { wall: workload.begin + *second as i64, mono: MONO_AT_START + since_boot };
        store.at(*second);
        if engine.is_running() {
            engine.advance_to(clock, store);
        }
        match event {
            WorkloadEvent::Call(call) => {
                store.perform(call);
            }
            WorkloadEvent::Start => {
                let printed = store.init()?;
                engine.start(clock, &InitResult::ok(printed), store).map_err(Broken::Start)?;
            }
            WorkloadEvent::Message { client, kind, addr, reply } => {
                let message = Message4 { kind: *kind, client, addr: *addr };
                engine.dhcp4(message, *reply, clock, store);
            }
            WorkloadEvent::Found(variables) => store.found(variables)?,
            WorkloadEvent::Neighbour { addr, hw, there: true } => {
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
