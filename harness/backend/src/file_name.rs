//! File names for the names of cases.

/// A file name for any text: all characters except ASCII letters, digits and `-=,.` become `_`.
pub fn file_name_of(text: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "-=,.".contains(c);
    text.chars().map(|c| if is_safe(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::file_name_of;

    #[test]
    fn separators_spaces_and_non_ascii_characters_are_replaced() {
        assert_eq!(file_name_of("a/b c:d,n=1.5-é"), "a_b_c_d,n=1.5-_");
    }
}
