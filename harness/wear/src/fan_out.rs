//! Several ledgers for one life: of scripts that store the same and differ in what they pay for it.

use super::counting_store::CountingStore;
use super::simulate::{Broken, Store};
use dnsmasq_model::{CallSink, PendingCall};

/// Ledgers that all are told of each call.
pub(super) struct FanOut<'a>(pub(super) Vec<CountingStore<'a>>);

impl CallSink for FanOut<'_> {
    fn call(&mut self, call: &PendingCall<'_>) {
        self.0.iter_mut().for_each(|counting_store| counting_store.call(call));
    }

    fn wants_rendering(&self) -> bool {
        false
    }
}

impl Store for FanOut<'_> {
    fn at(&mut self, second: u64) {
        self.0.iter_mut().for_each(|counting_store| counting_store.at(second));
    }

    fn init(&mut self) -> Result<Vec<u8>, Broken> {
        let mut printed = None;
        for counting_store in &mut self.0 {
            let text = counting_store.init()?;
            if printed.replace(text.clone()).is_some_and(|other| other != text) {
                return Err(Broken::Script("scripts that store the same do not".to_owned()));
            }
        }
        Ok(printed.unwrap_or_default())
    }

    fn power_off(&mut self) -> Result<(), Broken> {
        self.0.iter_mut().try_for_each(Store::power_off)
    }
}
