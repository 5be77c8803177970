//! Builds dnsmasq's command line and the router's networks from a scenario.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dnsmasq_model::{
    Build, Interface, Network, Range4, Release, ReleaseError, ServerConfig, option_since,
};
use scenario::diagnostics::SourceError;
use scenario::{Case, LeaseTime, OtherNetwork, Rtc, Server, unspanned};
use toml::Spanned;

/// The range of addresses where the scenario names none.
const DEFAULT_RANGE: &str = "192.168.1.50-192.168.1.249";
/// The prefix of a network where the scenario names none and its range needs no larger network.
const PREFIX: u8 = 24;
/// The router's address in DHCPv6 networks where no range names one.
const ADDRESS6: Ipv6Addr = Ipv6Addr::new(0xfd00, 1, 0, 0, 0, 0, 0, 1);

/// The configuration of dnsmasq, and the networks that it needs.
#[derive(Clone, Debug)]
pub(super) struct Configuration {
    pub(super) config: ServerConfig,
    pub(super) network: Network,
    /// dnsmasq's command line, with the program's name first.
    pub(super) command_line: Vec<String>,
}

/// The configuration that a `[server]` section and the other networks of a case describe.
///
/// # Errors
/// A range, an address or an option that dnsmasq would reject, with its place.
pub(super) fn configuration(case: &Case, server: &Server) -> Result<Configuration, SourceError> {
    let release = release_of(case, server)?;
    let options = parse_options(case, server, release)?;
    let own = own_interface(case)?;
    let mut line: Vec<String> = vec!["dnsmasq".to_owned()];
    line.push(match server.leasefile.path() {
        None => "--leasefile-ro".to_owned(),
        Some(path) => format!("--dhcp-leasefile={path}"),
    });
    line.push("--dhcp-script=/etc/lease_update.sh".to_owned());
    line.push(format!("--interface={own}"));
    let default = unspanned(DEFAULT_RANGE.to_owned());
    let range = match &server.range {
        None if !options.ranges4.is_empty() => None,
        range => Some(range.as_ref().unwrap_or(&default)),
    };
    let time = time_text(server.lease_time);
    let address = server.address.as_ref().map(|text| address(case, text)).transpose()?;
    if let Some(range) = range {
        let (first, last) = ends(case, range)?;
        let (network, prefix) = network_of(case, range, address, (first, last))?;
        let mask = netmask(prefix);
        line.push(if server.static_range {
            format!("--dhcp-range={network},static,{mask},{time}")
        } else {
            format!("--dhcp-range={first},{last},{mask},{time}")
        });
    }
    if let Some(range6) = &server.range6 {
        let (first, last) = ends(case, range6)?;
        line.push(format!("--dhcp-range={first},{last},64,{time}"));
    }
    if let Some(limit) = server.lease_limit {
        line.push(format!("--dhcp-lease-max={limit}"));
    }
    if let Some(range6) = server.range6.as_ref().filter(|_| !release.has_dhcpv6()) {
        return Err(case.error(range6.span(), format!("dnsmasq {release} does not serve DHCPv6")));
    }
    line.extend(server.options.iter().map(|option| option.get_ref().clone()));
    let span = range.map_or(0..0, Spanned::span);
    let parse = |line: &[String]| {
        let mut config = ServerConfig::parse(line)
            .map_err(|error| case.error(span.clone(), error.to_string()))?;
        config.release = release;
        Ok::<_, SourceError>(config)
    };
    let mut network = main_network(&parse(&line)?, address);
    for other in &case.scenario.networks {
        let (options, interface) = other_network(case, other, &time)?;
        line.extend(options);
        network.others.extend(interface);
    }
    Ok(Configuration { config: parse(&line)?, network, command_line: line })
}

/// Checks whether a dnsmasq of the case's release accepts the `[server]` section of a case.
///
/// # Errors
/// What it would reject, with its place.
pub fn check_server(case: &Case) -> Result<(), SourceError> {
    configuration(case, &case.scenario.server).map(|_| ())
}

