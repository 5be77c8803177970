//! File names made from names of cases.

/// A file name for any text: characters other than letters, digits and `-=,.` of ASCII become `_`.
pub fn file_name_of(text: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "-=,.".contains(c);
    text.chars().map(|c| if is_safe(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::file_name_of;

    #[test]
    fn separators_and_blanks_are_replaced() {
        assert_eq!(file_name_of("a/b c:d,n=1.5-é"), "a_b_c_d,n=1.5-_");
    }
}
