//! Suggestions for misspelt names.

/// Names that are less similar than this are not suggested.
const LEAST_SIMILARITY: f64 = 0.75;

/// The name that is most similar to `text`, if any is similar.
pub fn nearest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(text, name), name))
        .filter(|(similarity, _)| *similarity >= LEAST_SIMILARITY)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_similar_names_are_suggested() {
        let names = ["openwrt", "tomato", "padavan"];
        assert_eq!(nearest("tomatoe", names), Some("tomato"));
        assert_eq!(nearest("opnwrt", names), Some("openwrt"));
        assert_eq!(nearest("vxworks", names), None);
    }
}
