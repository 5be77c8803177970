//! The interface of a router on which a lease script runs.

use std::any::Any;
use std::borrow::Cow;

use nvram_emu::Machine;

use super::call::{CallOptions, CallResult, CommandResult};
use super::daemon::Daemon;
use super::error::BackendError;
use super::router_files::RouterFiles;
use dnsmasq_model::{Clock, ScriptCall};

/// A router on which a lease script runs.
pub trait Backend {
    /// Calls the script, and waits until it has ended.
    ///
    /// # Errors
    /// If the script could not be started.
    fn call(
        &mut self,
        call: &ScriptCall,
        options: &CallOptions,
    ) -> Result<CallResult, BackendError>;

    /// Runs an `nvram` command outside of a script call, as another program on the router does.
    ///
    /// # Errors
    /// If the command could not be started.
    fn nvram(&mut self, arguments: &[&[u8]]) -> Result<CommandResult, BackendError>;

    /// Cuts the power: every process ends and the contents of RAM are lost.
    ///
    /// # Errors
    /// If the back end cannot write its own files.
    fn power_off(&mut self) -> Result<(), BackendError>;

    /// The current contents of flash and RAM.
    ///
    /// # Errors
    /// If the back end cannot read its own files.
    fn machine(&mut self) -> Result<Cow<'_, Machine>, BackendError>;

    /// Replaces the contents of flash and RAM, as a damaged flash does.
    ///
    /// # Errors
    /// If the back end cannot write its own files.
    fn replace(&mut self, machine: Machine) -> Result<(), BackendError>;

    /// Sets the clocks that scripts see from now on.
    fn set_clock(&mut self, _clock: Clock) {}

    /// Writes a file of the router, with the folders above it; `None` removes it.
    ///
    /// # Errors
    /// [`BackendError::Message`] if the router cannot have a file at this path; another error if the back end cannot write
    /// its own files.
    fn write_file(&mut self, path: &str, contents: Option<&[u8]>) -> Result<(), BackendError>;

    /// The contents of a file of the router; `None` if there is none.
    ///
    /// # Errors
    /// See [`Backend::write_file`].
    fn read_file(&mut self, path: &str) -> Result<Option<Vec<u8>>, BackendError>;

    /// The files of the router, besides its flash; none if the back end has none, or cannot list them.
    ///
    /// # Errors
    /// If the back end cannot read its own files.
    fn files(&mut self) -> Result<RouterFiles, BackendError> {
        Ok(RouterFiles::default())
    }

    /// The output of `init`, if it can be obtained without side effects.
    fn peek_init(&self) -> Option<Vec<u8>> {
        None
    }

    /// This back end as [`Any`], for callers that need its concrete type. `None` for types with borrowed contents.
    fn as_any(&self) -> Option<&dyn Any> {
        None
    }

    /// The real dnsmasq of this back end, if it has one.
    fn daemon(&mut self) -> Option<&mut dyn Daemon> {
        None
    }
}
