//! Text that is safe to print, whatever a script or a file contains.

/// The text with an escape in place of each character that a terminal, an XML parser or a reader could take for something
/// else: control characters, invisible and direction-changing characters, and code points that are no characters.
///
/// A printable text is returned as it is, so that the function can be applied twice.
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

/// [`printable`] for a text of several lines.
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<String>>().join("\n")
}

/// Whether [`printable`] leaves a character as it is.
pub fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            // Soft hyphen, zero-width characters, line separators, direction marks and overrides, byte order mark.
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            // Interlinear annotations, tags, private use.
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}'
            // No characters, also not allowed in XML.
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
    fn what_a_terminal_or_a_parser_could_misread_is_escaped(
        #[case] text: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(printable(text), expected);
        assert_eq!(printable(&printable(text)), expected);
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(printable_lines("a\nb\r\nc"), "a\nb\\r\nc");
    }
}
