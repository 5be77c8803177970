//! The options of dnsmasq's command line (option.c) that affect leases and script calls.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::host::Host;
use super::options::{WITHOUT_DHCP, WITHOUT_EFFECT, names_interface};
use super::parse_host::parse_host;
use super::parse_range::{AnyRange, parse_range};
use super::range::{Range4, Range6, Use6};
use super::release::Release;
use super::tags::{TagIf, TagRule};

/// The hosts file that dnsmasq reads by default.
const HOSTS_FILE: &str = "/etc/hosts";

/// An option with an invalid value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("option `{option}`: {problem}")]
pub struct ConfigError {
    /// The argument as given.
    pub option: String,
    /// What is wrong, and what is expected.
    pub problem: String,
}

/// A `--domain` for a range of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CondDomain {
    /// The domain.
    pub domain: Vec<u8>,
    /// First address.
    pub start: IpAddr,
    /// Last address.
    pub end: IpAddr,
}

/// dnsmasq's options. Lists are in the order of dnsmasq's own lists, which start with the option that was given last.
#[expect(clippy::struct_excessive_bools, reason = "each flag is an independent option of dnsmasq")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// The release of dnsmasq that has these options.
    pub release: Release,
    /// `--dhcp-script` as a path; empty without a script.
    pub script: Vec<u8>,
    /// The first `--interface`.
    pub interface: Vec<u8>,
    /// Whether there is an `--interface`.
    pub(crate) names_interface: bool,
    /// `--dhcp-leasefile`.
    pub lease_file: String,
    /// `--leasefile-ro`: the script stores the database.
    pub lease_ro: bool,
    /// IPv4 ranges, last given first.
    pub ranges4: Vec<Range4>,
    /// IPv6 ranges, last given first.
    pub ranges6: Vec<Range6>,
    /// Hosts from the command line, last given first.
    pub hosts: Vec<Host>,
    /// `--dhcp-hostsfile`.
    pub hosts_files: Vec<String>,
    /// `--dhcp-hostsdir`.
    pub hosts_dirs: Vec<String>,
    /// `--addn-hosts` (DNS), and `/etc/hosts` unless `--no-hosts`.
    pub dns_hosts: Vec<String>,
    /// `--expand-hosts`.
    pub expand_hosts: bool,
    /// `--port`; 0 disables DNS.
    pub port: u16,
    /// `--domain` without a range.
    pub domain: Option<Vec<u8>>,
    /// `--domain` with a range, last given first.
    pub cond_domains: Vec<CondDomain>,
    /// `--dhcp-lease-max`.
    pub lease_max: usize,
    /// `--dhcp-fqdn`.
    pub fqdn: bool,
    /// `--dhcp-authoritative`.
    pub authoritative: bool,
    /// `--script-arp`.
    pub script_arp: bool,
    /// `--script-on-renewal`.
    pub script_on_renewal: bool,
    /// `--log-dhcp`.
    pub log_dhcp: bool,
    /// `--dhcp-rapid-commit`.
    pub rapid_commit: bool,
    /// `--bootp-dynamic`, each with its tags.
    pub bootp_dynamic: Vec<Vec<String>>,
    /// `--dhcp-ignore-names`, each with its tags.
    pub ignore_names: Vec<Vec<String>>,
    /// `--dhcp-generate-names`, each with its tags.
    pub generate_names: Vec<Vec<String>>,
    /// `--dhcp-ignore`, each with its tags.
    pub ignore: Vec<Vec<String>>,
    /// `--dhcp-ignore-clid`.
    pub ignore_clid: bool,
    /// `--dhcp-sequential-ip`.
    pub sequential: bool,
    /// `--enable-tftp`.
    pub tftp: bool,
    /// `--tftp-root`, with a trailing slash.
    pub tftp_root: Vec<u8>,
    /// Options that set tags, last given first.
    pub tag_rules: Vec<TagRule>,
    /// `--tag-if`, in the order in which they were given.
    pub tag_if: Vec<TagIf>,
    /// `--conf-file`: files with more options.
    pub conf_files: Vec<String>,
    /// `--conf-dir`: folders of files with more options.
    pub conf_dirs: Vec<String>,
    /// Whether dnsmasq sends router advertisements, which also use the alarm.
    pub advertises: bool,
    /// `--host-record`.
    pub host_records: Vec<String>,
    /// Interfaces on which there is no DHCP.
    pub(crate) without_dhcp: Vec<String>,
    /// `bind-interfaces` or `bind-dynamic`.
    pub(crate) bound_by: Option<String>,
    /// Why dnsmasq does not start, if options exclude each other.
    pub conflict: Option<String>,
    /// The given options that have no effect on leases and script calls.
    pub(crate) without_effect: BTreeSet<String>,
    /// Options that are not modelled. They may change the behaviour of the real dnsmasq.
    pub unmodelled: Vec<String>,
}

