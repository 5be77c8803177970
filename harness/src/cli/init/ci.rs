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

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::Service;
    use crate::cli::command::command;
    use crate::cli::project::{Project, with_defaults};
    use crate::words::Words;

    #[test]
    fn the_commands_of_the_jobs_are_valid_in_a_project() {
        let project = Project { script: Some("mine.sh".into()), ..Project::default() };
        for (path, text) in Service::value_variants().iter().filter_map(|service| service.job()) {
            let lines: Vec<&str> = text
                .lines()
                .filter_map(|line| Some(&line[line.find("leaselab check")?..]))
                .collect();
            assert!(!lines.is_empty(), "{path}");
            for line in lines {
                let words = Words::split(line).expect("a command line");
                let definition = with_defaults(&project, command());
                let parsed = definition.try_get_matches_from(words.as_slice());
                assert!(parsed.is_ok(), "{path}: {line}: {:?}", parsed.err());
            }
        }
    }
}
