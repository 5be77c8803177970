//! Which dnsmasq `live` runs.

use std::path::PathBuf;

use crate::error::CommandError;
use crate::shown::Shown as _;
use crate::words::Words;
use dnsmasq_model::Build;
use live::Binaries;

/// The environment variable that replaces `--dnsmasq-no-rtc`.
const NO_RTC_VARIABLE: &str = "LEASELAB_DNSMASQ_NO_RTC";

/// Executables of dnsmasq.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct LiveOptions {
    /// The dnsmasq to run [default: the system's]
    #[arg(long, value_name = "PATH")]
    dnsmasq: Option<PathBuf>,
    /// A dnsmasq built with `HAVE_BROKEN_RTC`, for the scenarios that need one
    /// [env: LEASELAB_DNSMASQ_NO_RTC]
    #[arg(long, value_name = "PATH")]
    dnsmasq_no_rtc: Option<PathBuf>,
}

impl LiveOptions {
    /// The options, with the environment variable in place of `--dnsmasq-no-rtc` if that was not given.
    pub(in crate::cli) fn with_environment(mut self) -> Self {
        let variable = || std::env::var_os(NO_RTC_VARIABLE).filter(|path| !path.is_empty());
        self.dnsmasq_no_rtc = self.dnsmasq_no_rtc.or_else(|| variable().map(PathBuf::from));
        self
    }

    /// Checks the version and the build of each executable.
    ///
    /// # Errors
    /// No dnsmasq, or one of another build.
    pub(in crate::cli) fn binaries(&self) -> Result<Binaries, CommandError> {
        let lacking = CommandError::Environment;
        let mut binaries = Binaries::default();
        match &self.dnsmasq {
            Some(path) => binaries.add(live::inspect(path).map_err(lacking)?),
            None => match live::find() {
                Ok(path) => binaries.add(live::inspect(&path).map_err(lacking)?),
                Err(_) if self.dnsmasq_no_rtc.is_some() => {}
                Err(why) => return Err(lacking(why)),
            },
        }
        if let Some(path) = &self.dnsmasq_no_rtc {
            let binary = live::inspect(path).map_err(lacking)?;
            if binary.build != Build::NoRtc {
                return Err(lacking(format!(
                    "{}: not built with HAVE_BROKEN_RTC (its --version lacks no-RTC)",
                    path.shown()
                )));
            }
            binaries.add(binary);
        }
        Ok(binaries)
    }

    /// The options as words of a command line.
    pub(in crate::cli) fn add_to(&self, words: &mut Words) {
        words.path("--dnsmasq", self.dnsmasq.as_deref());
        words.path("--dnsmasq-no-rtc", self.dnsmasq_no_rtc.as_deref());
    }
}
