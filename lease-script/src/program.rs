//! The script as an executable.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;

use crate::call::{Call, Outcome};
use crate::config::Config;
use crate::intent_log::{FileIntentLog, IntentLog};
use crate::nvram::Nvram;
use crate::process::SpawnedNvram;
use crate::run::run;

/// The executable `lease-update`: takes the arguments after the program name and the environment, prints, and returns the
/// exit code: 0 done or nothing to do, 1 not done.
pub fn main(
    args: impl IntoIterator<Item = OsString>,
    env: impl IntoIterator<Item = (OsString, OsString)>,
) -> u8 {
    let env = env.into_iter().map(|(name, value)| (name.into_vec(), value.into_vec())).collect();
    let outcome = run_process(&Call::new(args.into_iter().map(OsString::into_vec), env));
    // If standard error cannot be written, there is nowhere to report it.
    let printed = io::stdout().write_all(&outcome.stdout).and_then(|()| io::stdout().flush());
    let _ = io::stderr().write_all(&outcome.stderr);
    if printed.is_err() { 1 } else { outcome.exit }
}

/// Executes one call with an external `nvram` tool and the intent log in a file, or with a journal, as configured by the
/// environment.
pub fn run_process(call: &Call) -> Outcome {
    with_config(call, |config| {
        if let Some(path) = &config.journal {
            return crate::journal::run_at_path(call, config, path);
        }
        let mut nvram = SpawnedNvram::new(config.nvram.clone());
        run(call, config, &mut nvram, &mut FileIntentLog::new(config.run_folder()))
    })
}

/// Executes one call with the given tool and intent log and with the variables `LEASE_*` of its environment.
pub fn run_in_process(
    call: &Call,
    nvram: &mut dyn Nvram,
    intent_log: &mut dyn IntentLog,
) -> Outcome {
    with_config(call, |config| run(call, config, nvram, intent_log))
}

fn with_config(call: &Call, run: impl FnOnce(&Config) -> Outcome) -> Outcome {
    let config = match call.arg(0) {
        b"init" | b"add" | b"old" | b"del" => Config::from_env(&call.env),
        // For other actions nothing is read, not even the configuration.
        _ => Ok(Config::default()),
    };
    match config {
        Ok(config) => run(&config),
        Err(message) => Outcome {
            stderr: format!("lease-update: {message}\n").into_bytes(),
            exit: 1,
            ..Outcome::default()
        },
    }
}
