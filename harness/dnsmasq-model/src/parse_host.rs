//! `--dhcp-host` and the lines of a `--dhcp-hostsfile` (option.c, `LOPT_BANK`).

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::host::Host;
use super::host_address6::HostAddress6;
use super::hw_addr::{CHADDR_MAX, HwAddr};
use super::hw_pattern::HwPattern;
use super::lease_time::parse_lease_time;
use super::names::{legal_hostname, strip_hostname};
use super::parse_hex::{TypePrefix, parse_hex};
use super::text::Text;

/// Parses the value of a `--dhcp-host`, or a line of a `--dhcp-hostsfile`.
///
/// # Errors
/// Returns a description of the problem if the value is invalid.
pub(crate) fn parse_host(value: &str) -> Result<Host, String> {
    let mut host = Host::default();
    for word in value.split(',').map(str::trim) {
        if let Some(addr) = word.strip_prefix('[') {
            let addr = addr
                .strip_suffix(']')
                .ok_or_else(|| format!("expected a closing bracket in `{word}`"))?;
            host.addr6.push(HostAddress6::parse(addr)?);
        } else if let Some(id) = word.strip_prefix("id:").or_else(|| word.strip_prefix("ID:")) {
            if id.starts_with('*') {
                host.no_clid = true;
            } else {
                host.clid = Some(client_id(id).ok_or_else(|| {
                    format!("invalid client identifier `{id}`: expected hexadecimal digits")
                })?);
            }
        } else if let Some(tag) = word.strip_prefix("set:").or_else(|| word.strip_prefix("net:")) {
            host.set.push(tag.to_owned());
        } else if let Some(tag) = word.strip_prefix("tag:") {
            host.filter.push(tag.to_owned());
        } else if word.contains(':') {
            let mut bytes = word.as_bytes().to_vec();
            let hex = parse_hex(&mut bytes, CHADDR_MAX, TypePrefix::Allowed)
                .ok_or_else(|| format!("invalid hardware address `{word}`"))?;
            let hw = HwAddr::new(hex.kind, &bytes[..hex.len]);
            host.hardware.push(HwPattern { hw, wildcards: hex.mask });
        } else if let Ok(addr) = word.parse::<Ipv4Addr>() {
            host.addr = Some(addr);
        } else if word == "ignore" {
            host.ignore = true;
        } else if let Some(time) = parse_lease_time(word) {
            host.lease_time = Some(time);
        } else {
            let legal = legal_hostname(word.as_bytes())
                .ok_or_else(|| format!("invalid host name `{word}`"))?;
            host.name = Some(strip_hostname(legal).0.into());
        }
    }
    Ok(host)
}

fn client_id(text: &str) -> Option<Text> {
    let mut bytes = text.as_bytes().to_vec();
    if text.contains(':') {
        let hex = parse_hex(&mut bytes, usize::MAX, TypePrefix::Rejected)?;
        bytes.truncate(hex.len);
    }
    Some(Arc::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_parsed_with_its_addresses_name_and_lease_time() {
        let host = parse_host("02:cc:00:00:00:01,02:cc:00:00:00:02,192.168.77.44,twoports,5m")
            .expect("legal");
        assert_eq!(host.hardware.len(), 2);
        assert_eq!(host.addr, Some(Ipv4Addr::new(192, 168, 77, 44)));
        assert_eq!(host.name.as_deref(), Some(&b"twoports"[..]));
        assert_eq!(host.lease_time, Some(300));
        assert_eq!(
            parse_host("id:01:02:03:04,byclid").expect("legal").clid.as_deref(),
            Some(&[1, 2, 3, 4][..])
        );
        assert!(parse_host("02:zz:00,x").is_err());
        assert_eq!(parse_host("02:*:01,x").expect("legal").hardware[0].wildcards, 0b010);
    }
}
