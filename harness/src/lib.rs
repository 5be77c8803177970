//! The `leaselab` command: dnsmasq engine, scenarios, targets and reporters.
