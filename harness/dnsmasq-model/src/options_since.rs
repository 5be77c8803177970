//! The releases that added options of dnsmasq (option.c).

use super::release::Release;

/// Options that 2.33 does not have, each with the first release that has it.
const OPTIONS: &[(&str, u8)] = &[
    ("all-servers", 41),
    ("auth-ttl", 66),
    ("bind-dynamic", 63),
    ("clear-on-reload", 34),
    ("dhcp-broadcast", 41),
    ("dhcp-client-update", 60),
    ("dhcp-fqdn", 46),
    ("dhcp-generate-names", 53),
    ("dhcp-hostsdir", 73),
    ("dhcp-hostsfile", 40),
    ("dhcp-ignore-clid", 81),
    ("dhcp-ignore-names", 36),
    ("dhcp-no-override", 41),
    ("dhcp-option-force", 38),
    ("dhcp-rapid-commit", 80),
    ("dhcp-scriptuser", 42),
    ("dhcp-sequential-ip", 58),
    ("dhcp-ttl", 76),
    ("enable-tftp", 36),
    ("local-service", 69),
    ("log-async", 39),
    ("log-debug", 85),
    ("log-dhcp", 39),
    ("max-ttl", 53),
    ("neg-ttl", 41),
    ("quiet-dhcp", 67),
    ("quiet-dhcp6", 67),
    ("quiet-ra", 67),
    ("quiet-tftp", 86),
    ("script-arp", 76),
    ("script-on-renewal", 81),
    ("stop-dns-rebind", 41),
    ("tftp-max", 36),
    ("tftp-no-blocksize", 38),
    ("tftp-no-fail", 73),
    ("tftp-root", 36),
    ("tftp-secure", 36),
];

/// The first release that has the option of an argument such as `--dhcp-fqdn`.
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
    }
}
