//! A store that executes every call on a back end.

use std::collections::HashMap;

use super::commit_cost::CommitCost;
use super::cost_model::CostModel;
use super::lease_store::{LeaseStore, SimulationError};
use super::wear_counts::WearCounts;
use backend::{Backend, CallEnd, CallOptions, CallResult};
use dnsmasq_model::{CallSink, Clock, PendingCall, ScriptCall};
use runner::{NamePattern, stderr_lines};

/// Executes every call on a back end and counts its commands and flash operations.
pub struct ExecutingStore<'a> {
    cost_model: &'a CostModel,
    backend: &'a mut dyn Backend,
    /// The variables that commands have set.
    variables: HashMap<Vec<u8>, Vec<u8>>,
    /// Bytes of all variables.
    content: u64,
    now: u64,
    /// The variables that belong to the script.
    owns: Vec<NamePattern>,
    /// The error that stopped the simulation.
    error: Option<SimulationError>,
    wear: WearCounts,
}

impl<'a> ExecutingStore<'a> {
    /// Creates a store on `backend`, which must run the router of `cost_model`.
    pub fn new(cost_model: &'a CostModel, backend: &'a mut dyn Backend, seconds: u64) -> Self {
        let blocks = cost_model.machine().flash().geometry().blocks() as usize;
        Self {
            cost_model,
            backend,
            variables: HashMap::new(),
            content: cost_model.base(),
            now: 0,
            owns: Vec::new(),
            error: None,
            wear: WearCounts::new(blocks, seconds),
        }
    }

    /// Sets the patterns of the variables that belong to the script.
    #[must_use]
    pub fn owning(self, owns: Vec<NamePattern>) -> Self {
        Self { owns, ..self }
    }

    /// Returns the counts.
    ///
    /// # Errors
    /// Returns the error that stopped the simulation, or an error if the back end fails.
    pub fn finish(mut self) -> Result<WearCounts, SimulationError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.wear.lost = lost_settings(self.cost_model, self.backend, &self.owns)?;
        Ok(self.wear)
    }

    /// Executes one call and returns its standard output. A failed call is counted and does not end the simulation,
    /// because an NVRAM may be full for a while.
    pub fn execute(&mut self, call: &ScriptCall) -> Vec<u8> {
        if self.error.is_some() {
            return Vec::new();
        }
        match self.backend.call(call, &CallOptions::default()) {
            Err(error) => {
                self.error = Some(SimulationError::Backend(error));
                Vec::new()
            }
            Ok(result) => {
                if result.end != CallEnd::Exited(0) {
                    self.count_failure(call, &result);
                }
                self.wear.calls += 1;
                self.wear.commands += result.commands.len() as u64;
                for command in &result.commands {
                    command.commands().for_each(|command| self.track(command));
                }
                let flash = self.cost_model.machine().flash();
                let image = self.cost_model.image(self.content);
                let cost =
                    CommitCost::of(&result.operations, flash.geometry(), flash.chip(), &image);
                self.wear.add_operations(&cost, &result.operations, self.now);
                result.stdout
            }
        }
    }

    /// Counts a failed call. If it is the first call or a call of `init`, the simulation ends.
    fn count_failure(&mut self, call: &ScriptCall, result: &CallResult) {
        self.wear.failed += 1;
        if self.wear.calls > 0 && call.action() != b"init" {
            return;
        }
        let arguments: Vec<_> =
            call.argv.iter().skip(1).map(|argument| argument.escape_ascii().to_string()).collect();
        let stderr = stderr_lines(&result.stderr).join("; ");
        let message = format!(
            "`{}` ended with {}: {stderr}",
            arguments.join(" "),
            runner::end_text(result.end)
        );
        self.error = Some(SimulationError::Script(message));
    }

    /// Stores variables, given as `name=value`, without counting the writes.
    ///
    /// # Errors
    /// Returns an error if the back end fails.
    pub(crate) fn store_uncounted(&mut self, variables: &[Vec<u8>]) -> Result<(), SimulationError> {
        let payload = self.wear.payload;
        for variable in variables {
            self.backend.nvram(&[b"set", variable]).map_err(SimulationError::Backend)?;
            self.track(&[b"set".to_vec(), variable.clone()]);
        }
        self.backend.nvram(&[b"commit"]).map_err(SimulationError::Backend)?;
        self.wear.payload = payload;
        Ok(())
    }

    /// Tracks the variables that a command changes.
    fn track(&mut self, command: &[Vec<u8>]) {
        let [name, argument] = command else { return };
        let size = |name: &[u8], value: &[u8]| (name.len() + value.len() + 2) as u64;
        match name.as_slice() {
            b"set" => {
                let Some(eq) = argument.iter().position(|byte| *byte == b'=') else { return };
                let (name, value) = (&argument[..eq], &argument[eq + 1..]);
                let old = self.variables.insert(name.to_vec(), value.to_vec());
                if old.as_deref() != Some(value) {
                    self.wear.payload += size(name, value);
                    self.content += size(name, value);
                    self.content -= old.map_or(0, |old| size(name, &old));
                }
            }
            b"unset" => {
                if let Some(old) = self.variables.remove(argument) {
                    self.wear.payload += size(argument, &old);
                    self.content -= size(argument, &old);
                }
            }
            _ => {}
        }
    }
}

impl CallSink for ExecutingStore<'_> {
    fn call(&mut self, call: &PendingCall<'_>) {
        self.execute(&call.render());
    }
}

impl LeaseStore for ExecutingStore<'_> {
    fn set_time(&mut self, second: u64, clock: Clock) {
        self.now = second;
        self.backend.set_clock(clock);
    }

    fn init(&mut self) -> Result<Vec<u8>, SimulationError> {
        let call = ScriptCall {
            argv: vec![b"script".to_vec(), b"init".to_vec()],
            ..ScriptCall::default()
        };
        let printed = self.execute(&call);
        match self.error.take() {
            Some(error) => Err(error),
            None => Ok(printed),
        }
    }

    fn power_off(&mut self) -> Result<(), SimulationError> {
        self.backend.power_off().map_err(SimulationError::Backend)
    }
}

/// Returns the number of settings of other programs that are missing or changed in the flash.
fn lost_settings(
    cost_model: &CostModel,
    backend: &mut dyn Backend,
    owns: &[NamePattern],
) -> Result<u64, SimulationError> {
    let before = cost_model.machine().flash_variables().unwrap_or_default();
    let now: HashMap<_, _> =
        backend.machine()?.flash_variables().unwrap_or_default().into_iter().collect();
    let is_setting = |name: &[u8]| !owns.iter().any(|pattern| pattern.matches(name));
    let lost = before.iter().filter(|(name, value)| now.get(name) != Some(value));
    Ok(lost.filter(|(name, _)| is_setting(name)).count() as u64)
}
