//! Options that several commands share, and what becomes of them.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum as _;

use super::Failure;
use backend::process::{Root, Settings};
use backend::{BackendError, ExternalScript};
use runner::{self, Fault, Options, ScriptChoice, TargetKind};
use scenario::{Case, Overrides};

/// The default of `--timeout`.
const DEFAULT_TIMEOUT_SECONDS: u64 = 20;

/// Options that several commands share.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// The lease script under test, in place of the project's own
    #[arg(long, value_name = "PATH")]
    pub(super) script: Option<PathBuf>,
    /// What runs the script, such as `busybox ash`; default: its own first line decides
    #[arg(long, value_name = "CMD", default_value = "")]
    pub(super) shell: String,
    /// dnsmasq's build: the default one, or with `HAVE_BROKEN_RTC`; default: as the scenario says
    #[arg(long, value_enum)]
    pub(super) rtc: Option<RtcChoice>,
    /// Dialects of the nvram tool; default: as the scenario says
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    dialect: Vec<String>,
    /// Where script calls go; default: process, and in-process for `crash` and `fuzz`
    #[arg(long, value_enum)]
    pub(super) target: Option<TargetChoice>,
    /// How many cases run at once; default: one for each core
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// A script that takes longer for one call is killed with its children
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_SECONDS)]
    timeout: u64,
    /// Seeds what is drawn at random: temporary addresses of DHCPv6; whole households for `fuzz`
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// Do without user and mount namespaces
    #[arg(long)]
    pub(super) no_private_root: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum RtcChoice {
    Good,
    Broken,
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum TargetChoice {
    /// A real shell, a real script, the fake nvram
    Process,
    /// Functions over a simulated device
    InProcess,
    /// Both, which must agree
    Both,
}

impl Common {
    /// `--dialect`.
    pub(super) fn dialects(&self) -> &[String] {
        &self.dialect
    }

    /// Values of `rtc` and `dialect` that the command line wants.
    pub(super) fn overrides(&self) -> Result<Overrides, Failure> {
        for name in &self.dialect {
            name.parse::<nvram_emu::Dialect>()
                .map_err(|error| Failure::Input(format!("--dialect: {error}")))?;
        }
        let rtc: &[&str] = match self.rtc {
            None => &[],
            Some(RtcChoice::Good) => &["good"],
            Some(RtcChoice::Broken) => &["broken"],
            Some(RtcChoice::Both) => &["good", "broken"],
        };
        Ok(Overrides {
            rtc: rtc.iter().map(|name| (*name).to_owned()).collect(),
            dialect: self.dialect.clone(),
        })
    }

    /// How to run cases.
    pub(super) fn options(&self, log: bool) -> Result<Options, Failure> {
        let settings = Settings {
            leaselab: std::env::current_exe()
                .map_err(|error| Failure::Environment(format!("leaselab itself: {error}")))?,
            limit_ms: self.timeout.clamp(1, 86_400) * 1000,
            root: if self.no_private_root { Root::Shared } else { Root::Private },
        };
        let target = match self.target.unwrap_or(TargetChoice::Process) {
            TargetChoice::InProcess => TargetKind::InProcess,
            TargetChoice::Process => TargetKind::Process(settings),
            TargetChoice::Both => TargetKind::Both(settings),
        };
        if let Some(path) = &self.script {
            std::fs::File::open(path)
                .map_err(|error| Failure::Input(format!("--script {}: {error}", path.display())))?;
        }
        let shell = self.shell.split_whitespace().map(str::to_owned).collect();
        let script = ScriptChoice { path: self.script.clone(), shell };
        Ok(Options {
            target,
            script,
            seed: self.seed,
            command: &["run"],
            arguments: self.arguments(),
            log,
        })
    }

    /// `--script`, as processes that can be followed from any state of a router.
    pub(super) fn processes(&self, case: &Case) -> Result<Option<Arc<ExternalScript>>, Failure> {
        if self.script.is_none() {
            return Ok(None);
        }
        self.own_processes(case).map(Some)
    }

    /// The case's script, or `--script`, as processes.
    pub(super) fn own_processes(&self, case: &Case) -> Result<Arc<ExternalScript>, Failure> {
        let Options { target, script, .. } = self.options(false)?;
        let (TargetKind::Process(settings) | TargetKind::Both(settings)) = target else {
            return Err(Failure::Input("--script: it runs in processes only".to_owned()));
        };
        Ok(Arc::new(ExternalScript::new(runner::command(case, &script), settings)))
    }

    /// `--script` and `--shell` as a replay needs them again, with a blank before each.
    pub(super) fn script_words(&self) -> String {
        let Some(path) = &self.script else { return String::new() };
        let shell = match self.shell.as_str() {
            "" => String::new(),
            shell => format!(" --shell '{shell}'"),
        };
        format!(" --script '{}'{shell}", path.display())
    }

    /// The arguments that are not the defaults, as far as they change what a case does.
    fn arguments(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        if let Some(path) = &self.script {
            option("--script", path.to_string_lossy().into_owned());
        }
        if !self.shell.is_empty() {
            option("--shell", self.shell.clone());
        }
        if let Some(rtc) = self.rtc.and_then(|rtc| rtc.to_possible_value()) {
            option("--rtc", rtc.get_name().to_owned());
        }
        if !self.dialect.is_empty() {
            option("--dialect", self.dialect.join(","));
        }
        if let Some(target) = self
            .target
            .and_then(|target| target.to_possible_value())
            .filter(|t| t.get_name() != "process")
        {
            option("--target", target.get_name().to_owned());
        }
        if self.timeout != DEFAULT_TIMEOUT_SECONDS {
            option("--timeout", self.timeout.to_string());
        }
        if self.seed != 0 {
            option("--seed", self.seed.to_string());
        }
        if self.no_private_root {
            words.push("--no-private-root".to_owned());
        }
        words
    }

    /// The threads to run them on.
    pub(super) fn pool(&self) -> Result<rayon::ThreadPool, Failure> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.jobs.unwrap_or(0))
            .build()
            .map_err(|error| Failure::Environment(format!("threads: {error}")))
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Source(error) => error.into(),
            Fault::Target(error) => error.into(),
        }
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Environment(why) => Self::Environment(why),
            BackendError::Script(why) => Self::Input(why),
            BackendError::Broken(why) => Self::Failed(why),
        }
    }
}
