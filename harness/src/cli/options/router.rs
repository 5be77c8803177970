//! Which routers of a scenario's matrix to run.

use clap::ValueEnum as _;

use super::dialect_names;
use crate::error::CommandError;
use dnsmasq_model::{Build, Release};
use nvram_emu::Dialect;
use scenario::Overrides;

/// Options that choose among the routers that a scenario names.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct RouterOptions {
    /// dnsmasq's build: with a real-time clock, or with `HAVE_BROKEN_RTC` [default: as the scenario says]
    #[arg(long, value_enum)]
    pub(in crate::cli) rtc: Option<RtcChoice>,
    /// Dialects of the nvram tool, instead of those of the scenario [default: as the scenario says]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = dialect_names())]
    pub(in crate::cli) dialect: Vec<String>,
    /// Releases of dnsmasq, from 2.33 to 2.92 [default: as the scenario says, else the newest]
    #[arg(long, value_name = "RELEASE", value_delimiter = ',')]
    pub(in crate::cli) dnsmasq_release: Vec<Release>,
}

/// Builds of dnsmasq.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum RtcChoice {
    /// Built for a router whose clock is right after a boot
    Good,
    /// Built with `HAVE_BROKEN_RTC`
    Broken,
    /// Both builds
    Both,
}

impl RtcChoice {
    /// The builds of a choice.
    pub(in crate::cli) fn builds(self) -> Vec<Build> {
        match self {
            Self::Good => vec![Build::Rtc],
            Self::Broken => vec![Build::NoRtc],
            Self::Both => vec![Build::Rtc, Build::NoRtc],
        }
    }

    /// The values of `rtc` in a scenario.
    pub(in crate::cli) fn names(self) -> Vec<String> {
        self.builds().into_iter().map(|build| wear::build_name(build).to_owned()).collect()
    }
}

impl RouterOptions {
    /// The dialects by name; all of them where none was named.
    ///
    /// # Errors
    /// An unknown dialect.
    pub(in crate::cli) fn dialects(&self) -> Result<Vec<Dialect>, CommandError> {
        if self.dialect.is_empty() {
            return Ok(Dialect::ALL.to_vec());
        }
        let parse = |name: &String| {
            name.parse().map_err(|error| CommandError::usage(format!("--dialect: {error}")))
        };
        self.dialect.iter().map(parse).collect()
    }

    /// Values of `rtc`, `dialect` and `dnsmasq` that replace those of a scenario.
    ///
    /// # Errors
    /// An unknown dialect.
    pub(in crate::cli) fn overrides(&self) -> Result<Overrides, CommandError> {
        self.dialects()?;
        Ok(Overrides {
            rtc: self.rtc.map_or_else(Vec::new, RtcChoice::names),
            dialect: self.dialect.clone(),
            dnsmasq: self.dnsmasq_release.iter().map(Release::to_string).collect(),
            chosen_script: false,
        })
    }

    /// The options as words of a command line.
    pub(in crate::cli) fn add_to(&self, words: &mut crate::words::Words) {
        let rtc = self.rtc.and_then(|rtc| rtc.to_possible_value());
        words.option("--rtc", rtc.map(|value| value.get_name().to_owned()));
        words.option("--dialect", Some(self.dialect.join(",")).filter(|names| !names.is_empty()));
        let releases: Vec<String> = self.dnsmasq_release.iter().map(Release::to_string).collect();
        words.option("--dnsmasq-release", Some(releases.join(",")).filter(|list| !list.is_empty()));
    }
}
