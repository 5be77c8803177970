//! Tags that options set depending on what a client sends: `--dhcp-mac`, `--dhcp-vendorclass`, `--dhcp-userclass`,
//! `--dhcp-match`, `--dhcp-name-match`, `--dhcp-circuitid` and similar options, and `--tag-if` (rfc2131.c `dhcp_reply`,
//! rfc3315.c `dhcp6_no_relay`, dhcp-common.c `run_tag_if`).

use super::client4::Client4;
use super::hw_addr::{CHADDR_MAX, HwAddr};
use super::hw_pattern::{HwPattern, matching_octets};
use super::names::{legal_hostname, same_name};
use super::parse_hex::{TypePrefix, parse_hex};
use super::rules::Rules;
use super::tag_list::{EmptyList, match_tags};

/// What a rule compares.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// The hardware address (`--dhcp-mac`).
    Hardware(HwPattern),
    /// A part of option 60 (`--dhcp-vendorclass`).
    VendorClass(Vec<u8>),
    /// A part of option 77 (`--dhcp-userclass`).
    UserClass(Vec<u8>),
    /// The complete value of a suboption of option 82.
    Relay(Suboption, Vec<u8>),
    /// Any option (`--dhcp-match`).
    Option(u8, Pattern),
    /// The host name, or its beginning (`--dhcp-name-match`).
    Name(Vec<u8>, NamePart),
}

/// A suboption of the relay agent's option 82.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suboption {
    Circuit,
    Remote,
    Subscriber,
}

/// The value that `--dhcp-match` requires.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// Any value: the option only has to be present.
    Any,
    /// The value contains this text.
    Text(Vec<u8>),
    /// The value begins with these bytes.
    Bytes(Vec<u8>),
}

/// How much of a host name is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NamePart {
    Whole,
    Beginning,
}

/// An option that sets a tag for the clients that match it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRule {
    set: String,
    source: Source,
}

/// A `--tag-if`: sets tags if other tags are set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagIf {
    tags: Vec<String>,
    /// The last given first.
    set: Vec<String>,
}

/// The names that `--dhcp-match` accepts for options that clients send.
const OPTION_NAMES: [(&str, u8); 5] = [
    ("hostname", 12),
    ("lease-time", 51),
    ("vendor-class", 60),
    ("client-id", 61),
    ("user-class", 77),
];

impl TagRule {
    /// The names of the options that [`TagRule::parse`] accepts.
    pub(crate) const OPTIONS: [&'static str; 8] = [
        "dhcp-mac",
        "dhcp-vendorclass",
        "dhcp-userclass",
        "dhcp-circuitid",
        "dhcp-remoteid",
        "dhcp-subscrid",
        "dhcp-match",
        "dhcp-name-match",
    ];

    /// Parses the value of one of [`TagRule::OPTIONS`].
    pub(crate) fn parse(option: &str, value: &str) -> Result<TagRule, String> {
        let (tag, data) = value
            .split_once(',')
            .ok_or_else(|| format!("expected set:TAG and a value in `{value}`"))?;
        let set = tag.strip_prefix("set:").or_else(|| tag.strip_prefix("net:")).unwrap_or(tag);
        let text = || data.as_bytes().to_vec();
        let bytes_or_text = || hex_bytes(data).unwrap_or_else(text);
        let source = match option {
            "dhcp-mac" => {
                let mut bytes = text();
                let hex = parse_hex(&mut bytes, CHADDR_MAX, TypePrefix::Allowed)
                    .ok_or_else(|| format!("invalid hardware address `{data}`"))?;
                let hw = HwAddr::new(hex.kind, &bytes[..hex.len]);
                Source::Hardware(HwPattern { hw, wildcards: hex.mask })
            }
            "dhcp-vendorclass" if data.contains(',') => {
                return Err("an enterprise number is not modelled".to_owned());
            }
            "dhcp-vendorclass" => Source::VendorClass(text()),
            "dhcp-userclass" => Source::UserClass(text()),
            "dhcp-circuitid" => Source::Relay(Suboption::Circuit, bytes_or_text()),
            "dhcp-remoteid" => Source::Relay(Suboption::Remote, bytes_or_text()),
            "dhcp-subscrid" => Source::Relay(Suboption::Subscriber, bytes_or_text()),
            "dhcp-name-match" => match data.strip_suffix('*') {
                Some(start) => Source::Name(start.as_bytes().to_vec(), NamePart::Beginning),
                None => Source::Name(text(), NamePart::Whole),
            },
            _ => option_source(data)?,
        };
        Ok(TagRule { set: set.to_owned(), source })
    }

