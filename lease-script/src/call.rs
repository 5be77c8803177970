//! A call of the script, and its outcome.

/// Environment variables by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(Vec<(Vec<u8>, Vec<u8>)>);

impl Environment {
    /// The value of a variable; `None` if it is unset or empty.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let at = self.find(name.as_bytes()).ok()?;
        Some(self.0[at].1.as_slice()).filter(|value| !value.is_empty())
    }

    /// All variables, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// Adds or replaces a variable.
    pub fn set(&mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        let (name, value) = (name.into(), value.into());
        match self.find(&name) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    fn find(&self, name: &[u8]) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_slice().cmp(name))
    }
}

impl<N: Into<Vec<u8>>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut environment = Self::default();
        pairs.into_iter().for_each(|(name, value)| environment.set(name, value));
        environment
    }
}

/// A call of the script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The arguments after the name of the program: `init`, or action, MAC or DUID, address, host name.
    pub args: Vec<Vec<u8>>,
    /// The environment; only variables `DNSMASQ_*` and `LEASE_*` are used.
    pub env: Environment,
}

impl Call {
    /// A call with arguments (without the name of the program) and an environment.
    pub fn new<A: Into<Vec<u8>>>(args: impl IntoIterator<Item = A>, env: Environment) -> Self {
        Self { args: args.into_iter().map(Into::into).collect(), env }
    }

    /// The argument at `index`; empty if there is none.
    pub(crate) fn arg(&self, index: usize) -> &[u8] {
        self.args.get(index).map_or(&[], Vec::as_slice)
    }
}

/// The outcome of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Standard output, which dnsmasq reads after `init`.
    pub stdout: Vec<u8>,
    /// Standard error, in complete lines.
    pub stderr: Vec<u8>,
    /// The exit code: 0 done or nothing to do, 1 not done.
    pub exit: u8,
    /// The script was killed ([`crate::OperationError::Killed`]); `exit` has no meaning then.
    pub killed: bool,
}
