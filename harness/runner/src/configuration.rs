//! Builds dnsmasq's command line from a scenario's `[server]`.

use std::net::{Ipv4Addr, Ipv6Addr};

use dnsmasq_model::{Build, Network, Release, ReleaseError, ServerConfig, option_since};
use scenario::diagnostics::SourceError;
use scenario::{Case, Rtc, Server};

/// The configuration of dnsmasq, and the network that it needs.
#[derive(Clone, Debug)]
pub(super) struct Configuration {
    pub(super) config: ServerConfig,
    pub(super) network: Network,
    /// dnsmasq's command line, with the program's name first.
    pub(super) command_line: Vec<String>,
}

/// The configuration that a `[server]` section describes.
///
/// # Errors
/// A range or an option that dnsmasq would reject, with its place.
pub(super) fn configuration(case: &Case, server: &Server) -> Result<Configuration, SourceError> {
    let release = match &server.dnsmasq {
        Some(name) => release(case, name)?,
        None => Release::NEWEST,
    };
    let range = |range: &toml::Spanned<String>, rest: &str| match range.get_ref().split_once('-') {
        Some((first, last)) => Ok(format!("--dhcp-range={},{},{rest}", first.trim(), last.trim())),
        None => Err(case.error(range.span(), "invalid range: expected FIRST-LAST")),
    };
    let time = match server.lease_time {
        scenario::LeaseTime::Infinite => "infinite".to_owned(),
        scenario::LeaseTime::Finite(seconds) => seconds.0.to_string(),
    };
    let mut line: Vec<String> =
        ["dnsmasq", "--leasefile-ro", "--dhcp-script=/etc/lease_update.sh", "--interface=br0"]
            .map(str::to_owned)
            .to_vec();
    line.push(range(&server.range, &format!("255.255.255.0,{time}"))?);
    if let Some(range6) = &server.range6 {
        line.push(range(range6, &format!("64,{time}"))?);
    }
    if let Some(limit) = server.lease_limit {
        line.push(format!("--dhcp-lease-max={limit}"));
    }
    if let Some(range6) = server.range6.as_ref().filter(|_| !release.has_dhcpv6()) {
        return Err(case.error(range6.span(), format!("dnsmasq {release} does not serve DHCPv6")));
    }
    for option in &server.options {
        let since = option_since(option.get_ref());
        if since > release {
            let message =
                format!("dnsmasq {release} does not have this option: it came with {since}");
            return Err(case.error(option.span(), message));
        }
        if option.get_ref().contains('\0') {
            let message = format!(
                "{:?} contains a NUL byte, which no argument of a process can",
                option.get_ref()
            );
            return Err(case.error(option.span(), message));
        }
        // One at a time, so that an error has the place of its option.
        let words = ["dnsmasq", option.get_ref()];
        let config = ServerConfig::parse(&words)
            .map_err(|error| case.error(option.span(), error.to_string()))?;
        if !config.unmodelled.is_empty() {
            return Err(case.error(option.span(), "the engine does not model this option"));
        }
        line.push(option.get_ref().clone());
    }
    let mut config = ServerConfig::parse(&line)
        .map_err(|error| case.error(server.range.span(), error.to_string()))?;
    config.release = release;
    let network = network(&config).ok_or_else(|| {
        case.error(server.range.span(), "invalid range: both ends must lie in one /24 network")
    })?;
    Ok(Configuration { config, network, command_line: line })
}

/// The release of dnsmasq that a scenario names.
///
/// # Errors
/// An unknown release, with its place.
pub(super) fn release(case: &Case, name: &toml::Spanned<String>) -> Result<Release, SourceError> {
    name.get_ref().parse().map_err(|error: ReleaseError| case.error(name.span(), error.to_string()))
}

/// The router's own addresses: the first of the /24 and the /64 that it leases from.
fn network(config: &ServerConfig) -> Option<Network> {
    // The range of `[server]` comes before those of its options, and the list begins with the last one.
    let range = config.ranges4.last()?;
    let (first, last) = (range.start.octets(), range.end.octets());
    let v6 = config.ranges6.last().map(|range| {
        let mut segments = range.start.segments();
        segments[4..].copy_from_slice(&[0, 0, 0, 1]);
        (Ipv6Addr::from(segments), 64)
    });
    (first[..3] == last[..3]).then(|| Network {
        v4: vec![(Ipv4Addr::new(first[0], first[1], first[2], 1), 24)],
        v6: v6.into_iter().collect(),
        ..Network::default()
    })
}

/// The build of dnsmasq for `rtc` of a scenario.
pub fn build_of(rtc: Rtc) -> Build {
    match rtc {
        Rtc::Good => Build::Rtc,
        Rtc::Broken => Build::NoRtc,
    }
}
