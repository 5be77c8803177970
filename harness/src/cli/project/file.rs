//! Finds and reads `leaselab.toml`.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nvram_emu::Dialect;
use scenario::diagnostics::{Source, SourceError};
use scenario::did_you_mean;
use serde::Deserialize;
use toml::Spanned;
use wear::RouterPreset;

use crate::error::CommandError;
use crate::suite;

/// The name of the project file.
pub(in crate::cli) const FILE_NAME: &str = "leaselab.toml";

/// The keys of the project file.
const KEYS: [&str; 5] = ["script", "shell", "dialect", "router", "owns"];

/// A project file that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Project {
    /// The lease script, relative to the current folder.
    pub(in crate::cli) script: Option<PathBuf>,
    /// What runs the script.
    pub(in crate::cli) shell: Option<String>,
    /// The dialect of the router's nvram tool.
    pub(in crate::cli) dialect: Option<Dialect>,
    /// The router.
    pub(in crate::cli) router: Option<&'static RouterPreset>,
    /// Patterns of the names of NVRAM variables that belong to the script.
    pub(in crate::cli) owns: Vec<String>,
}

/// The project file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    script: Option<Spanned<String>>,
    shell: Option<Spanned<String>>,
    dialect: Option<Spanned<String>>,
    router: Option<Spanned<String>>,
    #[serde(default)]
    owns: Vec<Spanned<String>>,
}

impl Project {
    /// The project file of the current folder, or of the nearest folder above it that has one.
    ///
    /// # Errors
    /// A file that cannot be read or has an invalid value.
    pub(in crate::cli) fn find() -> Result<Option<Self>, CommandError> {
        let Ok(current) = std::env::current_dir() else { return Ok(None) };
        let mut folder = PathBuf::new();
        for _ in current.ancestors() {
            let path = folder.join(FILE_NAME);
            if path.is_file() {
                let text = suite::read(&path)?;
                return Ok(Some(Self::parse(&path, text)?));
            }
            folder.push("..");
        }
        Ok(None)
    }

    fn parse(path: &Path, text: String) -> Result<Self, SourceError> {
        let source = Source::new(path, text);
        let keys: Keys =
            toml::from_str(&source.text).map_err(|error| invalid_toml(&source, &error))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let not_empty = |value: Option<Spanned<String>>| match value {
            Some(value) if value.get_ref().trim().is_empty() => {
                Err(SourceError::new(&source, value.span(), "an empty value"))
            }
            value => Ok(value.map(Spanned::into_inner)),
        };
        let dialect = named(&source, keys.dialect.as_ref(), "dialect", Dialect::ALL, |dialect| {
            dialect.name()
        })?;
        let routers: Vec<&'static RouterPreset> = RouterPreset::all().iter().collect();
        let router =
            named(&source, keys.router.as_ref(), "router", &routers, |router| &router.name)?;
        let owns: Result<Vec<String>, SourceError> = keys
            .owns
            .into_iter()
            .filter_map(|pattern| not_empty(Some(pattern)).transpose())
            .collect();
        Ok(Self {
            script: not_empty(keys.script)?.map(|script| folder.join(script)),
            shell: not_empty(keys.shell)?,
            dialect,
            router,
            owns: owns?,
        })
    }
}

fn invalid_toml(source: &Arc<Source>, error: &toml::de::Error) -> SourceError {
    let span: Range<usize> = error.span().unwrap_or_default();
    let word = source.text.get(span.clone()).unwrap_or_default();
    let refusal = SourceError::new(source, span, error.message());
    match did_you_mean(word, KEYS) {
        Some(key) if key != word => refusal.help(format!("did you mean `{key}`?")),
        _ => refusal,
    }
}

/// The item of `all` that has the name `value`.
fn named<T: Copy>(
    source: &Arc<Source>,
    value: Option<&Spanned<String>>,
    what: &str,
    all: &[T],
    name_of: impl for<'a> Fn(&'a T) -> &'a str,
) -> Result<Option<T>, SourceError> {
    let Some(value) = value else { return Ok(None) };
    let name = value.get_ref().as_str();
    if let Some(found) = all.iter().find(|item| name_of(item) == name) {
        return Ok(Some(*found));
    }
    let refusal = SourceError::new(source, value.span(), format!("unknown {what} `{name}`"));
    let names: Vec<&str> = all.iter().map(name_of).collect();
    let help = match did_you_mean(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("expected one of {}", names.join(", ")),
    };
    Err(refusal.help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A project file is read, or rejected with a position in it; nothing panics.
    #[test]
    fn fuzz_the_project_file() {
        const PIECES: [&str; 12] = [
            "script = ",
            "shell = ",
            "dialect = ",
            "router = ",
            "owns = ",
            "\"openwrt\"",
            "\"wrt54gl\"",
            "[\"lan_*\", \"*\"]",
            "\n",
            "\"",
            "= 0x7f",
            "[x]",
        ];
        fuzz_inputs::check!(300, |bytes: &[u8]| {
            let text: String = bytes
                .iter()
                .map(|byte| match PIECES.get(usize::from(*byte)) {
                    Some(piece) => (*piece).to_owned(),
                    None => char::from(*byte).to_string(),
                })
                .collect();
            let lines = text.lines().count();
            if let Err(error) = Project::parse(Path::new(FILE_NAME), text) {
                let (line, column) = error.source.position(error.span.start);
                assert!(line <= lines + 1 && column >= 1, "{line}:{column}");
                assert!(error.to_string().contains(FILE_NAME), "{error}");
            }
        });
    }
}
