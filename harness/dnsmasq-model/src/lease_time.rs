//! Lease times in options.

/// An infinite lease time.
pub const INFINITE: u32 = u32::MAX;
/// The shortest lease time that dnsmasq grants, in seconds (option.c, `--dhcp-range`; rfc2131.c, `calc_time`).
pub(crate) const SHORTEST_LEASE: u32 = 120;

/// Parses a lease time as in `--dhcp-range`: a number, optionally with `s`, `m`, `h`, `d` or `w`, or `infinite`. The
/// result is at least 120 seconds.
#[must_use]
pub(crate) fn parse_lease_time(text: &str) -> Option<u32> {
    if text == "infinite" {
        return Some(INFINITE);
    }
    let (digits, factor) = match text.char_indices().last()? {
        (at, 'w' | 'W') => (&text[..at], 7 * 86_400),
        (at, 'd' | 'D') => (&text[..at], 86_400),
        (at, 'h' | 'H') => (&text[..at], 3600),
        (at, 'm' | 'M') => (&text[..at], 60),
        (at, 's' | 'S') => (&text[..at], 1),
        _ => (text, 1),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b' ') {
        return None;
    }
    let number: u64 = digits.trim().parse().ok()?;
    Some((number.saturating_mul(factor).min(u64::from(u32::MAX) - 1) as u32).max(SHORTEST_LEASE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("1h", Some(3600))]
    #[case("30", Some(120))]
    #[case("2m", Some(120))]
    #[case("30m", Some(1800))]
    #[case("1w", Some(604_800))]
    #[case("infinite", Some(INFINITE))]
    #[case("h", None)]
    #[case("soon", None)]
    fn a_lease_time_is_at_least_two_minutes(#[case] text: &str, #[case] expected: Option<u32>) {
        assert_eq!(parse_lease_time(text), expected);
    }
}
