//! Jobs that test the script at each push.

/// A service for continuous integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Service {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
    /// No job
    None,
}

impl Service {
    /// The path of the job's file, relative to the root of the repository, and its text.
    pub(super) fn job(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Github => {
                Some((".github/workflows/leaselab.yml", include_str!("github-workflow.yml")))
            }
            Self::Gitlab => Some((".gitlab-ci.yml", include_str!("gitlab-ci.yml"))),
            Self::None => None,
        }
    }
}
