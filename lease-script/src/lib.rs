//! The lease database kept by a dnsmasq `dhcp-script`.
