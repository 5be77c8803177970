//! The parameters of the server that an `on` block may set.

/// The type of a parameter of the server.
#[derive(Clone, Copy)]
pub(super) enum Value {
    Number,
    Flag,
    Text,
    Any,
}

/// Returns the type of a parameter that an `on` block may set (`server_options` of server/stables.c).
pub(super) fn parameter(name: &[u8]) -> Option<Value> {
    const NUMBERS: &str = " default-lease-time max-lease-time min-lease-time dynamic-bootp-lease-length min-secs omapi-port \
         local-port remote-port ddns-ttl ping-timeout adaptive-lease-time-threshold preferred-lifetime limit-addrs-per-ia \
         limit-prefs-per-ia delayed-ack max-ack-delay dhcp-cache-threshold log-threshold-low log-threshold-high \
         abandon-lease-time ping-cltt-secs ping-timeout-ms ";
    const FLAGS: &str = " one-lease-per-client get-lease-hostnames use-host-decl-names \
         use-lease-addr-for-default-route always-reply-rfc1048 always-broadcast ddns-updates stash-agent-options \
         update-optimization ping-check update-static-leases do-forward-updates infinite-is-reserved leasequery \
         do-reverse-updates dont-use-fsync ignore-client-uids echo-client-id server-id-check dhcpv6-set-tee-times use-eui-64 \
         check-secs-byte-order persist-eui-64-leases ddns-dual-stack-mixed-mode ddns-guard-id-must-match \
         ddns-other-guard-is-dynamic release-on-roam bind-local-address6 update-conflict-detection ";
    const TEXTS: &str = " filename server-name ddns-domainname ddns-hostname ddns-rev-domainname lease-file-name \
         pid-file-name dhcpv6-lease-file-name dhcpv6-pid-file-name ";
    const OTHERS: &str = " next-server dynamic-bootp-lease-cutoff vendor-option-space site-option-space \
         limited-broadcast-address local-address local-address6 omapi-key ddns-update-style log-facility fqdn-reply \
         ddns-local-address4 ddns-local-address6 prefix-length-mode ";
    let name = format!(" {} ", std::str::from_utf8(name).ok()?.to_ascii_lowercase());
    let kinds = [
        (NUMBERS, Value::Number),
        (FLAGS, Value::Flag),
        (TEXTS, Value::Text),
        (OTHERS, Value::Any),
    ];
    kinds.into_iter().find(|(names, _)| names.contains(&name)).map(|(_, value)| value)
}
