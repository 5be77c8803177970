//! Configured hosts (dhcp-common.c `find_config`), and names from hosts files (dhcp.c `host_from_dns`).

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::config::ServerConfig;
use super::host::{Host, config_has_mac};
use super::hw_addr::HwAddr;
use super::hw_pattern::matching_octets;
use super::names::{legal_name, same_name, strip_hostname};
use super::netmask::{same_net, same_net6};
use super::parse_host::parse_host;
use super::range::{Range4, Range6};
use super::rules::{HostsFileName, Rules};
use super::tag_list::{EmptyList, match_tags};
use super::text::Text;

/// The files that dnsmasq reads, keyed by their paths on its command line.
pub type ConfigFiles = BTreeMap<String, Vec<u8>>;

/// The network of a client: the ranges that apply to it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ClientNetwork<'a> {
    /// Any network (`context == NULL`).
    Any,
    /// On a network with these IPv4 ranges, each with its netmask.
    V4(&'a [(&'a Range4, Ipv4Addr)]),
    /// On a network with these IPv6 ranges.
    V6(&'a [Range6]),
}

/// The configured hosts and the names of addresses, as dnsmasq last read them.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostDirectory {
    /// The hosts from files, then those from the command line. In both groups, the last one comes first.
    hosts: Arc<Vec<Host>>,
    /// The first name that hosts files give for an address.
    names: Arc<HashMap<IpAddr, Text>>,
}

fn is_in_context(network: ClientNetwork<'_>, host: &Host) -> bool {
    if host.addr.is_none() && host.addr6.is_empty() {
        return true;
    }
    match network {
        ClientNetwork::Any => true,
        ClientNetwork::V4(ranges) => host
            .addr
            .is_some_and(|addr| ranges.iter().any(|(r, mask)| same_net(addr, r.start, *mask))),
        ClientNetwork::V6(ranges) => host.addr6.iter().any(|own| {
            ranges.iter().any(|range| {
                if own.is_suffix() {
                    range.prefix == 64
                } else {
                    same_net6(own.addr, range.start, range.prefix)
                }
            })
        }),
    }
}

impl HostDirectory {
    /// Reads the hosts from the options and files, as `reread_dhcp` and `cache_reload` do.
    pub(crate) fn read(config: &ServerConfig, files: &ConfigFiles) -> HostDirectory {
        let mut hosts = config.hosts.clone();
        let mut texts: Vec<&[u8]> = Vec::new();
        texts.extend(
            config.hosts_files.iter().filter_map(|path| files.get(path)).map(Vec::as_slice),
        );
        for dir in &config.hosts_dirs {
            texts.extend(
                files.iter().filter(|(path, _)| is_in_dir(path, dir)).map(|(_, text)| &text[..]),
            );
        }
        for text in texts {
            add_hosts(&mut hosts, text);
        }
        if !Rules::of(config.release).hosts_share_leases {
            // The last hardware address replaces those before it.
            for host in &mut hosts {
                host.hardware.drain(..host.hardware.len().saturating_sub(1));
            }
        }
        let mut names: HashMap<IpAddr, Text> = HashMap::new();
        let mut addresses: HashMap<Vec<u8>, Ipv4Addr> = HashMap::new();
        if config.port != 0 {
            for record in &config.host_records {
                read_hosts_file(config, &host_record(record), &mut names, &mut addresses);
            }
            for text in config.dns_hosts.iter().filter_map(|path| files.get(path)) {
                read_hosts_file(config, text, &mut names, &mut addresses);
            }
            add_addresses_by_name(&mut hosts, &addresses);
        }
        HostDirectory { hosts: Arc::new(hosts), names: Arc::new(names) }
    }

    /// Adds the hosts of a new or changed file in a `--dhcp-hostsdir` in front of the known hosts.
    pub(crate) fn add_file(&mut self, text: &[u8]) {
        add_hosts(Arc::make_mut(&mut self.hosts), text);
    }

