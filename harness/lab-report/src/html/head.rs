//! What all pages have in common.

/// Title and navigation of a page.
pub(super) struct Head<'a> {
    pub(super) title: String,
    pub(super) version: &'a str,
    /// Anchors and names of the sections.
    pub(super) sections: Vec<(&'static str, &'static str)>,
    /// Whether the page has failures to move between.
    pub(super) has_failures: bool,
}

/// The first line of a page.
pub(super) struct Verdict {
    pub(super) class: &'static str,
    pub(super) word: &'static str,
    pub(super) sentence: String,
}
