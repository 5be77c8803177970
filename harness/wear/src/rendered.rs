//! A store of real calls: what the counting_store only counts is put into words, and carried out.

use std::collections::HashMap;

use super::commit_cost::CommitCost;
use super::cost_model::CostModel;
use super::simulate::{Broken, Store};
use super::tally::Wear;
use backend::{Backend, CallEnd, CallOptions, CallResult};
use dnsmasq_model::{CallSink, PendingCall, ScriptCall};

/// Calls carried out on a target.
pub struct Rendered<'a> {
    cost_model: &'a CostModel,
    target: &'a mut dyn Backend,
    script: Vec<u8>,
    stored: HashMap<Vec<u8>, Vec<u8>>,
    content: u64,
    now: u64,
    failed: Option<Broken>,
    wear: Wear,
}

impl<'a> Rendered<'a> {
    /// A store on `target`, a router as `cost_model` has it.
    pub fn new(cost_model: &'a CostModel, target: &'a mut dyn Backend, seconds: u64) -> Self {
        let blocks = cost_model.machine().flash().geometry().blocks() as usize;
        Self {
            cost_model,
            target,
            script: b"script".to_vec(),
            stored: HashMap::new(),
            content: cost_model.base(),
            now: 0,
            failed: None,
            wear: Wear::new(blocks, seconds),
        }
    }

    /// The counts.
    ///
    /// # Errors
    /// The first `init` that failed, or what the target had against a call.
    pub fn finish(mut self) -> Result<Wear, Broken> {
        if let Some(broken) = self.failed {
            return Err(broken);
        }
        self.wear.lost = lost(self.cost_model, self.target)?;
        Ok(self.wear)
    }

    /// Carries out one call at this second of the simulated time; returns what it printed. One that fails is counted: a
    /// full NVRAM ends no life.
    pub fn perform(&mut self, call: &ScriptCall) -> Vec<u8> {
        if self.failed.is_some() {
            return Vec::new();
        }
        match self.target.call(call, &CallOptions::default()) {
            Err(error) => {
                self.failed = Some(Broken::Target(error));
                Vec::new()
            }
            Ok(result) => {
                if result.end != CallEnd::Exited(0) {
                    self.fail(call, &result);
                }
                self.wear.calls += 1;
                self.wear.commands += result.commands.len() as u64;
                for command in &result.commands {
                    self.follow(command);
                }
                let flash = self.cost_model.machine().flash();
                let image = self.cost_model.image(self.content);
                let price =
                    CommitCost::of(&result.operations, flash.geometry(), flash.chip(), &image);
                self.wear.operations(&price, &result.operations, self.now);
                result.stdout
            }
        }
    }

    /// A call that did not end with 0; a script that never worked is not counted any further.
    fn fail(&mut self, call: &ScriptCall, result: &CallResult) {
        self.wear.failed += 1;
        if self.wear.calls > 0 && call.action() != b"init" {
            return;
        }
        let words: Vec<_> =
            call.argv.iter().skip(1).map(|word| word.escape_ascii().to_string()).collect();
        let said = String::from_utf8_lossy(&result.stderr).trim_end().to_owned();
        let text = format!("`{}` ended with {:?}: {said}", words.join(" "), result.end);
        self.failed = Some(Broken::Script(text));
    }

    /// Stores variables `name=value` that were there before anything is counted.
    ///
    /// # Errors
    /// What the target has against it.
    pub fn found(&mut self, variables: &[Vec<u8>]) -> Result<(), Broken> {
        let payload = self.wear.payload;
        for variable in variables {
            self.target.nvram(&[b"set", variable]).map_err(Broken::Target)?;
            self.follow(&[b"set".to_vec(), variable.clone()]);
        }
        self.target.nvram(&[b"commit"]).map_err(Broken::Target)?;
        self.wear.payload = payload;
        Ok(())
    }

    /// Keeps account of the variables that a command changes.
    fn follow(&mut self, command: &[Vec<u8>]) {
        let [word, argument] = command else { return };
        let size = |name: &[u8], value: &[u8]| (name.len() + value.len() + 2) as u64;
        match word.as_slice() {
            b"set" => {
                let Some(eq) = argument.iter().position(|byte| *byte == b'=') else { return };
                let (name, value) = (&argument[..eq], &argument[eq + 1..]);
                let old = self.stored.insert(name.to_vec(), value.to_vec());
                if old.as_deref() != Some(value) {
                    self.wear.payload += size(name, value);
                    self.content += size(name, value);
                    self.content -= old.map_or(0, |old| size(name, &old));
                }
            }
            b"unset" => {
                if let Some(old) = self.stored.remove(argument) {
                    self.wear.payload += size(argument, &old);
                    self.content -= size(argument, &old);
                }
            }
            _ => {}
        }
    }
}

impl CallSink for Rendered<'_> {
    fn call(&mut self, call: &PendingCall<'_>) {
        self.perform(&call.render());
    }
}

impl Store for Rendered<'_> {
    fn at(&mut self, second: u64) {
        self.now = second;
    }

    fn init(&mut self) -> Result<Vec<u8>, Broken> {
        let call = ScriptCall {
            argv: vec![self.script.clone(), b"init".to_vec()],
            ..ScriptCall::default()
        };
        let printed = self.perform(&call);
        match self.failed.take() {
            Some(broken) => Err(broken),
            None => Ok(printed),
        }
    }

    fn power_off(&mut self) -> Result<(), Broken> {
        self.target.power_off().map_err(Broken::Target)
    }
}

/// How many settings of other programs are not in the flash any more.
fn lost(cost_model: &CostModel, target: &mut dyn Backend) -> Result<u64, Broken> {
    let before = cost_model.machine().flash_variables().unwrap_or_default();
    let now: HashMap<_, _> =
        target.machine()?.flash_variables().unwrap_or_default().into_iter().collect();
    Ok(before.iter().filter(|(name, value)| now.get(name) != Some(value)).count() as u64)
}
