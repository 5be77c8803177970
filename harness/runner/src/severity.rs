//! How serious findings are.

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The script does more than it needs to. Nothing can be lost.
    Advice,
    /// Something can be lost under circumstances that are rarer than those of a bug, or a lease is kept longer than
    /// dnsmasq keeps it.
    Risk,
    /// Leases or settings are lost, dnsmasq stops, or it cannot read the output of `init`.
    Bug,
}

impl Severity {
    /// All severities, from the least serious.
    pub const ALL: [Self; 3] = [Self::Advice, Self::Risk, Self::Bug];

    /// The name in reports and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Advice => "advice",
            Self::Risk => "risk",
            Self::Bug => "bug",
        }
    }
}
