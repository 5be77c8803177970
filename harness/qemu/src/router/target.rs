//! The router as a [`Backend`].

use std::borrow::Cow;

use nvram_emu::Machine;

use super::lifecycle::Router;
use crate::erase_audit::Ending;
use crate::events::parse_operations;
use crate::guest_files::NVRAM_TOOL;
use crate::shell_quote::shell_quote;
use backend::{Backend, BackendError, CallOptions, CallResult, CommandResult, Daemon, RouterPath};
use dnsmasq_model::ScriptCall;

impl Backend for Router<'_> {
    fn call(&mut self, call: &ScriptCall, plan: &CallOptions) -> Result<CallResult, BackendError> {
        Ok(self.call_directly(call, plan)?)
    }

    fn nvram(&mut self, arguments: &[&[u8]]) -> Result<CommandResult, BackendError> {
        let words: Vec<String> = arguments.iter().map(|word| shell_quote(word)).collect();
        let script = format!(
            ". /lab/settings; export NVRAM_EMU_LOG=/tmp/lab/other; rm -f /tmp/lab/other; {NVRAM_TOOL} {}",
            words.join(" ")
        );
        let guest = self.running_guest()?;
        let output = guest.run(&script)?;
        let log = guest.run_checked("cat /tmp/lab/other 2>/dev/null; :")?;
        let command: Vec<Vec<u8>> = arguments.iter().map(|word| word.to_vec()).collect();
        self.record_commands(&[command], Ending::Completed)?;
        Ok(CommandResult {
            stdout: output.stdout,
            stderr: output.stderr,
            code: Some(output.code),
            operations: parse_operations(&String::from_utf8_lossy(&log)),
        })
    }

    fn power_off(&mut self) -> Result<(), BackendError> {
        self.cut_power()?;
        self.record_commands(&[], Ending::PowerLost)?;
        let flash = self.flash()?;
        self.audit.copy_flash(&flash);
        Ok(())
    }

    fn machine(&mut self) -> Result<Cow<'_, Machine>, BackendError> {
        let staging = match &mut self.guest {
            None => None,
            Some(guest) => {
                let staging = &self.config.staging;
                let output = guest.run(&format!("[ -e {staging} ] && cat {staging}"))?;
                (output.code == 0).then_some(output.stdout)
            }
        };
        let flash = self.flash()?;
        self.template.with_contents(&flash, staging).map(Cow::Owned).ok_or_else(|| {
            BackendError::Broken(
                "the guest's staging file does not contain an nvram image".to_owned(),
            )
        })
    }

    fn write_file(&mut self, path: &str, contents: Option<&[u8]>) -> Result<(), BackendError> {
        RouterPath::parse(path).map_err(BackendError::Message)?;
        let (folder, _) = path.rsplit_once('/').unwrap_or_default();
        let (folder, path) = (shell_quote(folder.as_bytes()), shell_quote(path.as_bytes()));
        let script = match contents {
            Some(contents) => {
                format!("mkdir -p {folder}/ && printf %s {} >{path}", shell_quote(contents))
            }
            None => format!("rm -f {path}"),
        };
        self.running_guest()?.run_checked(&script)?;
        Ok(())
    }

    fn read_file(&mut self, path: &str) -> Result<Option<Vec<u8>>, BackendError> {
        RouterPath::parse(path).map_err(BackendError::Message)?;
        let script = format!("cat {} 2>/dev/null", shell_quote(path.as_bytes()));
        let output = self.running_guest()?.run(&script)?;
        Ok((output.code == 0).then_some(output.stdout))
    }

    fn daemon(&mut self) -> Option<&mut dyn Daemon> {
        Some(self)
    }

    fn replace(&mut self, machine: Machine) -> Result<(), BackendError> {
        if self.guest.is_some() {
            return Err(BackendError::Broken(
                "the flash of a running guest cannot be damaged from outside".to_owned(),
            ));
        }
        Ok(self.write_flash(&machine.flash_bytes())?)
    }
}
