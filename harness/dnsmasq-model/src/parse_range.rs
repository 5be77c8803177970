//! `--dhcp-range` (option.c `one_opt`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::lease_time::parse_lease_time;
use super::netmask::{same_net, same_net6};
use super::range::{Range4, Range6, Use6};

/// Default lease time of DHCPv4 in seconds (`DEFLEASE`).
const DEFAULT_TIME4: u32 = 3600;
/// Default lease time of DHCPv6 in seconds (`DEFLEASE6`).
const DEFAULT_TIME6: u32 = 86_400;

/// A range of either family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AnyRange {
    V4(Range4),
    V6(Range6),
}

/// Parses the value of a `--dhcp-range`.
///
/// # Errors
/// Returns a description of the problem if dnsmasq rejects the value.
pub(crate) fn parse_range(value: &str) -> Result<AnyRange, String> {
    let mut set = None;
    let mut filter = Vec::new();
    let mut bare_tag = None;
    let mut words: Vec<&str> = value.split(',').collect();
    // Words before the first possible address are tags: `tag:` is a filter; `set:`, `net:` or no prefix sets a tag.
    while words.len() > 1 && !words[0].bytes().all(may_be_in_an_address) {
        let word = words.remove(0);
        if let Some(tag) = word.strip_prefix("tag:") {
            filter.extend(Some(tag.to_owned()).filter(|tag| !tag.is_empty()));
        } else if set.is_some() {
            return Err(format!("only one tag can be set, but `{word}` is a second one"));
        } else {
            let tag = word.strip_prefix("set:").or_else(|| word.strip_prefix("net:"));
            bare_tag = tag.is_none().then_some(word);
            set = Some(tag.unwrap_or(word).to_owned());
        }
    }
    let (first, rest) = words.split_first().ok_or("expected a first address")?;
    match first.parse() {
        Ok(_) if rest.is_empty() => {
            Err(format!("expected a last address or a mode after `{first}`"))
        }
        Ok(IpAddr::V4(start)) => parse4(start, rest, set, filter).map(AnyRange::V4),
        Ok(IpAddr::V6(start)) => parse6(start, rest, set, filter).map(AnyRange::V6),
        // No word is an address, so the mistake is probably in the first word without a tag prefix.
        Err(_) if !first.bytes().all(may_be_in_an_address) => {
            Err(format!("invalid IP address `{}`", bare_tag.unwrap_or(first)))
        }
        Err(_) => Err(format!("invalid IP address `{first}`")),
    }
}

fn may_be_in_an_address(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b' ' | b'.' | b':')
}

fn parse4(
    start: Ipv4Addr,
    rest: &[&str],
    set: Option<String>,
    filter: Vec<String>,
) -> Result<Range4, String> {
    let mut range = Range4 {
        start,
        end: start,
        netmask: None,
        is_static: false,
        lease_time: DEFAULT_TIME4,
        set,
        filter,
    };
    match rest[0] {
        "static" => range.is_static = true,
        "proxy" => {
            return Err("`proxy` is not modelled: it serves PXE and leases no addresses".to_owned());
        }
        last => {
            range.end = last.parse().map_err(|_| {
                format!("invalid last address `{last}`: expected an address or `static`")
            })?;
        }
    }
    if range.end < range.start {
        std::mem::swap(&mut range.start, &mut range.end);
    }
    let mut rest = &rest[1..];
    if let Some(mask) = rest.first().and_then(|word| word.parse().ok()) {
        if !same_net(range.start, range.end, mask) {
            return Err(format!("the range is not in one network with netmask {mask}"));
        }
        range.netmask = Some(mask);
        rest = &rest[1..];
        // The broadcast address.
        if rest.first().is_some_and(|word| word.parse::<Ipv4Addr>().is_ok()) {
            rest = &rest[1..];
        }
    }
    if let Some(time) = lease_time(rest)? {
        range.lease_time = time;
    }
    Ok(range)
}

