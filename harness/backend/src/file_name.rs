//! File names for the names of cases.

/// A name of a file or folder for any text, such as the name of a case: characters that could have a meaning in a path or
/// a shell become `_`. It never begins with a dot, so the file is not hidden.
pub fn file_name_of(text: &str) -> String {
    let path = text.trim_start_matches("./");
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "-=,.".contains(c);
    let name: String = path.chars().map(|c| if is_safe(c) { c } else { '_' }).collect();
    let dots = name.bytes().take_while(|byte| *byte == b'.').count();
    format!("{}{}", "_".repeat(dots), &name[dots..])
}

#[cfg(test)]
mod tests {
    use super::file_name_of;

    #[test]
    fn separators_spaces_and_non_ascii_characters_are_replaced() {
        assert_eq!(file_name_of("a/b c:d,n=1.5-é"), "a_b_c_d,n=1.5-_");
    }

    #[test]
    fn no_name_begins_with_a_dot() {
        assert_eq!(file_name_of("./stories/reboot"), "stories_reboot");
        assert_eq!(file_name_of("../stories/reboot"), "___stories_reboot");
        assert_eq!(file_name_of("/tmp/.hidden"), "_tmp_.hidden");
        assert_eq!(file_name_of(".hidden"), "_hidden");
    }
}