    /// Returns whether a DHCPv4 client matches. Names are not compared.
    fn matches(&self, client: &Client4) -> bool {
        let options = &client.options;
        let contains = |value: &[u8], part: &[u8]| {
            !value.is_empty() && (part.is_empty() || value.windows(part.len()).any(|w| w == part))
        };
        match &self.source {
            Source::Hardware(pattern) => matching_octets(pattern, &client.hw) != 0,
            Source::VendorClass(part) => contains(&options.vendor_class, part),
            Source::UserClass(part) => {
                options.user_classes.iter().any(|class| contains(class, part))
            }
            Source::Relay(suboption, value) => {
                let sent = match suboption {
                    Suboption::Circuit => &options.circuit_id,
                    Suboption::Remote => &options.remote_id,
                    Suboption::Subscriber => &options.subscriber_id,
                };
                !sent.is_empty() && sent == value
            }
            Source::Option(code, pattern) => {
                sent_option(client, *code).is_some_and(|sent| match pattern {
                    Pattern::Any => true,
                    Pattern::Text(part) => contains(&sent, part),
                    Pattern::Bytes(start) => sent.starts_with(start),
                })
            }
            Source::Name(..) => false,
        }
    }
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.as_bytes().to_vec();
    if !text.contains(':') {
        return None;
    }
    let hex = parse_hex(&mut bytes, usize::MAX, TypePrefix::Rejected)?;
    bytes.truncate(hex.len);
    Some(bytes)
}

/// Parses the value of `--dhcp-match` (option.c `parse_dhcp_opt` with `DHOPT_MATCH`), for the options that simulated
/// clients can send.
fn option_source(data: &str) -> Result<Source, String> {
    let (name, value) = match data.split_once(',') {
        Some((name, value)) => (name, Some(value)),
        None => (data, None),
    };
    let name = name.strip_prefix("option:").unwrap_or(name);
    if name.contains(':') {
        return Err(format!("`{name}` is not modelled: only options of DHCPv4 by number or name"));
    }
    let named = OPTION_NAMES.iter().find(|(known, _)| *known == name).map(|(_, code)| *code);
    // A rule for an option that simulated clients do not send matches no client.
    let code = named.or_else(|| name.parse().ok()).unwrap_or(0);
    let pattern = match value {
        None => Pattern::Any,
        Some(value) => match hex_bytes(value) {
            Some(bytes) => Pattern::Bytes(bytes),
            None => Pattern::Text(value.as_bytes().to_vec()),
        },
    };
    Ok(Source::Option(code, pattern))
}

/// Returns the value of an option in a message of the client.
fn sent_option(client: &Client4, code: u8) -> Option<Vec<u8>> {
    let options = &client.options;
    let value = match code {
        12 => client.hostname.as_deref().unwrap_or_default().to_vec(),
        51 => client.lease_time?.to_be_bytes().to_vec(),
        55 => options.requested.clone(),
        60 => options.vendor_class.clone(),
        61 => client.clid.as_deref().unwrap_or_default().to_vec(),
        77 => options.user_classes.concat(),
        161 => options.mud_url.clone(),
        _ => return None,
    };
    Some(value).filter(|value| !value.is_empty())
}

/// Adds a tag at the front, where dnsmasq's lists grow.
fn push(tags: &mut Vec<String>, tag: &str) {
    tags.insert(0, tag.to_owned());
}

/// Returns the tags of a DHCPv4 client before its configured host is looked up. `rules` are in the order of dnsmasq's
/// lists: the last given first.
pub(crate) fn tags4(rules: &[TagRule], interface: &[u8], client: &Client4) -> Vec<String> {
    let mut tags = vec![String::from_utf8_lossy(interface).into_owned()];
    let stages: [fn(&Source) -> bool; 4] = [
        |source| matches!(source, Source::Relay(..)),
        |source| matches!(source, Source::Hardware(_)),
        |source| matches!(source, Source::Option(..)),
        |source| matches!(source, Source::VendorClass(_) | Source::UserClass(_)),
    ];
    for is_in_stage in stages {
        for rule in rules.iter().filter(|rule| is_in_stage(&rule.source) && rule.matches(client)) {
            push(&mut tags, &rule.set);
        }
    }
    tags
}

/// Returns how many tags at the front of [`tags4`] are set by options that the client sends.
pub(crate) fn option_tags4(rules: &[TagRule], client: &Client4) -> usize {
    let is_option = |source: &Source| {
        matches!(source, Source::Option(..) | Source::VendorClass(_) | Source::UserClass(_))
    };
    rules.iter().filter(|rule| is_option(&rule.source) && rule.matches(client)).count()
}

