//! Scripts that run in process.

use std::sync::Arc;

use lease_script::{Call, Config, IntentLog, Nvram, Outcome};

use super::external_script::ExternalScript;
use super::naive;

/// A script that runs in process.
#[derive(Clone, Debug)]
pub enum Function {
    /// `lease-update` with this configuration.
    LeaseUpdate(Config),
    /// The naive script, modelled on that of 2006.
    Naive,
    /// A function without an intent log.
    Custom(fn(&Call, &mut dyn Nvram) -> Outcome),
    /// A function with an intent log in RAM.
    CustomWithLog(fn(&Call, &mut dyn Nvram, &mut dyn IntentLog) -> Outcome),
    /// An external script.
    Process(Arc<ExternalScript>),
}

impl Function {
    /// Makes one call.
    pub fn invoke(
        &self,
        call: &Call,
        nvram: &mut dyn Nvram,
        intent_log: &mut dyn IntentLog,
    ) -> Outcome {
        match self {
            Self::LeaseUpdate(config) => lease_script::run(call, config, nvram, intent_log),
            Self::Naive => naive::run(call, nvram),
            Self::Custom(script) => script(call, nvram),
            Self::CustomWithLog(script) => script(call, nvram, intent_log),
            Self::Process(_) => {
                let stderr = b"an external script cannot be called as a function\n".to_vec();
                Outcome { stdout: Vec::new(), stderr, exit: u8::MAX, killed: false }
            }
        }
    }
}
