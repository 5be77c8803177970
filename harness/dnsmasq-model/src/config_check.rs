//! Checks of the configuration as a whole (option.c `read_opts` and `one_opt`, dnsmasq.c `main`). If one fails, dnsmasq
//! exits, in most cases before it calls the script.

use std::sync::Arc;

use super::config::ServerConfig;
use super::hosts::ConfigFiles;
use super::init::StartFailure;
use super::network::Network;
use super::range::{Range6, Use6};
use super::rules::Rules;

/// `EC_BADCONF` of dnsmasq.h.
const BAD_CONFIGURATION: u8 = 1;

impl ServerConfig {
    /// Returns the configuration with which dnsmasq runs. It includes the options of its files, and the ranges that are
    /// constructed from the addresses of its interface.
    ///
    /// # Errors
    /// Returns an error if dnsmasq exits at once with this configuration.
    pub(crate) fn at_start(
        self: &Arc<Self>,
        files: &ConfigFiles,
        network: &Network,
    ) -> Result<Arc<ServerConfig>, StartFailure> {
        let is_plain = self.conf_files.is_empty()
            && self.conf_dirs.is_empty()
            && self.ranges6.iter().all(|r| r.template.is_none() && r.use6 == Use6::Leases);
        if is_plain {
            return self.check().map(|()| Arc::clone(self));
        }
        let mut config = self.with_files(files)?;
        config.check()?;
        config.ranges6 = Range6::construct(&config.ranges6, &config.interface, network);
        Ok(Arc::new(config))
    }

    /// Checks that dnsmasq gets as far as calling `init` with this configuration.
    ///
    /// # Errors
    /// Returns exit code 1 and the message that dnsmasq logs.
    pub fn check(&self) -> Result<(), StartFailure> {
        let fail = |message: String| Err(StartFailure::Exit { code: BAD_CONFIGURATION, message });
        let refuses_duplicates = Rules::of(self.release).refuses_duplicate_addresses;
        if let Some(addr) = self.duplicate_address().filter(|_| refuses_duplicates) {
            return fail(format!("duplicate dhcp-host IP address {addr}"));
        }
        if self.fqdn && self.domain.is_none() {
            return fail("there must be a default domain when --dhcp-fqdn is set".to_owned());
        }
        let has = |option: &str| self.without_effect.contains(option);
        if has("dnssec") && !has("trust-anchor") {
            return fail("no root trust anchor provided for DNSSEC".to_owned());
        }
        if has("auth-zone") && !has("auth-server") {
            return fail("--auth-server required when an auth zone is defined".to_owned());
        }
        Ok(())
    }

    /// Checks that dnsmasq continues to run after it has called `init` (the end of dnsmasq.c `main`).
    ///
    /// # Errors
    /// Returns exit code 1 and the message that dnsmasq logs.
    pub(crate) fn check_after_init(&self) -> Result<(), StartFailure> {
        match &self.conflict {
            None => Ok(()),
            Some(why) => Err(StartFailure::Exit { code: BAD_CONFIGURATION, message: why.clone() }),
        }
    }

    /// Returns an IPv4 address that two hosts on the command line have.
    fn duplicate_address(&self) -> Option<std::net::Ipv4Addr> {
        let with_addresses =
            self.hosts.iter().enumerate().filter_map(|(at, h)| Some((at, h.addr?)));
        with_addresses
            .into_iter()
            .find(|(at, addr)| self.hosts[at + 1..].iter().any(|other| other.addr == Some(*addr)))
            .map(|(_, addr)| addr)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["--dhcp-host=02:aa:00:00:00:01,10.0.0.8", "--dhcp-host=02:aa:00:00:00:02,10.0.0.8"], 1)]
    #[case(&["--dhcp-host=02:aa:00:00:00:01,10.0.0.8", "--dhcp-host=02:aa:00:00:00:02,10.0.0.9"], 0)]
    #[case(&["--dhcp-fqdn"], 1)]
    #[case(&["--dhcp-fqdn", "--domain=lan,10.0.0.0/24"], 1)]
    #[case(&["--dhcp-fqdn", "--domain=lan"], 0)]
    #[case(&["--bind-interfaces", "--bind-dynamic"], 1)]
    #[case(&["--dnssec"], 1)]
    #[case(&["--dnssec", "--trust-anchor=.,20326,8,2,E06D44B8"], 0)]
    #[case(&["--auth-zone=lan"], 1)]
    #[case(&["--auth-zone=lan", "--auth-server=ns.lan,eth0"], 0)]
    fn dnsmasq_exits_with_a_configuration_that_contradicts_itself(
        #[case] options: &[&str],
        #[case] status: i32,
    ) {
        let words = [&["dnsmasq"], options].concat();
        let config = ServerConfig::parse(&words).expect("options that are valid on their own");
        let checked = config.check().and_then(|()| config.check_after_init());
        assert_eq!(checked.map_or_else(|failure| failure.status(), |()| 0), status);
    }
}