/// Returns the tags of a DHCPv6 client before its configured host is looked up.
pub(crate) fn tags6(
    rules: &Rules,
    tag_rules: &[TagRule],
    interface: &[u8],
    hw: Option<&HwAddr>,
) -> Vec<String> {
    let mut tags = vec![String::from_utf8_lossy(interface).into_owned()];
    if rules.dhcpv6_tag {
        tags.insert(0, "dhcpv6".to_owned());
    }
    for rule in tag_rules {
        if let (Source::Hardware(pattern), Some(hw)) = (&rule.source, hw)
            && matching_octets(pattern, hw) != 0
        {
            push(&mut tags, &rule.set);
        }
    }
    tags
}

/// Adds the tags of `--dhcp-name-match` for the name that a client sends.
pub(crate) fn add_name_tags(rules: &[TagRule], sent: Option<&[u8]>, tags: &mut Vec<String>) {
    let Some(name) = sent.and_then(legal_hostname) else { return };
    for rule in rules {
        if let Source::Name(own, part) = &rule.source
            && name.len() >= own.len()
            && same_name(&name[..own.len()], own)
            && (name.len() == own.len() || *part == NamePart::Beginning)
        {
            push(tags, &rule.set);
        }
    }
}

impl TagIf {
    pub(crate) fn parse(value: &str) -> Result<TagIf, String> {
        let mut rule = TagIf { tags: Vec::new(), set: Vec::new() };
        for word in value.split(',') {
            if let Some(tag) = word.strip_prefix("set:") {
                rule.set.insert(0, tag.to_owned());
            } else if let Some(tag) = word.strip_prefix("tag:") {
                rule.tags.push(tag.to_owned());
            } else {
                return Err(format!("expected `set:` or `tag:` before `{word}`"));
            }
        }
        if rule.set.is_empty() { Err("expected a `set:`".to_owned()) } else { Ok(rule) }
    }

    /// Returns the tags, including those that the rules set, in the order in which dnsmasq prints them.
    pub(crate) fn apply(rules: &[TagIf], mut tags: Vec<String>) -> Vec<String> {
        for rule in rules {
            if match_tags(&rule.tags, &tags, EmptyList::DoesNotMatch) {
                for tag in &rule.set {
                    push(&mut tags, tag);
                }
            }
        }
        tags
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rstest::rstest;

    use super::*;
    use crate::client4::Options4;

    fn tags(option: &str, value: &str) -> Vec<String> {
        let mut client = Client4::new(HwAddr::ethernet([2, 0xaa, 0, 0, 0, 1]));
        client.hostname = Some(b"Android-7"[..].into());
        client.options = Arc::new(Options4 {
            vendor_class: b"MSFT 5.0".to_vec(),
            user_classes: vec![b"iPXE".to_vec()],
            circuit_id: vec![1, 2],
            ..Options4::default()
        });
        let rules = [TagRule::parse(option, value).expect("a valid rule")];
        let mut tags = tags4(&rules, b"br0", &client);
        add_name_tags(&rules, client.hostname.as_deref(), &mut tags);
        tags
    }

    #[rstest]
    #[case("dhcp-mac", "set:x,02:aa:*:*:*:*", true)]
    #[case("dhcp-mac", "set:x,02:ab:*:*:*:*", false)]
    #[case("dhcp-vendorclass", "set:x,MSFT", true)]
    #[case("dhcp-vendorclass", "x,MSFT", true)]
    #[case("dhcp-userclass", "set:x,iPXE", true)]
    #[case("dhcp-circuitid", "set:x,01:02", true)]
    #[case("dhcp-circuitid", "set:x,01", false)]
    #[case("dhcp-match", "set:x,60", true)]
    #[case("dhcp-match", "set:x,option:vendor-class,5.0", true)]
    #[case("dhcp-match", "set:x,175", false)]
    #[case("dhcp-name-match", "set:x,android*", true)]
    #[case("dhcp-name-match", "set:x,android", false)]
    fn a_rule_sets_its_tag_for_the_clients_that_match(
        #[case] option: &str,
        #[case] value: &str,
        #[case] matches: bool,
    ) {
        let expected: &[&str] = if matches { &["x", "br0"] } else { &["br0"] };
        assert_eq!(tags(option, value), expected);
    }

    #[test]
    fn tag_if_sets_tags_if_others_are_set() {
        let rules = [
            TagIf::parse("set:both,tag:a,tag:!b").expect("valid"),
            TagIf::parse("set:more,tag:both").expect("valid"),
        ];
        assert_eq!(TagIf::apply(&rules, vec!["a".to_owned()]), ["more", "both", "a"]);
        assert_eq!(TagIf::apply(&rules, vec!["a".to_owned(), "b".to_owned()]), ["a", "b"]);
        assert!(TagIf::parse("tag:a").is_err());
    }
}
