//! Command lines that can be pasted into a shell.

use std::fmt;
use std::path::Path;

/// The words of a command line. `Display` quotes each word for a POSIX shell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// A command line that begins with these words.
    pub fn new(words: &[&str]) -> Self {
        Self(words.iter().map(|word| (*word).to_owned()).collect())
    }

    /// Splits a command line as a POSIX shell does; `None` where a quote is not closed.
    pub fn split(text: &str) -> Option<Self> {
        shlex::split(text).map(Self)
    }

    /// Adds an argument that is not an option. A file name that begins with `-` gets `./` before it.
    pub fn argument(&mut self, word: impl Into<String>) {
        let word = word.into();
        self.0.push(if word.starts_with('-') { format!("./{word}") } else { word });
    }

    /// Adds an option with its value, if there is one.
    pub fn option(&mut self, name: &str, value: Option<impl fmt::Display>) {
        let Some(value) = value else { return };
        let value = value.to_string();
        if value.starts_with('-') || value.is_empty() {
            self.0.push(format!("{name}={value}"));
        } else {
            self.0.extend([name.to_owned(), value]);
        }
    }

    /// Adds an option whose value is a path, if there is one.
    pub fn path(&mut self, name: &str, path: Option<&Path>) {
        self.option(name, path.map(Path::to_string_lossy));
    }

    /// Adds an option without a value, if it is set.
    pub fn flag(&mut self, name: &str, set: bool) {
        if set {
            self.0.push(name.to_owned());
        }
    }

    /// Adds the words of another command line.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// The words, without quoting.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            if lab_report::printable(word) == *word {
                // Only a NUL cannot be quoted, and no argument of a process can contain one.
                f.write_str(&shlex::try_quote(word).unwrap_or_default())?;
            } else {
                f.write_str(&with_escapes(word))?;
            }
        }
        Ok(())
    }
}

/// Quotes a word with `$'…'`, which bash, busybox ash, ksh and zsh understand, so that only printable characters are left.
fn with_escapes(word: &str) -> String {
    let mut quoted = "$'".to_owned();
    for character in word.chars() {
        match character {
            '\'' | '\\' => quoted.extend(['\\', character]),
            _ if lab_report::is_printable(character) => quoted.push(character),
            _ => {
                // Three octal digits end by themselves, unlike hexadecimal ones.
                let bytes = character.to_string().into_bytes();
                quoted.extend(bytes.iter().map(|byte| format!("\\{byte:03o}")));
            }
        }
    }
    quoted + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rendered_command_line_splits_into_the_same_words() {
        let mut words = Words::new(&["leaselab", "replay"]);
        words.argument("-strange 'name'.toml");
        words.option("--shell", Some("busybox ash"));
        words.option("--filter", Some("-x"));
        words.option("--filter", Some(""));
        words.path("--script", Some(Path::new("it's/$(here)/`there`!\"quoted\"\\")));
        words.flag("--verbose", true);
        words.flag("--quiet", false);
        assert_eq!(Words::split(&words.to_string()), Some(words));
    }

    #[test]
    fn plain_words_are_not_quoted() {
        let mut words = Words::new(&["leaselab", "run"]);
        words.argument("scenarios/reboot/power-cut.toml");
        words.option("--shell", Some("busybox ash"));
        assert_eq!(
            words.to_string(),
            "leaselab run scenarios/reboot/power-cut.toml --shell 'busybox ash'"
        );
    }

    #[test]
    fn characters_that_are_not_printable_are_escaped_for_bash() {
        let word = "it's\u{1b}[8m\n::error::\u{202e}\\1";
        let mut words = Words::new(&["echo"]);
        words.argument(word);
        let quoted = "echo $'it\\'s\\033[8m\\012::error::\\342\\200\\256\\\\1'";
        assert_eq!(words.to_string(), quoted);
    }

    #[test]
    fn an_unclosed_quote_is_rejected() {
        assert_eq!(Words::split("leaselab 'run"), None);
    }
}
