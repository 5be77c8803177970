//! The lease scripts whose calls are counted.

use std::sync::Arc;

use backend::Function;
use backend::process::{ScriptCommand, ScriptFile};
use dnsmasq_model::Build;
use lease_script::Config;

/// A lease script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Script {
    /// The project's script.
    Ours {
        /// `LEASE_SLACK`, in seconds.
        slack: u64,
    },
    /// The naive script of the notes of 2006. It commits in every call except `init`.
    Naive,
}

impl Script {
    /// Returns the name in tables.
    pub fn name(self) -> String {
        match self {
            Self::Ours { slack: 0 } => "ours".to_owned(),
            Self::Ours { slack } => format!("ours, slack {}", scenario::Seconds(slack)),
            Self::Naive => "naive 2006".to_owned(),
        }
    }

    /// Returns the script as a function, for in-process calls.
    pub fn function(self) -> Function {
        match self {
            Self::Ours { slack } => {
                Function::LeaseUpdate(Config { slack: Some(slack), ..Config::default() })
            }
            Self::Naive => Function::Naive,
        }
    }

    /// Returns whether both scripts store the same records, so that their `init` prints the same. Slack changes only
    /// expiry times, which scripts do not store with the build without RTC.
    pub(super) fn stores_like(self, other: Self, build: Build) -> bool {
        let slack = |script| match script {
            Self::Ours { slack } if build == Build::Rtc => slack,
            Self::Ours { .. } | Self::Naive => 0,
        };
        slack(self) == slack(other)
    }
}

/// Returns the script as a command, to be run in a process.
pub fn builtin_script(script: Script) -> ScriptCommand {
    let (file, environment) = match script {
        Script::Ours { slack } => (
            ScriptFile::LeaseUpdate,
            [("LEASE_SLACK".to_owned(), slack.to_string())].into_iter().collect(),
        ),
        Script::Naive => (
            ScriptFile::BuiltIn("naive.sh", include_str!("../../../scenarios/scripts/naive.sh")),
            std::collections::BTreeMap::new(),
        ),
    };
    ScriptCommand { file, shell: Vec::new(), environment, storage: Arc::default() }
}
