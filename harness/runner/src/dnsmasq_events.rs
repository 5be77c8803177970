//! What happens to dnsmasq in a session: start, signals, the passage of time, and changes of its files.

use super::comparison::Comparison;
use super::history::{DaemonEvent, EventKind};
use super::router::Ending;
use super::session::Session;
use backend::{BackendError, CallEnd};
use dnsmasq_model::{InitResult, InitStatus, StartFailure};
use scenario::Invariant;

impl Session<'_> {
    /// dnsmasq starts: it calls `init`, and reads what `init` prints.
    ///
    /// # Errors
    /// When the back end fails.
    pub(super) fn start_dnsmasq(&mut self) -> Result<(), BackendError> {
        self.record(EventKind::Dnsmasq(DaemonEvent::Start));
        self.comparison.start(&mut self.router)?;
        if let Err(failure) = self.router.engine().check_configuration() {
            return self.start_failed(&failure);
        }
        let Some(mut init) = self.router.engine().init_call() else {
            self.judge.dnsmasq_keeps_its_own_file();
            return self.run(None);
        };
        let Some(result) = self.perform(std::slice::from_mut(&mut init))? else { return Ok(()) };
        let code = match result.end {
            CallEnd::Exited(code) => code as u8,
            CallEnd::PowerLost => return Ok(()),
            CallEnd::Killed(signal) => 128 + signal as u8,
            CallEnd::TimedOut => 128 + 9,
        };
        if code == 0 {
            let clock = self.router.clocks.now();
            self.judge.start_output(self.router.engine(), clock, &result.stdout);
        } else {
            let text = format!("init exited with {code}");
            self.judge.findings.broken(Invariant::Parsability, text);
        }
        self.judge.dnsmasq_started();
        self.run(Some(InitResult { stdout: result.stdout, status: InitStatus::Code(code) }))
    }

    /// dnsmasq reads its leases: from the output of `init`, or from its own lease file.
    fn run(&mut self, init: Option<InitResult>) -> Result<(), BackendError> {
        let init = init.unwrap_or_else(|| InitResult::ok(""));
        let mut calls = Vec::new();
        let clock = self.router.clocks.now();
        self.router.server.forget_declined();
        match self.router.engine_mut().start(clock, &init, &mut calls) {
            Ok(()) => {
                self.watched.clear();
                self.watch_folders();
                self.perform_all(calls)?;
                self.comparison.check_names(&mut self.router, &mut self.judge.findings)
            }
            Err(failure) => self.start_failed(&failure),
        }
    }

    fn start_failed(&mut self, failure: &StartFailure) -> Result<(), BackendError> {
        let status = failure.status();
        self.step.dnsmasq_exit = Some(status);
        self.record(EventKind::Dnsmasq(DaemonEvent::Exit(status)));
        self.comparison.ended(&mut self.router, &mut self.judge.findings, status)
    }

    /// Reports a real dnsmasq that did not start, where the scenario does not expect it.
    pub(super) fn report_failed_start(&mut self) {
        if let Some(status) = self.step.dnsmasq_exit {
            let findings = &mut self.judge.findings;
            Comparison::report_failed_start(&mut self.router, findings, status);
        }
    }

    /// Time passes, and dnsmasq gets the alarms that fall due.
    ///
    /// # Errors
    /// When the back end fails.
    pub(super) fn pass(&mut self, seconds: i64) -> Result<(), BackendError> {
        if !self.router.is_on() {
            self.router.clocks.pass_off(seconds);
            return Ok(());
        }
        let end = self.router.clocks.mono() + seconds;
        while let Some(alarm) = self.router.engine().next_alarm().filter(|alarm| *alarm <= end) {
            self.router.clocks.pass((alarm - self.router.clocks.mono()).max(0));
            let mut calls = Vec::new();
            let clock = self.router.clocks.now();
            self.router.engine_mut().sigalrm(clock, &mut calls);
            self.sync_clock()?;
            self.comparison.sigalrm(&mut self.router)?;
            self.perform_all(calls)?;
            if !self.router.is_on() {
                return Ok(());
            }
        }
        self.router.clocks.pass(end - self.router.clocks.mono());
        self.sync_clock()?;
        self.wait_until_idle()
    }

    /// Passes the clocks on to a real dnsmasq after they have changed.
    ///
    /// # Errors
    /// When the back end fails.
    pub(super) fn sync_clock(&mut self) -> Result<(), BackendError> {
        self.comparison.sync_clock(&mut self.router)
    }

    /// dnsmasq gets SIGHUP.
    ///
    /// # Errors
    /// When the back end fails.
    pub(super) fn sighup(&mut self) -> Result<(), BackendError> {
        self.record(EventKind::Dnsmasq(DaemonEvent::Sighup));
        let mut calls = Vec::new();
        let clock = self.router.clocks.now();
        self.router.engine_mut().sighup(clock, &mut calls);
        self.watch_folders();
        self.comparison.sighup(&mut self.router)?;
        self.perform_all(calls)
    }

    /// A file is written, or removed (`None`). dnsmasq reads it at once if it lies in a `--dhcp-hostsdir`.
    ///
    /// # Errors
    /// A path at which there can be no file, or a back end that fails.
    pub(super) fn write_file(
        &mut self,
        path: &str,
        contents: Option<Vec<u8>>,
    ) -> Result<(), BackendError> {
        self.router.backend.write_file(path, contents.as_deref())?;
        let mut calls = Vec::new();
        let clock = self.router.clocks.now();
        let dirs = &self.router.engine().config().hosts_dirs;
        let is_in = |dir: &&String| {
            path.strip_prefix(dir.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        if dirs.iter().filter(is_in).all(|dir| self.watched.contains(dir)) {
            self.router.engine_mut().set_file(path, contents, clock, &mut calls);
        } else {
            self.router.engine_mut().store_file(path, contents);
        }
        self.perform_all(calls)
    }

    /// inotify.c `set_dynamic_inotify`: at its start and at SIGHUP, dnsmasq begins to watch the folders that exist.
    fn watch_folders(&mut self) {
        let engine = self.router.engine();
        let dirs = engine.config().hosts_dirs.iter().filter(|dir| engine.has_files_in(dir));
        self.watched.extend(dirs.cloned());
    }

    /// dnsmasq ends, the power stays on.
    ///
    /// # Errors
    /// When the back end fails.
    pub(super) fn stop_dnsmasq(&mut self, ending: Ending) -> Result<(), BackendError> {
        let ran = self.router.engine().is_running();
        if ran {
            self.record(EventKind::Dnsmasq(match ending {
                Ending::Terminated => DaemonEvent::Terminated,
                Ending::Killed => DaemonEvent::Killed,
            }));
        }
        let mut calls = Vec::new();
        let clock = self.router.clocks.now();
        let engine = self.router.engine_mut();
        let call_time = engine.remaining_call_time(clock.mono);
        match ending {
            Ending::Terminated => engine.stop(clock, &mut calls),
            Ending::Killed => engine.kill_main_process(&mut calls),
        }
        if !ran {
            return Ok(());
        }
        self.perform_all(calls)?;
        if self.router.is_on() {
            self.router.clocks.pass(call_time);
        }
        self.comparison.stop(&mut self.router, &mut self.judge.findings, ending)
    }
}