    /// Returns whether there are no hosts and no names.
    pub(crate) fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.names.is_empty()
    }

    /// Finds the entry of a client (dhcp-common.c `find_config`). Entries with tags take precedence.
    pub(crate) fn find(
        &self,
        network: ClientNetwork<'_>,
        clid: Option<&[u8]>,
        hw: Option<&HwAddr>,
        name: Option<&[u8]>,
        tags: &[String],
    ) -> Option<&Host> {
        if self.hosts.is_empty() {
            return None;
        }
        self.find_match(network, clid, hw, name, tags, EmptyList::DoesNotMatch)
            .or_else(|| self.find_match(network, clid, hw, name, tags, EmptyList::Matches))
    }

    fn find_match(
        &self,
        network: ClientNetwork<'_>,
        clid: Option<&[u8]>,
        hw: Option<&HwAddr>,
        name: Option<&[u8]>,
        tags: &[String],
        empty: EmptyList,
    ) -> Option<&Host> {
        let matches =
            |host: &Host| is_in_context(network, host) && match_tags(&host.filter, tags, empty);
        if let Some(clid) = clid {
            let by_id = self.hosts.iter().find(|host| {
                host.clid.as_deref().is_some_and(|own| {
                    // dhcpcd puts a zero byte before a textual client identifier.
                    let same = own == clid
                        || (!matches!(network, ClientNetwork::V6(_))
                            && clid.first() == Some(&0)
                            && own == &clid[1..]);
                    same && matches(host)
                })
            });
            if by_id.is_some() {
                return by_id;
            }
        }
        if let Some(hw) = hw
            && let Some(host) =
                self.hosts.iter().find(|host| config_has_mac(host, hw) && matches(host))
        {
            return Some(host);
        }
        if let Some(name) = name
            && !matches!(network, ClientNetwork::Any)
        {
            let by_name = self.hosts.iter().find(|host| {
                host.name.as_deref().is_some_and(|own| same_name(own, name)) && matches(host)
            });
            if by_name.is_some() {
                return by_name;
            }
        }
        let hw = hw?;
        let mut best: (usize, Option<&Host>) = (0, None);
        for host in self.hosts.iter().filter(|host| matches(host)) {
            for pattern in host.hardware.iter().filter(|p| p.wildcards != 0) {
                let count = matching_octets(pattern, hw);
                if count > best.0 {
                    best = (count, Some(host));
                }
            }
        }
        best.1
    }

    /// Finds a host by its IPv4 address (dhcp.c `config_find_by_address`).
    pub(crate) fn find_by_addr(&self, addr: Ipv4Addr) -> Option<&Host> {
        self.hosts.iter().find(|host| host.addr == Some(addr))
    }

    /// Returns whether a host is configured for this IPv6 address.
    pub(crate) fn has_addr6(&self, addr: Ipv6Addr) -> bool {
        let has = |host: &Host| {
            host.addr6.iter().any(|own| same_net6(own.addr, addr, own.prefix.unwrap_or(128)))
        };
        self.hosts.iter().any(has)
    }

    /// Returns the first label of the name that hosts files give to an address, if the domain of the name is that of
    /// the address (dhcp.c `host_from_dns`).
    ///
    /// Until 2.52, the C function works in the buffer that holds the client's name.
    pub(crate) fn name_of(
        &self,
        addr: Ipv4Addr,
        config: &ServerConfig,
        rules: &Rules,
    ) -> Option<HostsName<'_>> {
        let name = &self.names.get(&IpAddr::V4(addr))?[..];
        let (label, domain) = strip_hostname(name);
        let own = config.domain_of(IpAddr::V4(addr));
        let is_own = match (domain, own) {
            (Some(domain), Some(own)) => same_name(own, domain),
            _ => false,
        };
        let taken = |taken: bool| {
            if taken { HostsName::Taken(label) } else { HostsName::ReplacesClientName(label) }
        };
        Some(match rules.hosts_file_name {
            HostsFileName::ForeignReplacesWhole if domain.is_some() && !is_own => {
                HostsName::ReplacesClientName(name)
            }
            HostsFileName::ForeignReplacesWhole => HostsName::Taken(label),
            HostsFileName::LabelReplaces => taken(domain.is_none() || is_own),
            HostsFileName::OwnReplaces => taken(domain.is_none() || (own.is_some() && !is_own)),
            HostsFileName::ForeignReplaces => {
                let is_legal = legal_name(label, rules.name_syntax).is_some();
                taken(is_legal && (domain.is_none() || is_own))
            }
            HostsFileName::OwnOnly => {
                if domain.is_some() && !is_own {
                    return None;
                }
                let legal = legal_name(name, rules.name_syntax)?;
                HostsName::Taken(strip_hostname(legal).0)
            }
        })
    }
}

