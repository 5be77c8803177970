//! Access to NVRAM with faults, and with a web page that calls `init` around each command.

use lease_script::{Call, Environment, MemoryIntentLog, Nvram, NvramOutput, OperationError};
use nvram_emu::device::Op;
use nvram_emu::{Exit, Machine};
use scenario::Disturbance;

use super::call::NvramCommand;
use super::fault_injector::{FaultAction, FaultInjector};
use super::function::Function;

/// NVRAM access of a call, with fault injection.
pub(crate) struct FaultyNvram<'a> {
    pub(crate) machine: &'a mut Machine,
    pub(crate) injector: FaultInjector<'a>,
    pub(crate) commands: Vec<NvramCommand>,
    /// The web page that calls `init` around each command, if there is one.
    pub(crate) page: Option<Page<'a>>,
}

/// A web page that calls `init`, and the results of its calls: output and exit code.
pub(crate) struct Page<'a> {
    pub(crate) script: &'a Function,
    pub(crate) seen: Vec<(Vec<u8>, Option<i32>)>,
}

impl<'a> FaultyNvram<'a> {
    pub(crate) fn new(machine: &'a mut Machine, disturbance: Option<&'a Disturbance>) -> Self {
        Self {
            machine,
            injector: FaultInjector::new(disturbance, 0),
            commands: Vec::new(),
            page: None,
        }
    }

    /// Records the exit code of the last command.
    fn record_code(&mut self, code: i32) {
        if let Some(last) = self.commands.last_mut() {
            last.code = Some(code);
        }
    }

    fn view_page(&mut self) {
        if let Some(Page { script, seen }) = &mut self.page {
            let mut nvram = FaultyNvram::new(self.machine, None);
            let call = Call::new([b"init".to_vec()], Environment::default());
            let outcome = script.invoke(&call, &mut nvram, &mut MemoryIntentLog::default());
            seen.push((outcome.stdout, Some(i32::from(outcome.exit))));
        }
    }
}

impl Nvram for FaultyNvram<'_> {
    fn run(&mut self, arguments: &[&[u8]]) -> Result<NvramOutput, OperationError> {
        self.view_page();
        let words = arguments.iter().map(|word| word.to_vec()).collect();
        self.commands.push(NvramCommand { arguments: words, code: None });
        let machine = &mut *self.machine;
        let fault = self.injector.next(arguments, || dry_run(machine, arguments));
        match fault {
            FaultAction::Kill(done) => {
                if done > 0
                    && let Exit::Code(code) = machine.run(&arguments[..done]).exit
                {
                    self.record_code(i32::from(code));
                }
                return Err(OperationError::Killed);
            }
            FaultAction::Fail(done) => {
                if done > 0 {
                    machine.run(&arguments[..done]);
                }
                let stderr = b"nvram: made to fail\n".to_vec();
                self.record_code(1);
                return Ok(NvramOutput { stdout: Vec::new(), stderr, code: 1 });
            }
            FaultAction::During(cut) => machine.arm_cut(cut.op, cut.byte),
            FaultAction::None => {}
        }
        let outcome = machine.run(arguments);
        // A cut that this command did not reach must not affect the next one.
        machine.board_mut().flash.arm(None);
        let Exit::Code(code) = outcome.exit else { return Err(OperationError::Killed) };
        self.record_code(i32::from(code));
        self.view_page();
        Ok(NvramOutput { stdout: outcome.stdout, stderr: outcome.stderr, code: i32::from(code) })
    }
}

/// The flash operations that a command would make, without changing the machine.
pub(crate) fn dry_run(machine: &Machine, arguments: &[&[u8]]) -> Vec<Op> {
    let mut fork = machine.clone();
    fork.take_ops();
    fork.run(arguments);
    fork.take_ops()
}
