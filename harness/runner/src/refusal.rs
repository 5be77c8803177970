//! The error of a router's description.

/// Why a router cannot be made from its description.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The part of the description that is wrong.
    pub part: Part,
    /// What is wrong with it.
    pub message: String,
    /// A remedy, if there is an obvious one.
    pub help: Option<String>,
}

/// Parts of a router's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `dialect`.
    Dialect,
    /// `chip`.
    Chip,
    /// `image`: the image file.
    Image,
    /// Sizes and variables of the NVRAM.
    Nvram,
}

pub(super) fn refuse(part: Part, message: impl Into<String>) -> Refusal {
    Refusal { part, message: message.into(), help: None }
}

pub(super) fn too_small() -> Refusal {
    Refusal {
        help: Some("use less text or more space".to_owned()),
        ..refuse(Part::Nvram, "the NVRAM is too small for its variables")
    }
}
