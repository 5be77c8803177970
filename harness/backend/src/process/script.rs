//! The script under test as a file in the scratch folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::write_executable;
use super::interpreter::Interpreter;
use super::protocol::StartError;
use super::script_check::check_script_file;
use super::storage::Storage;
use crate::bounded_read::read_bounded;
use crate::error::BackendError;

/// Maximum size of a script in bytes.
const MAX_SCRIPT: u64 = 64 << 20;

/// The project's script, which a wrapper under test finds in `PATH`, beside `lease-update`.
const OWN_SCRIPT: (&str, &str) =
    ("lease_update.sh", include_str!("../../../../lease-script/lease_update.sh"));

/// The script under test: its file, its interpreter and its environment.
#[derive(Clone, Debug)]
pub struct ScriptCommand {
    /// The file that is copied into the scratch folder and run.
    pub file: ScriptFile,
    /// The shell and its arguments. If empty, the script's `#!` line chooses the interpreter.
    pub shell: Vec<String>,
    /// Environment variables, such as `LEASE_*`.
    pub environment: BTreeMap<String, String>,
    /// The persistent folders that it finds.
    pub storage: Arc<Storage>,
}

/// The source of the script.
#[derive(Clone, Debug)]
pub enum ScriptFile {
    /// A script that is part of leaselab: file name and text.
    BuiltIn(&'static str, &'static str),
    /// The `leaselab` executable under the name `lease-update`.
    LeaseUpdate,
    /// A file of the user.
    Path(PathBuf),
}

/// The script under test after it was put into the scratch folder.
#[derive(Debug)]
pub(super) struct PlacedScript {
    /// Its name in the folder `bin` of the scratch folder.
    pub(super) name: String,
    /// The file of the user, whose folder a sandbox shows.
    pub(super) original: Option<PathBuf>,
    /// How the user names it.
    pub(super) shown: String,
    /// What runs it; `None` if it is a program itself.
    pub(super) interpreter: Option<Interpreter>,
}

/// Puts the script into the folder `bin` of the scratch folder.
pub(super) fn place_script(
    script: &ScriptCommand,
    scratch: &Path,
) -> Result<PlacedScript, BackendError> {
    let place = |name: &str, text: &[u8], original, shown: String| {
        let path = scratch.join("bin").join(name);
        write_executable(&path, text)
            .map_err(|error| BackendError::environment("the scratch folder", &error))?;
        let interpreter = Interpreter::of(&script.shell, text);
        Ok(PlacedScript { name: name.to_owned(), original, shown, interpreter })
    };
    match &script.file {
        ScriptFile::BuiltIn(name, text) => place(name, text.as_bytes(), None, (*name).to_owned()),
        ScriptFile::LeaseUpdate => {
            let name = "lease-update".to_owned();
            let shown = name.clone();
            Ok(PlacedScript { name, original: None, shown, interpreter: None })
        }
        ScriptFile::Path(path) => {
            let shown = path.display().to_string();
            let refuse =
                |why: &dyn std::fmt::Display| BackendError::Script(format!("{shown}: {why}"));
            check_script_file(path, !script.shell.is_empty()).map_err(|error| refuse(&error))?;
            let text = read_bounded(path, MAX_SCRIPT).map_err(|e| refuse(&e))?;
            let original = fs::canonicalize(path).map_err(|e| refuse(&e))?;
            let name = path.file_name().map_or("script".into(), |name| name.to_string_lossy());
            place(OWN_SCRIPT.0, OWN_SCRIPT.1.as_bytes(), None, OWN_SCRIPT.0.to_owned())?;
            place(&format!("script-{name}"), &text, Some(original), shown)
        }
    }
}

/// Rejects a script that names `/usr/sbin/nvram` if there is no sandbox: it would run the tool of the host.
pub(super) fn reject_absolute_nvram(script: &Path) -> Result<(), BackendError> {
    let text = fs::read(script).unwrap_or_default();
    let contains = |needle: &[u8]| text.windows(needle.len()).any(|window| window == needle);
    if contains(b"/usr/sbin/nvram") && !contains(b"LEASE_NVRAM") {
        return Err(BackendError::Environment(format!(
            "{} names /usr/sbin/nvram, which needs a sandbox: leave out --no-sandbox, or let the script read LEASE_NVRAM",
            script.file_name().unwrap_or_default().to_string_lossy()
        )));
    }
    Ok(())
}

/// Why a script could not be started, with advice for the usual reason. `seen` is the path at which it runs, `shown` is how
/// the user names it.
pub(super) fn start_failure(error: StartError, seen: Option<&String>, shown: &str) -> BackendError {
    match error {
        StartError::Program { name, why } if Some(&name) == seen => {
            let advice = if why.contains("Exec format error") {
                ": expected a program of this machine, or a script that begins with a line such as #!/bin/sh; --shell names \
                 what runs a script without such a line"
            } else {
                ""
            };
            BackendError::Script(format!("{shown}: {why}{advice}"))
        }
        StartError::Program { name, why } => {
            BackendError::Script(format!("{shown}: cannot start `{name}`, which runs it: {why}"))
        }
        StartError::Resources(why) => {
            BackendError::Environment(format!("cannot start a program: {why}"))
        }
    }
}
