//! The verdict on a group.

use runner::Severity;
use scenario::Group;

/// The verdict on a group of properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupVerdict {
    /// Nothing is wrong.
    Ok,
    /// The most serious finding has this severity.
    Found(Severity),
    /// Something that belongs to another group is wrong in every scenario that could show more.
    HiddenBy(Group),
    /// The property does not apply to the script, for this reason.
    NotApplicable(&'static str),
}

impl GroupVerdict {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Found(severity) => severity.name(),
            Self::HiddenBy(_) => "hidden",
            Self::NotApplicable(_) => "n/a",
        }
    }

    /// Why nothing is said about the property.
    pub fn why(self) -> Option<String> {
        match self {
            Self::HiddenBy(other) => {
                Some(format!("not judged: every case shows what {} reports", other.name()))
            }
            Self::NotApplicable(why) => Some(why.to_owned()),
            Self::Ok | Self::Found(_) => None,
        }
    }

    /// The severity, where something was found.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Found(severity) => Some(severity),
            _ => None,
        }
    }
}
