//! Numbers with nouns in messages.

use std::fmt::Display;

/// Formats a number with its noun: `1 case`, `2 cases`. The plural of the noun must be the noun with an added `s`.
pub fn quantity<N: Copy + Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let ending = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::quantity;

    #[test]
    fn only_the_number_one_has_the_singular() {
        assert_eq!(quantity(0_u32, "case"), "0 cases");
        assert_eq!(quantity(1_usize, "case"), "1 case");
        assert_eq!(quantity(2_u64, "script call"), "2 script calls");
    }
}
