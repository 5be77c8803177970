//! The router under test: its back end, the modelled dnsmasq, its clocks and its power supply.

use std::borrow::Cow;

use super::clocks::Clocks;
use super::configuration::Configuration;
use backend::{Backend, BackendError};
use dnsmasq_model::{Build, Engine, Server};
use nvram_emu::Machine;

/// Whether the router is powered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    /// Processes run, RAM holds its contents.
    On,
    /// Only the flash and the true time exist.
    Off,
}

/// How dnsmasq ends while the power stays on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// By SIGTERM.
    Terminated,
    /// By SIGKILL.
    Killed,
}

/// The router.
pub(super) struct Router<'a> {
    /// Runs the script calls.
    pub(super) backend: &'a mut dyn Backend,
    /// The modelled dnsmasq.
    pub(super) server: Server,
    /// dnsmasq's command line.
    pub(super) command_line: Vec<String>,
    pub(super) clocks: Clocks,
    pub(super) power: Power,
}

impl<'a> Router<'a> {
    /// A router that is off.
    pub(super) fn new(
        backend: &'a mut dyn Backend,
        engine: Engine,
        command_line: Vec<String>,
        clocks: Clocks,
    ) -> Self {
        Self { backend, server: Server::new(engine), command_line, clocks, power: Power::Off }
    }

    pub(super) fn is_on(&self) -> bool {
        self.power == Power::On
    }

    pub(super) fn engine(&self) -> &Engine {
        self.server.engine()
    }

    pub(super) fn engine_mut(&mut self) -> &mut Engine {
        self.server.engine_mut()
    }

    /// Changes the configuration of dnsmasq, which must not be running. Its files stay.
    pub(super) fn configure(&mut self, build: Build, configuration: Configuration) {
        let Configuration { config, network, command_line } = configuration;
        let engine = self.server.engine_mut();
        engine.set_build(build);
        engine.set_config(config);
        engine.set_network(network);
        self.command_line = command_line;
    }

    /// Flash and RAM.
    pub(super) fn machine(&mut self) -> Result<Cow<'_, Machine>, BackendError> {
        self.backend.machine()
    }
}