/// Checks the options one at a time, so that an error has the place of its option.
fn parse_options(
    case: &Case,
    server: &Server,
    release: Release,
) -> Result<ServerConfig, SourceError> {
    let mut words = vec!["dnsmasq".to_owned()];
    for option in &server.options {
        let text = option.get_ref();
        if text.contains('\0') {
            let message = format!(
                "{text:?} contains a NUL byte, which an argument of a process cannot contain"
            );
            return Err(case.error(option.span(), message));
        }
        let since = option_since(text);
        if since > release {
            let message =
                format!("dnsmasq {release} does not have this option: it came with {since}");
            return Err(case.error(option.span(), message));
        }
        let config = ServerConfig::parse(&["dnsmasq", text])
            .map_err(|error| case.error(option.span(), error.to_string()))?;
        if !config.unmodelled.is_empty() {
            let message =
                format!("`{text}` may change leases or script calls, and is not modelled");
            return Err(case.error(option.span(), message));
        }
        words.push(text.clone());
    }
    ServerConfig::parse(&words).map_err(|error| case.error(0..0, error.to_string()))
}

/// The release of dnsmasq that a `[server]` section names, or the newest.
///
/// # Errors
/// An unknown release, with its place.
pub(super) fn release_of(case: &Case, server: &Server) -> Result<Release, SourceError> {
    server.dnsmasq.as_ref().map_or(Ok(Release::NEWEST), |name| release(case, name))
}

/// The release of dnsmasq that a scenario names.
///
/// # Errors
/// An unknown release, with its place.
pub(super) fn release(case: &Case, name: &Spanned<String>) -> Result<Release, SourceError> {
    name.get_ref().parse().map_err(|error: ReleaseError| case.error(name.span(), error.to_string()))
}

fn time_text(time: LeaseTime) -> String {
    match time {
        LeaseTime::Infinite => "infinite".to_owned(),
        LeaseTime::Finite(seconds) => seconds.0.to_string(),
    }
}

/// The first and the last address of a range.
fn ends(case: &Case, range: &Spanned<String>) -> Result<(IpAddr, IpAddr), SourceError> {
    let invalid = || {
        case.error(range.span(), "invalid range: expected FIRST-LAST")
            .help("for example 192.168.1.50-192.168.1.249")
    };
    let (first, last) = range.get_ref().split_once('-').ok_or_else(invalid)?;
    let parse = |text: &str| {
        text.trim().parse::<IpAddr>().map_err(|_| {
            case.error(range.span(), format!("invalid range: `{}` is not an address", text.trim()))
        })
    };
    match (parse(first)?, parse(last)?) {
        (first, last) if first.is_ipv4() == last.is_ipv4() => Ok((first, last)),
        _ => Err(invalid()),
    }
}

/// An address with the length of its prefix.
fn address(case: &Case, text: &Spanned<String>) -> Result<(Ipv4Addr, u8), SourceError> {
    let parsed = text.get_ref().split_once('/').and_then(|(addr, prefix)| {
        let prefix: u8 = prefix.parse().ok().filter(|prefix| (8..=30).contains(prefix))?;
        Some((addr.parse().ok()?, prefix))
    });
    parsed.ok_or_else(|| {
        let message = format!("invalid address `{}`: expected ADDRESS/PREFIX", text.get_ref());
        case.error(text.span(), message)
            .help("for example 192.168.1.1/24, with a prefix of 8 to 30")
    })
}

fn netmask(prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::MAX << (32 - u32::from(prefix)))
}

/// The network of a range: that of the router's address, or else the smallest that contains the range.
fn network_of(
    case: &Case,
    range: &Spanned<String>,
    address: Option<(Ipv4Addr, u8)>,
    ends: (IpAddr, IpAddr),
) -> Result<(Ipv4Addr, u8), SourceError> {
    let (IpAddr::V4(first), IpAddr::V4(last)) = ends else {
        return Err(case.error(range.span(), "invalid range: expected IPv4 addresses"));
    };
    let (_, prefix) = address.unwrap_or_else(|| smallest_network(first, last));
    let mask = netmask(prefix).to_bits();
    let network = first.to_bits() & mask;
    let own = address.map_or(network, |(own, _)| own.to_bits() & mask);
    if prefix < 8 || last.to_bits() & mask != network || own != network {
        let message = "invalid range: both ends must lie in the router's network";
        return Err(case.error(range.span(), message).help("set `address` of `[server]`"));
    }
    Ok((Ipv4Addr::from_bits(network), prefix))
}