impl Default for ServerConfig {
    fn default() -> ServerConfig {
        ServerConfig {
            release: Release::NEWEST,
            script: Vec::new(),
            interface: b"lan0".to_vec(),
            names_interface: false,
            lease_file: "/var/lib/misc/dnsmasq.leases".to_owned(),
            lease_ro: false,
            ranges4: Vec::new(),
            ranges6: Vec::new(),
            hosts: Vec::new(),
            hosts_files: Vec::new(),
            hosts_dirs: Vec::new(),
            dns_hosts: vec![HOSTS_FILE.to_owned()],
            expand_hosts: false,
            port: 53,
            domain: None,
            cond_domains: Vec::new(),
            lease_max: 1000,
            fqdn: false,
            authoritative: false,
            script_arp: false,
            script_on_renewal: false,
            log_dhcp: false,
            rapid_commit: false,
            bootp_dynamic: Vec::new(),
            ignore_names: Vec::new(),
            generate_names: Vec::new(),
            ignore: Vec::new(),
            ignore_clid: false,
            sequential: false,
            tftp: false,
            tftp_root: Vec::new(),
            tag_rules: Vec::new(),
            tag_if: Vec::new(),
            conf_files: Vec::new(),
            conf_dirs: Vec::new(),
            advertises: false,
            host_records: Vec::new(),
            without_dhcp: Vec::new(),
            bound_by: None,
            conflict: None,
            without_effect: BTreeSet::new(),
            unmodelled: Vec::new(),
        }
    }
}

impl ServerConfig {
    /// Parses dnsmasq's arguments, of which the first is the program's name. Options that are not modelled are collected
    /// in [`ServerConfig::unmodelled`].
    ///
    /// # Errors
    /// Returns an error if the value of a modelled option is invalid.
    pub fn parse<S: AsRef<str>>(argv: &[S]) -> Result<ServerConfig, ConfigError> {
        let mut config = ServerConfig::default();
        for arg in argv.iter().skip(1) {
            config.add_argument(arg.as_ref())?;
        }
        Ok(config)
    }

    /// Adds an argument of the command line.
    fn add_argument(&mut self, arg: &str) -> Result<(), ConfigError> {
        match arg.strip_prefix("--") {
            Some(option) => self.add_option(option, arg),
            None => {
                self.unmodelled.push(arg.to_owned());
                Ok(())
            }
        }
    }

