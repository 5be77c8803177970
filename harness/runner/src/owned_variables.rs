//! The NVRAM variables that belong to the script under test.

use std::fmt;
use std::str::FromStr;

use glob::Pattern;

/// A shell pattern for names of variables: `*` stands for any characters, `?` for one, `[…]` for one of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(Matcher);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Matcher {
    /// Names that begin with these bytes.
    Prefix(Vec<u8>),
    Pattern(Pattern),
}

impl NamePattern {
    /// The pattern of the names that begin with `prefix`.
    pub fn prefix(prefix: &[u8]) -> Self {
        Self(Matcher::Prefix(prefix.to_vec()))
    }

    /// Whether the pattern matches the whole name.
    pub fn matches(&self, name: &[u8]) -> bool {
        match &self.0 {
            Matcher::Prefix(prefix) => name.starts_with(prefix),
            Matcher::Pattern(pattern) => pattern.matches(&String::from_utf8_lossy(name)),
        }
    }
}

impl FromStr for NamePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.contains('=') {
            let expected =
                "expected the name of an NVRAM variable, for example my_leases or 'lease_*'";
            return Err(format!("invalid pattern \"{text}\": {expected}"));
        }
        match text.strip_suffix('*') {
            Some(prefix) if !prefix.contains(['*', '?', '[']) => {
                Ok(Self::prefix(prefix.as_bytes()))
            }
            _ => Pattern::new(text)
                .map(|pattern| Self(Matcher::Pattern(pattern)))
                .map_err(|error| format!("invalid pattern \"{text}\": {}", error.msg)),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Matcher::Prefix(prefix) => write!(f, "{}*", String::from_utf8_lossy(prefix)),
            Matcher::Pattern(pattern) => f.write_str(pattern.as_str()),
        }
    }
}

/// The variables that belong to the script. All others are those of other programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedVariables {
    patterns: Vec<NamePattern>,
    /// Names of variables that the script added although no pattern matches them.
    added: Vec<Vec<u8>>,
}

impl OwnedVariables {
    /// The variables whose names match one of the patterns.
    pub fn new(patterns: Vec<NamePattern>) -> Self {
        Self { patterns, added: Vec::new() }
    }

    /// The variables whose names begin with `prefix`.
    pub(crate) fn with_prefix(prefix: &[u8]) -> Self {
        Self::new(vec![NamePattern::prefix(prefix)])
    }

    /// Whether a variable belongs to the script.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(name))
            || self.added.iter().any(|added| added == name)
    }

    /// The patterns.
    pub(super) fn patterns(&self) -> &[NamePattern] {
        &self.patterns
    }

    /// Patterns of the variables that the script added although no pattern matches them.
    pub(super) fn added_patterns(&self) -> Vec<NamePattern> {
        let literal = |name: &Vec<u8>| {
            let text = Pattern::escape(&String::from_utf8_lossy(name));
            text.parse().ok()
        };
        self.added.iter().filter_map(literal).collect()
    }

    /// Adds a variable that the script made.
    pub(super) fn add(&mut self, name: &[u8]) {
        self.added.push(name.to_vec());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("lease_*", "lease_10.0.0.1", true)]
    #[case("lease_*", "my_lease_10.0.0.1", false)]
    #[case("*_leases", "my_leases", true)]
    #[case("leases", "leases", true)]
    #[case("leases", "leases2", false)]
    #[case("leases?", "leases2", true)]
    #[case("leases[12]", "leases3", false)]
    #[case("a*", "a/b", true)]
    fn a_pattern_matches_whole_names(
        #[case] pattern: &str,
        #[case] name: &str,
        #[case] expected: bool,
    ) {
        let pattern: NamePattern = pattern.parse().expect("a pattern");
        assert_eq!(pattern.matches(name.as_bytes()), expected);
    }

    #[rstest]
    #[case("lease_*")]
    #[case("leases")]
    #[case("*[ab]?")]
    fn patterns_parse_and_render_alike(#[case] text: &str) {
        assert_eq!(text.parse::<NamePattern>().expect("a pattern").to_string(), text);
    }

    #[rstest]
    #[case("")]
    #[case("a=b")]
    #[case("a[")]
    fn other_texts_are_refused(#[case] text: &str) {
        assert!(text.parse::<NamePattern>().is_err());
    }
}