fn smallest_network(first: Ipv4Addr, last: Ipv4Addr) -> (Ipv4Addr, u8) {
    let common = (first.to_bits() ^ last.to_bits()).leading_zeros() as u8;
    let prefix = common.min(PREFIX);
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    (Ipv4Addr::from_bits(first.to_bits() & mask), prefix)
}

/// The router's addresses on its first interface: those of the ranges that were given first.
fn main_network(config: &ServerConfig, address: Option<(Ipv4Addr, u8)>) -> Network {
    let first_of = |range: &Range4| {
        let (network, prefix) = range.network(PREFIX);
        (Ipv4Addr::from_bits(network.to_bits() + 1), prefix)
    };
    let own = address.or_else(|| config.ranges4.last().map(first_of));
    let v6 = config.ranges6.last().map(|range| match range.template {
        Some(_) => (ADDRESS6, 64),
        None => {
            let mut segments = range.start.segments();
            segments[4..].copy_from_slice(&[0, 0, 0, 1]);
            (Ipv6Addr::from(segments), 64)
        }
    });
    Network {
        v4: vec![own.unwrap_or((Ipv4Addr::new(192, 168, 1, 1), PREFIX))],
        v6: v6.into_iter().collect(),
        ..Network::default()
    }
}

/// The options for another network, and the router's interface to it if there is one.
fn other_network(
    case: &Case,
    other: &OtherNetwork,
    default_time: &str,
) -> Result<(Vec<String>, Option<Interface>), SourceError> {
    let ends = ends(case, &other.range)?;
    let (network, prefix) = network_of(case, &other.range, None, ends)?;
    let time = other.lease_time.map_or_else(|| default_time.to_owned(), time_text);
    let (first, last) = ends;
    let router = case.scenario.router.interface.get_ref();
    let range = format!("--dhcp-range={first},{last},{},{time}", netmask(prefix));
    match (&other.relay, &other.interface) {
        (Some(relay), None) => {
            relay_address(case, relay)?;
            Ok((vec![range], None))
        }
        (None, Some(name)) if is_interface_name(name.get_ref()) && name.get_ref() != router => {
            let own = Ipv4Addr::from_bits(network.to_bits() + 1);
            let name = name.get_ref();
            let interface = Interface { name: name.as_bytes().to_vec(), v4: vec![(own, prefix)] };
            Ok((vec![format!("--interface={name}"), range], Some(interface)))
        }
        (None, Some(name)) => Err(case
            .error(name.span(), format!("invalid name of an interface `{}`", name.get_ref()))
            .help(format!(
                "expected at most 15 letters, digits, `.`, `-` or `_`, other than {router}"
            ))),
        _ => Err(case
            .error(other.name.span(), "a network needs either `relay` or `interface`")
            .help("`relay` is the address of a relay agent, `interface` one of the router's")),
    }
}

/// The router's interface to its clients.
///
/// # Errors
/// A name that no interface can have, with its place.
fn own_interface(case: &Case) -> Result<&str, SourceError> {
    let name = &case.scenario.router.interface;
    if is_interface_name(name.get_ref()) {
        return Ok(name.get_ref());
    }
    Err(case
        .error(name.span(), format!("invalid name of an interface `{}`", name.get_ref()))
        .help("expected at most 15 letters, digits, `.`, `-` or `_`"))
}

fn is_interface_name(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// The address of a relay agent.
///
/// # Errors
/// An invalid address, with its place.
pub(super) fn relay_address(case: &Case, relay: &Spanned<String>) -> Result<Ipv4Addr, SourceError> {
    relay.get_ref().parse().map_err(|_| {
        case.error(relay.span(), format!("invalid IPv4 address `{}`", relay.get_ref()))
    })
}

/// The build of dnsmasq for `rtc` of a scenario.
pub fn build_of(rtc: Rtc) -> Build {
    match rtc {
        Rtc::Good => Build::Rtc,
        Rtc::Broken => Build::NoRtc,
    }
}
