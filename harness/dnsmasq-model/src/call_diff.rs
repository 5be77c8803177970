//! Differences between two script calls.

use std::collections::BTreeSet;

use super::call::ScriptCall;

/// One difference between an expected and an actual script call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallDifference<'a> {
    /// The arguments differ.
    Arguments,
    /// A variable differs. A value is `None` if the call does not have the variable.
    Variable {
        /// Name of the variable.
        name: &'a str,
        /// Its value in the expected call.
        expected: Option<&'a [u8]>,
        /// Its value in the actual call.
        actual: Option<&'a [u8]>,
    },
}

impl ScriptCall {
    /// Returns the differences between this expected call and the actual call. Variables are sorted by name.
    #[must_use]
    pub fn differences<'a>(&'a self, actual: &'a ScriptCall) -> Vec<CallDifference<'a>> {
        let mut found = Vec::new();
        if self.argv != actual.argv {
            found.push(CallDifference::Arguments);
        }
        let names: BTreeSet<&String> = self.env.keys().chain(actual.env.keys()).collect();
        for name in names {
            let value = |call: &'a ScriptCall| call.env.get(name).map(Vec::as_slice);
            let (expected, actual) = (value(self), value(actual));
            if expected != actual {
                found.push(CallDifference::Variable { name, expected, actual });
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differing_missing_and_additional_variables_are_listed() {
        let call = |argument: &str, env: &[(&str, &str)]| ScriptCall {
            argv: vec![b"script".to_vec(), argument.into()],
            env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect(),
        };
        let expected = call("add", &[("A", "1"), ("B", "2"), ("C", "3")]);
        let actual = call("old", &[("A", "1"), ("C", "4"), ("D", "5")]);
        let variable = |name, expected, actual| CallDifference::Variable { name, expected, actual };
        assert_eq!(
            expected.differences(&actual),
            [
                CallDifference::Arguments,
                variable("B", Some(&b"2"[..]), None),
                variable("C", Some(b"3"), Some(b"4")),
                variable("D", None, Some(b"5")),
            ]
        );
        assert!(expected.differences(&expected).is_empty());
    }
}