/// The name that a hosts file gives to a leased address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostsName<'a> {
    /// The name of the lease, which no client can take.
    Taken(&'a [u8]),
    /// The name is not used, but it overwrites the buffer that holds the client's name.
    ReplacesClientName(&'a [u8]),
}

/// Returns whether dnsmasq reads the file as part of the folder `dir`. It skips hidden files and backup files
/// (inotify.c).
pub(crate) fn is_in_dir(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir.trim_end_matches('/'))
        .and_then(|rest| rest.strip_prefix('/'))
        .is_some_and(|file| {
            let is_backup = file.ends_with('~') || file.starts_with('#') && file.ends_with('#');
            !(file.is_empty() || file.contains('/') || file.starts_with('.') || is_backup)
        })
}

fn add_hosts(hosts: &mut Vec<Host>, text: &[u8]) {
    for line in String::from_utf8_lossy(text).lines() {
        let line = line.split_once('#').map_or(line, |(before, _)| before).trim();
        // dnsmasq logs an invalid line, or one with the address of another host, and continues.
        if !line.is_empty()
            && let Ok(host) = parse_host(line)
            && !hosts.iter().any(|other| host.addr.is_some() && other.addr == host.addr)
        {
            hosts.insert(0, host);
        }
    }
}

/// Converts a `--host-record` (names, then addresses, then a time to live) to lines of a hosts file.
fn host_record(value: &str) -> Vec<u8> {
    let words = || value.split(',').map(str::trim);
    let is_name = |word: &&str| word.parse::<IpAddr>().is_err() && word.parse::<u32>().is_err();
    let names: Vec<&str> = words().filter(is_name).collect();
    let addresses = words().filter(|word| word.parse::<IpAddr>().is_ok());
    addresses.flat_map(|addr| format!("{addr} {}\n", names.join(" ")).into_bytes()).collect()
}

/// Reads a hosts file (cache.c `read_hostsfile`). The first name of an address is kept.
fn read_hosts_file(
    config: &ServerConfig,
    text: &[u8],
    names: &mut HashMap<IpAddr, Text>,
    addresses: &mut HashMap<Vec<u8>, Ipv4Addr>,
) {
    for line in String::from_utf8_lossy(text).lines() {
        let line = line.split_once('#').map_or(line, |(before, _)| before);
        let mut words = line.split_whitespace();
        let Some(addr) = words.next().and_then(|w| w.parse::<IpAddr>().ok()) else { continue };
        for word in words {
            let name = word.trim_end_matches('.');
            let mut full = name.as_bytes().to_vec();
            if config.expand_hosts
                && !name.contains('.')
                && let Some(domain) = config.domain_of(addr)
            {
                full.push(b'.');
                full.extend_from_slice(domain);
            }
            names.entry(addr).or_insert_with(|| full.into());
            if let IpAddr::V4(addr) = addr {
                addresses.entry(name.to_ascii_lowercase().into_bytes()).or_insert(addr);
            }
        }
    }
}

/// Gives each host without an address the address that a hosts file has for its name (dhcp-common.c
/// `dhcp_update_configs`).
fn add_addresses_by_name(hosts: &mut [Host], addresses: &HashMap<Vec<u8>, Ipv4Addr>) {
    for at in 0..hosts.len() {
        let Some(name) = &hosts[at].name else { continue };
        if hosts[at].addr.is_some() {
            continue;
        }
        let Some(&addr) = addresses.get(&name.to_ascii_lowercase()) else { continue };
        if !hosts.iter().any(|host| host.addr == Some(addr)) {
            hosts[at].addr = Some(addr);
        }
    }
}