    /// Adds an option, given without its `--`. Error messages quote it as `arg`.
    pub(crate) fn add_option(&mut self, option: &str, arg: &str) -> Result<(), ConfigError> {
        let invalid =
            |problem: &str| ConfigError { option: arg.to_owned(), problem: problem.to_owned() };
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        let required = || value.ok_or_else(|| invalid("needs a value: --option=value"));
        let config = self;
        match name {
            "dhcp-script" => config.script = required()?.as_bytes().to_vec(),
            "interface" => {
                // Further interfaces are in `Network::others`.
                if !std::mem::replace(&mut config.names_interface, true) {
                    config.interface = required()?.as_bytes().to_vec();
                }
            }
            "leasefile-ro" => config.lease_ro = true,
            "dhcp-leasefile" => required()?.clone_into(&mut config.lease_file),
            "dhcp-range" => config.add_range(required()?).map_err(|p| invalid(&p))?,
            "dhcp-host" => {
                let host = parse_host(required()?).map_err(|p| invalid(&p))?;
                config.hosts.insert(0, host);
            }
            "dhcp-hostsfile" => config.hosts_files.push(required()?.to_owned()),
            "dhcp-hostsdir" => config.hosts_dirs.push(required()?.to_owned()),
            "addn-hosts" => config.dns_hosts.push(required()?.to_owned()),
            "no-hosts" => config.dns_hosts.retain(|path| path != HOSTS_FILE),
            "expand-hosts" => config.expand_hosts = true,
            "port" => {
                config.port = required()?
                    .parse()
                    .map_err(|_| invalid("expected a port number, 0 to 65535"))?;
            }
            "domain" => config.add_domain(required()?).map_err(|p| invalid(&p))?,
            "dhcp-lease-max" => {
                config.lease_max =
                    required()?.parse().map_err(|_| invalid("expected a number of leases"))?;
            }
            "dhcp-fqdn" => config.fqdn = true,
            "dhcp-authoritative" => config.authoritative = true,
            "script-arp" => config.script_arp = true,
            "script-on-renewal" => config.script_on_renewal = true,
            "log-dhcp" => config.log_dhcp = true,
            "dhcp-rapid-commit" => config.rapid_commit = true,
            "bootp-dynamic" => config.bootp_dynamic.push(tags(value)),
            "dhcp-ignore-names" => config.ignore_names.push(tags(value)),
            "dhcp-generate-names" => config.generate_names.push(tags(value)),
            "dhcp-ignore" => config.ignore.push(tags(value)),
            "dhcp-ignore-clid" => config.ignore_clid = true,
            "dhcp-sequential-ip" => config.sequential = true,
            "enable-tftp" => config.tftp = true,
            "tftp-root" => {
                config.tftp_root = required()?.as_bytes().to_vec();
                if !config.tftp_root.ends_with(b"/") {
                    config.tftp_root.push(b'/');
                }
            }
            "tag-if" => {
                config.tag_if.push(TagIf::parse(required()?).map_err(|p| invalid(&p))?);
            }
            "conf-file" => config.conf_files.push(required()?.to_owned()),
            "conf-dir" => config.conf_dirs.push(required()?.to_owned()),
            "host-record" => config.host_records.push(required()?.to_owned()),
            "bind-interfaces" | "bind-dynamic" => {
                if config.bound_by.replace(name.to_owned()).is_some_and(|other| other != name) {
                    let why = "cannot set --bind-interfaces and --bind-dynamic".to_owned();
                    config.conflict = Some(why);
                }
            }
            other if TagRule::OPTIONS.contains(&other) => {
                let rule = TagRule::parse(other, required()?).map_err(|p| invalid(&p))?;
                config.tag_rules.insert(0, rule);
            }
            "enable-ra" => config.advertises = true,
            other if WITHOUT_DHCP.contains(&other) => {
                config.without_dhcp.push(required()?.to_owned());
            }
            other if WITHOUT_EFFECT.contains(&other) => {
                config.without_effect.insert(other.to_owned());
            }
            _ => config.unmodelled.push(arg.to_owned()),
        }
        Ok(())
    }

    /// Returns whether an option disables DHCP on the server's interface.
    pub(crate) fn serves_no_dhcp(&self) -> bool {
        self.without_dhcp.iter().any(|value| names_interface(value, &self.interface))
    }