fn parse6(
    start: Ipv6Addr,
    rest: &[&str],
    set: Option<String>,
    filter: Vec<String>,
) -> Result<Range6, String> {
    let mut range = Range6 {
        start,
        end: start,
        prefix: 64,
        is_static: false,
        lease_time: DEFAULT_TIME6,
        set,
        filter,
        use6: Use6::Advertisements,
        template: None,
    };
    let mut advertises = false;
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        if let Some(interface) = word.strip_prefix("constructor:") {
            range.template = Some(interface.to_owned());
        } else if let (0, Ok(end)) = (at, word.parse()) {
            range.end = end;
            range.use6 = Use6::Leases;
        } else {
            match *word {
                "static" => (range.is_static, range.use6) = (true, Use6::Leases),
                "ra-stateless" => (range.use6, advertises) = (Use6::Stateless, true),
                "ra-only" | "slaac" | "ra-names" | "ra-advrouter" => advertises = true,
                "off-link" => {}
                _ => break,
            }
        }
        at += 1;
    }
    if let Some(prefix) = rest.get(at).and_then(|word| word.parse().ok()).filter(|p| *p <= 128) {
        range.prefix = prefix;
        at += 1;
    }
    if range.prefix < 64 || (range.prefix > 64 && (advertises || range.template.is_some())) {
        let wanted = if range.prefix < 64 { "at least" } else { "exactly" };
        return Err(format!("invalid prefix length {}: expected {wanted} 64", range.prefix));
    }
    if !same_net6(range.start, range.end, range.prefix) {
        return Err(format!("the range is not in one network with prefix {}", range.prefix));
    }
    if range.template.is_some() && range.start.to_bits() >> 64 != 0 {
        return Err("the prefix must be zero with `constructor:`".to_owned());
    }
    if range.end < range.start {
        std::mem::swap(&mut range.start, &mut range.end);
    }
    match lease_time(&rest[at..]) {
        Ok(Some(time)) => range.lease_time = time,
        Ok(None) => {}
        Err(_) if rest[at..] == ["deprecated"] => {}
        Err(why) => return Err(why),
    }
    Ok(range)
}

fn lease_time(rest: &[&str]) -> Result<Option<u32>, String> {
    match rest {
        [] | [""] => Ok(None),
        [time] => parse_lease_time(time)
            .map(Some)
            .ok_or_else(|| format!("invalid address, mode or lease time `{time}`")),
        [_, more, ..] => Err(format!("unexpected `{more}`: the lease time is the last word")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn range4(value: &str) -> Range4 {
        match parse_range(value) {
            Ok(AnyRange::V4(range)) => range,
            other => panic!("{value}: {other:?}"),
        }
    }

    fn range6(value: &str) -> Range6 {
        match parse_range(value) {
            Ok(AnyRange::V6(range)) => range,
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn a_word_before_the_first_address_is_a_tag() {
        let range = range4("lan,192.168.1.2,192.168.1.254,255.255.255.0,86400s");
        assert_eq!((range.set.as_deref(), range.lease_time), (Some("lan"), 86_400));
        let range = range4("set:a,tag:b,tag:c,10.0.0.1,10.0.0.9,12h");
        assert_eq!((range.set.as_deref(), range.filter.len()), (Some("a"), 2));
    }

    #[test]
    fn a_static_range_has_no_last_address() {
        let range = range4("192.168.0.0,static,255.255.0.0,1h");
        assert!(range.is_static);
        assert_eq!(range.network(24), (Ipv4Addr::new(192, 168, 0, 0), 16));
    }

    #[rstest]
    #[case("::,constructor:eth0,ra-names,ra-stateless,64", Use6::Stateless)]
    #[case("::,constructor:lxdbr0,ra-stateless,ra-names", Use6::Stateless)]
    #[case("::100,::1ff,constructor:br0,ra-names,slaac,64,12h", Use6::Leases)]
    #[case("fd00::,ra-only", Use6::Advertisements)]
    #[case("fd00::,slaac", Use6::Advertisements)]
    #[case("fd00::,static", Use6::Leases)]
    fn the_modes_of_an_ipv6_range_determine_its_use(#[case] value: &str, #[case] expected: Use6) {
        assert_eq!(range6(value).use6, expected);
    }

    #[rstest]
    #[case("here,there", "invalid IP address `here`")]
    #[case("set:here,there", "invalid IP address `there`")]
    #[case("lan,192.168.1,static", "invalid IP address `192.168.1`")]
    #[case("lan,192.168.1.5", "expected a last address or a mode after `192.168.1.5`")]
    fn the_invalid_address_is_named(#[case] value: &str, #[case] message: &str) {
        assert_eq!(parse_range(value), Err(message.to_owned()));
    }

    #[rstest]
    #[case("192.168.1.5")]
    #[case("here,there")]
    #[case("192.168.1.5,192.168.2.5,255.255.255.0")]
    #[case("192.168.1.5,192.168.1.9,1h,2h")]
    #[case("a,b,192.168.1.5,192.168.1.9x")]
    #[case("fd00::1,fd00::9,48")]
    #[case("fd00::1,fd01::9")]
    #[case("fd00::1,constructor:br0")]
    fn invalid_ranges_are_rejected(#[case] value: &str) {
        assert!(parse_range(value).is_err(), "{value}");
    }
}
