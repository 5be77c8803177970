//! Shares one simulation among several counting stores, for scripts that store the same leases at different costs.

use super::counting_store::CountingStore;
use super::lease_store::{LeaseStore, SimulationError};
use dnsmasq_model::{CallSink, Clock, PendingCall};

/// Forwards each call to every store.
pub(super) struct FanOut<'a>(pub(super) Vec<CountingStore<'a>>);

impl CallSink for FanOut<'_> {
    fn call(&mut self, call: &PendingCall<'_>) {
        self.0.iter_mut().for_each(|store| store.call(call));
    }

    fn wants_rendering(&self) -> bool {
        false
    }
}

impl LeaseStore for FanOut<'_> {
    fn set_time(&mut self, second: u64, clock: Clock) {
        self.0.iter_mut().for_each(|store| store.set_time(second, clock));
    }

    fn init(&mut self) -> Result<Vec<u8>, SimulationError> {
        let mut printed = None;
        for store in &mut self.0 {
            let text = store.init()?;
            if printed.replace(text.clone()).is_some_and(|other| other != text) {
                return Err(SimulationError::Diverged);
            }
        }
        Ok(printed.unwrap_or_default())
    }

    fn power_off(&mut self) -> Result<(), SimulationError> {
        self.0.iter_mut().try_for_each(LeaseStore::power_off)
    }
}
