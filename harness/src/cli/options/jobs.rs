//! How many threads to use.

use std::num::NonZeroUsize;

use crate::error::CommandError;

/// The largest number of threads. It exceeds the cores of any present machine, and each thread takes memory and processes.
const MAX_JOBS: usize = 1024;

/// The number of threads.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(in crate::cli) struct Jobs {
    /// Number of threads [default: one for each core]
    #[arg(long, short, value_name = "N", value_parser = number_of_threads)]
    jobs: Option<NonZeroUsize>,
}

fn number_of_threads(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse::<usize>() {
        Ok(number) if number > MAX_JOBS => Err(format!("--jobs must be at most {MAX_JOBS}")),
        Ok(number) => {
            NonZeroUsize::new(number).ok_or_else(|| "--jobs must be at least 1".to_owned())
        }
        Err(error) => Err(format!("{error}: expected a number of threads, for example 4")),
    }
}

impl Jobs {
    /// A pool of that many threads.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub(in crate::cli) fn pool(self) -> Result<rayon::ThreadPool, CommandError> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.jobs.map_or(0, NonZeroUsize::get))
            .build()
            .map_err(|error| CommandError::Environment(format!("cannot start threads: {error}")))
    }
}