    /// Returns the `argv[0]` of the script: the base name of its path (helper.c).
    #[must_use]
    pub fn script_name(&self) -> &[u8] {
        let start = self.script.iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1);
        &self.script[start..]
    }

    /// Returns the domain of an address (domain.c `get_domain`, `get_domain6`).
    #[must_use]
    pub(crate) fn domain_of(&self, addr: IpAddr) -> Option<&[u8]> {
        self.cond_domains
            .iter()
            .find(|c| match (addr, c.start, c.end) {
                (IpAddr::V4(a), IpAddr::V4(s), IpAddr::V4(e)) => s <= a && a <= e,
                (IpAddr::V6(a), IpAddr::V6(s), IpAddr::V6(e)) => s <= a && a <= e,
                _ => false,
            })
            .map(|c| &c.domain[..])
            .or(self.domain.as_deref())
    }

    fn add_domain(&mut self, value: &str) -> Result<(), String> {
        let mut parts = value.split(',');
        let domain = parts.next().unwrap_or_default();
        if domain.is_empty() || domain == "#" {
            return Err("expected a domain name".to_owned());
        }
        let domain = domain.trim_end_matches('.').as_bytes().to_vec();
        let Some(first) = parts.next() else {
            self.domain = Some(domain);
            return Ok(());
        };
        let (start, end) = if let Some((net, bits)) = first.split_once('/') {
            let net: IpAddr = net.parse().map_err(|_| format!("invalid address `{net}`"))?;
            let bits: u32 = bits.parse().map_err(|_| format!("invalid prefix length `{bits}`"))?;
            subnet(net, bits).ok_or_else(|| format!("invalid prefix length `{bits}` of {net}"))?
        } else {
            let start: IpAddr =
                first.parse().map_err(|_| format!("invalid address or subnet `{first}`"))?;
            let end = match parts.next() {
                None => start,
                Some(end) => end.parse().map_err(|_| format!("invalid address `{end}`"))?,
            };
            (start, end)
        };
        self.cond_domains.insert(0, CondDomain { domain, start, end });
        Ok(())
    }

    fn add_range(&mut self, value: &str) -> Result<(), String> {
        match parse_range(value)? {
            AnyRange::V4(range) => self.ranges4.insert(0, range),
            AnyRange::V6(range) => {
                // Every mode except `static` turns on router advertisements.
                self.advertises |= range.use6 != Use6::Leases || value.contains(",ra-");
                self.advertises |= value.contains(",slaac");
                self.ranges6.insert(0, range);
            }
        }
        Ok(())
    }
}

fn subnet(net: IpAddr, bits: u32) -> Option<(IpAddr, IpAddr)> {
    match net {
        IpAddr::V4(net) => {
            let host =
                u32::MAX.checked_shr(bits).filter(|_| bits <= 32).or((bits == 32).then_some(0))?;
            let net = net.to_bits();
            Some((Ipv4Addr::from_bits(net & !host).into(), Ipv4Addr::from_bits(net | host).into()))
        }
        IpAddr::V6(net) => {
            let host = u128::MAX
                .checked_shr(bits)
                .filter(|_| bits <= 128)
                .or((bits == 128).then_some(0))?;
            let net = net.to_bits();
            Some((Ipv6Addr::from_bits(net & !host).into(), Ipv6Addr::from_bits(net | host).into()))
        }
    }
}

fn tags(value: Option<&str>) -> Vec<String> {
    value
        .into_iter()
        .flat_map(|v| v.split(','))
        .map(|tag| tag.strip_prefix("tag:").unwrap_or(tag).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_value_is_reported_with_its_option() {
        let error =
            ServerConfig::parse(&["dnsmasq", "--dhcp-range=here,there"]).expect_err("no address");
        assert_eq!(
            error.to_string(),
            "option `--dhcp-range=here,there`: invalid IP address `here`"
        );
    }

    #[test]
    fn the_last_range_comes_first_and_a_domain_may_have_a_range() {
        let config = ServerConfig::parse(&[
            "dnsmasq",
            "--dhcp-range=10.0.0.1,10.0.0.9,255.255.255.0,1h",
            "--dhcp-range=10.0.1.1,10.0.1.9,30m",
            "--domain=example.org",
            "--domain=guest.example.org,10.0.1.0/24",
            "--frobnicate",
        ])
        .expect("legal");
        assert_eq!(config.ranges4[0].lease_time, 1800);
        assert_eq!(
            config.domain_of("10.0.1.5".parse().expect("address")),
            Some(&b"guest.example.org"[..])
        );
        assert_eq!(
            config.domain_of("10.0.0.5".parse().expect("address")),
            Some(&b"example.org"[..])
        );
        assert_eq!(config.unmodelled, ["--frobnicate"]);
    }
}
