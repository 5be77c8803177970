//! A call of the script, and what comes back.

use std::collections::BTreeMap;

/// Environment variables by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<Vec<u8>, Vec<u8>>);

impl Environment {
    /// The value of a variable that is there and not empty.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name.as_bytes()).map(Vec::as_slice).filter(|value| !value.is_empty())
    }

    /// All variables, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// Adds or replaces a variable.
    pub fn set(&mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.0.insert(name.into(), value.into());
    }
}

impl<N: Into<Vec<u8>>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// One call as dnsmasq makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The arguments after the name of the program: `init`, or action, MAC or DUID, address, host name.
    pub args: Vec<Vec<u8>>,
    /// The `DNSMASQ_*` variables; others do no harm.
    pub env: Environment,
}

impl Call {
    /// A call with these arguments and this environment.
    pub fn new<A: Into<Vec<u8>>>(args: impl IntoIterator<Item = A>, env: Environment) -> Self {
        Self { args: args.into_iter().map(Into::into).collect(), env }
    }

    /// The argument at `index`, or nothing.
    pub(crate) fn arg(&self, index: usize) -> &[u8] {
        self.args.get(index).map_or(&[], Vec::as_slice)
    }
}

/// What a call gave back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What dnsmasq reads after `init`.
    pub stdout: Vec<u8>,
    /// Whole lines.
    pub stderr: Vec<u8>,
    /// 0 done or nothing to do, 1 not done.
    pub exit: u8,
    /// The script was killed on the way ([`crate::OperationError::Killed`]); `exit` means nothing then.
    pub killed: bool,
}
