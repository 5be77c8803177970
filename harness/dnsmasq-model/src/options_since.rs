//! The releases in which options were added to dnsmasq (option.c).

use super::release::Release;

/// Options that 2.33 does not have, each with the minor number of the first release that has it.
const OPTIONS: &[(&str, u8)] = &[
    ("add-cpe-id", 76),
    ("add-mac", 56),
    ("add-subnet", 67),
    ("all-servers", 41),
    ("auth-peer", 66),
    ("auth-sec-servers", 66),
    ("auth-server", 66),
    ("auth-soa", 66),
    ("auth-ttl", 66),
    ("auth-zone", 66),
    ("bind-dynamic", 63),
    ("caa-record", 80),
    ("cache-rr", 90),
    ("clear-on-reload", 34),
    ("cname", 46),
    ("connmark-allowlist", 86),
    ("connmark-allowlist-enable", 86),
    ("conntrack", 58),
    ("dhcp-broadcast", 41),
    ("dhcp-circuitid", 39),
    ("dhcp-client-update", 60),
    ("dhcp-fqdn", 46),
    ("dhcp-generate-names", 53),
    ("dhcp-hostsdir", 73),
    ("dhcp-hostsfile", 40),
    ("dhcp-ignore-clid", 81),
    ("dhcp-ignore-names", 36),
    ("dhcp-match", 41),
    ("dhcp-name-match", 80),
    ("dhcp-no-override", 41),
    ("dhcp-option-force", 38),
    ("dhcp-option-pxe", 91),
    ("dhcp-optsdir", 73),
    ("dhcp-optsfile", 41),
    ("dhcp-pxe-vendor", 83),
    ("dhcp-rapid-commit", 80),
    ("dhcp-remoteid", 39),
    ("dhcp-scriptuser", 42),
    ("dhcp-sequential-ip", 58),
    ("dhcp-subscrid", 39),
    ("dhcp-ttl", 76),
    ("dns-loop-detect", 72),
    ("dns-rr", 62),
    ("dnssec", 69),
    ("dnssec-check-unsigned", 69),
    ("dnssec-debug", 69),
    ("dnssec-limits", 90),
    ("dnssec-no-timecheck", 69),
    ("dnssec-timestamp", 73),
    ("dumpfile", 80),
    ("dumpmask", 80),
    ("dynamic-host", 85),
    ("enable-ra", 60),
    ("enable-tftp", 36),
    ("enable-ubus", 80),
    ("fast-dns-retry", 88),
    ("filter-A", 87),
    ("filter-AAAA", 87),
    ("filter-rr", 90),
    ("host-record", 61),
    ("ignore-address", 73),
    ("interface-name", 39),
    ("ipset", 66),
    ("local-service", 69),
    ("log-async", 39),
    ("log-debug", 85),
    ("log-dhcp", 39),
    ("max-cache-ttl", 64),
    ("max-port", 76),
    ("max-tcp-connections", 90),
    ("max-ttl", 53),
    ("min-cache-ttl", 73),
    ("min-port", 43),
    ("naptr-record", 43),
    ("neg-ttl", 41),
    ("nftset", 87),
    ("no-dhcpv4-interface", 90),
    ("no-dhcpv6-interface", 90),
    ("no-ident", 89),
    ("no-round-robin", 88),
    ("port-limit", 88),
    ("proxy-dnssec", 56),
    ("ptr-record", 36),
    ("pxe-prompt", 48),
    ("pxe-service", 48),
    ("quiet-dhcp", 67),
    ("quiet-dhcp6", 67),
    ("quiet-ra", 67),
    ("quiet-tftp", 86),
    ("ra-param", 67),
    ("rebind-domain-ok", 53),
    ("rebind-localhost-ok", 53),
    ("rev-server", 69),
    ("script-arp", 76),
    ("script-on-renewal", 81),
    ("servers-file", 69),
    ("stop-dns-rebind", 41),
    ("strip-mac", 87),
    ("strip-subnet", 87),
    ("synth-domain", 67),
    ("tag-if", 53),
    ("tftp-lowercase", 61),
    ("tftp-max", 36),
    ("tftp-mtu", 76),
    ("tftp-no-blocksize", 38),
    ("tftp-no-fail", 73),
    ("tftp-port-range", 41),
    ("tftp-root", 36),
    ("tftp-secure", 36),
    ("tftp-single-port", 81),
    ("tftp-unique-root", 40),
    ("trust-anchor", 69),
    ("umbrella", 86),
    ("use-stale-cache", 88),
];

/// Returns the first release that has the option of an argument such as `--dhcp-fqdn`.
#[must_use]
pub fn option_since(argument: &str) -> Release {
    let name = argument.trim_start_matches('-');
    let name = name.split_once('=').map_or(name, |(name, _)| name);
    let found = OPTIONS.iter().find(|(option, _)| *option == name);
    found.map_or(Release::OLDEST, |(_, minor)| Release::new(*minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_found_with_and_without_its_value() {
        assert_eq!(option_since("--dhcp-fqdn").to_string(), "2.46");
        assert_eq!(option_since("--dhcp-hostsfile=/etc/hosts.d").to_string(), "2.40");
        assert_eq!(option_since("--domain=lan"), Release::OLDEST);
        assert_eq!(option_since("--dhcp-name-match=set:wpad,wpad").to_string(), "2.80");
    }
}
