//! Makes text from scripts and files safe to print.

/// Escapes every character that a terminal, an XML parser or a reader could misinterpret: control characters, invisible
/// and direction-changing characters, private-use characters, and noncharacters.
///
/// A printable text is returned unchanged, so applying the function twice has no further effect.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_printable(character) {
            out.push(character);
        } else {
            out.extend(character.escape_default());
        }
    }
    out
}

/// Applies [`printable`] to each line of a text.
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<String>>().join("\n")
}

/// Returns whether [`printable`] leaves a character unchanged.
pub fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            // Soft hyphen, zero-width characters, line separators, direction marks and overrides, byte order mark.
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            // Interlinear annotations, tags, private use.
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}'
            // Noncharacters. XML does not allow U+FFFE and U+FFFF.
            | '\u{fdd0}'..='\u{fdef}' | '\u{fffe}' | '\u{ffff}'
        )
        && (character as u32) & 0xFFFE != 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("plain text, `Müller` → 5", "plain text, `Müller` → 5")]
    #[case("\u{1b}[31mred", "\\u{1b}[31mred")]
    #[case("tab\tnul\0del\u{7f}c1\u{9b}", "tab\\tnul\\u{0}del\\u{7f}c1\\u{9b}")]
    #[case("a\u{202e}b\u{feff}c\u{ffff}d\u{1fffe}", "a\\u{202e}b\\u{feff}c\\u{ffff}d\\u{1fffe}")]
    fn characters_that_could_be_misread_are_escaped(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(printable(text), expected);
        assert_eq!(printable(&printable(text)), expected);
    }

    #[test]
    fn line_breaks_are_kept() {
        assert_eq!(printable_lines("a\nb\r\nc"), "a\nb\\r\nc");
    }
}
