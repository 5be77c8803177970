//! The parts that all pages have in common.

/// The title and the navigation of a page.
pub(super) struct Head<'a> {
    pub(super) title: String,
    pub(super) version: &'a str,
    /// The anchors and names of the sections.
    pub(super) sections: Vec<(&'static str, &'static str)>,
    /// Whether the page has failures that the keyboard shortcuts can move between.
    pub(super) has_failures: bool,
}

/// The summary at the top of a page.
pub(super) struct Verdict {
    pub(super) class: &'static str,
    pub(super) word: &'static str,
    pub(super) sentence: String,
}
