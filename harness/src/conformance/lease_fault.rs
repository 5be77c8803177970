//! How a stored lease differs from the one that dnsmasq reported.

use runner::lease_line::split_time;

/// Seconds in a year.
const YEAR: u64 = 365 * 86_400;

/// How a stored lease differs from the one that dnsmasq reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaseFault {
    /// It is not stored.
    Missing,
    /// A lease is stored that dnsmasq has not reported, or has reported as ended.
    Unexpected,
    /// Only its time differs: the stored lease ends earlier.
    EndsTooEarly,
    /// Only its time differs: the stored lease ends later.
    EndsTooLate,
    /// Only its time differs: the stored lease is infinite, or ends more than a year later.
    NeverEnds,
    /// Its hardware address, name or identifier differs.
    Different,
}

impl LeaseFault {
    /// The difference between the line that must be stored and the one that is; one of them may be missing.
    pub fn between(wanted: Option<&[u8]>, found: Option<&[u8]>) -> Self {
        let (wanted, found) = match (wanted, found) {
            (Some(wanted), Some(found)) => (wanted, found),
            (Some(_), None) => return Self::Missing,
            (None, _) => return Self::Unexpected,
        };
        match (split_time(wanted), split_time(found)) {
            (Some((wanted, rest)), Some((found, found_rest))) if rest == found_rest => {
                // 0 is a lease without an end.
                let end = |time: u64| if time == 0 { u64::MAX } else { time };
                match end(found).checked_sub(end(wanted)) {
                    None => Self::EndsTooEarly,
                    Some(later) if later > YEAR => Self::NeverEnds,
                    Some(_) => Self::EndsTooLate,
                }
            }
            _ => Self::Different,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Some("5 02:aa 10.0.0.1 a *"), None, LeaseFault::Missing)]
    #[case(None, Some("5 02:aa 10.0.0.1 a *"), LeaseFault::Unexpected)]
    #[case(Some("5 02:aa 10.0.0.1 a *"), Some("4 02:aa 10.0.0.1 a *"), LeaseFault::EndsTooEarly)]
    #[case(Some("0 02:aa 10.0.0.1 a *"), Some("4 02:aa 10.0.0.1 a *"), LeaseFault::EndsTooEarly)]
    #[case(Some("5 02:aa 10.0.0.1 a *"), Some("6 02:aa 10.0.0.1 a *"), LeaseFault::EndsTooLate)]
    #[case(Some("5 02:aa 10.0.0.1 a *"), Some("0 02:aa 10.0.0.1 a *"), LeaseFault::NeverEnds)]
    #[case(Some("5 02:aa 10.0.0.1 a *"), Some("5 02:aa 10.0.0.1 b *"), LeaseFault::Different)]
    #[case(Some("duid 00:01"), Some("duid 00:02"), LeaseFault::Different)]
    fn a_difference_has_one_name(
        #[case] wanted: Option<&str>,
        #[case] found: Option<&str>,
        #[case] fault: LeaseFault,
    ) {
        assert_eq!(LeaseFault::between(wanted.map(str::as_bytes), found.map(str::as_bytes)), fault);
    }
}
