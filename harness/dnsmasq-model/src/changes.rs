//! The changes between releases of dnsmasq that affect lease scripts.
//!
//! The engine takes its rules from this table. `leaselab dnsmasq list` and `docs/dnsmasq-releases.md` are generated from
//! it.

use super::release::Release;
use super::rules::{
    AddressHash, CallDelivery, ClassVariables, ForeignDomain, GeneratedDuid, HexSyntax,
    HostsFileName, InitParser, InterfaceKnowledge, NameArgument, NameSyntax, ReadMark, Rules,
    StoredLeaseLimit, TimeRemaining, UnknownRebind, UserClasses,
};

/// A change in dnsmasq that a lease script can notice.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// The first release with the change.
    pub since: Release,
    /// What dnsmasq does from this release on.
    pub rule: &'static str,
    /// The functions of dnsmasq that changed.
    pub function: &'static str,
    /// What a lease script notices.
    pub effect: &'static str,
    pub(crate) apply: fn(&mut Rules),
}

/// Returns the changes in the releases after `from`, up to and including `to`. Without `from`, the entries for the oldest
/// release are included.
pub fn changes_between(
    from: Option<Release>,
    to: Release,
) -> impl Iterator<Item = &'static Change> {
    CHANGES
        .iter()
        .filter(move |change| from.is_none_or(|from| from < change.since) && change.since <= to)
}

const fn since(minor: u8) -> Release {
    Release::new(minor)
}

/// All changes, oldest first. The entries for 2.33 describe the behaviour of the oldest release.
pub static CHANGES: &[Change] = &[
    Change {
        since: since(33),
        rule: "dnsmasq runs the script itself, one call at a time, without a helper process",
        function: "lease_collect, run_script (lease.c)",
        effect: "all changes to a lease while a script runs are reported in one call; SIGTERM drops the waiting calls",
        apply: |_| {},
    },
    Change {
        since: since(33),
        rule: "after SIGHUP, the script is called only for changed names, at the next packet or alarm; the first DHCP packet after SIGHUP is lost",
        function: "main, clear_cache_and_reload (dnsmasq.c)",
        effect: "SIGHUP does not repeat calls that the script missed; a RELEASE directly after SIGHUP is not reported",
        apply: |_| {},
    },
    Change {
        since: since(33),
        rule: "the only variables are DNSMASQ_CLIENT_ID and, with a trailing space, DNSMASQ_LEASE_EXPIRES or DNSMASQ_LEASE_LENGTH",
        function: "run_script (lease.c)",
        effect: "a script that stores the value unchanged stores two spaces",
        apply: |_| {},
    },
    Change {
        since: since(33),
        rule: "a lease is removed only after the second of its expiry, and the alarm is set to 10 seconds after the expiry",
        function: "lease_prune, lease_update_file (lease.c)",
        effect: "the del call comes with the first DHCP packet after the expiry, or 10 seconds after the expiry",
        apply: |_| {},
    },
    Change {
        since: since(33),
        rule: "if the time of the alarm has already passed, the wait wraps around to 136 years",
        function: "lease_update_file (lease.c)",
        effect: "after the clock is set forward, no lease expires until a DHCP packet arrives",
        apply: |_| {},
    },
    Change {
        since: since(33),
        rule: "init is read with scanf; reading ends at the first line that is not `NUMBER MAC ADDRESS NAME CLIENT-ID`, and an invalid address becomes 255.255.255.255",
        function: "lease_init (lease.c)",
        effect: "a single invalid line loses all leases after it; the `duid` line and DHCPv6 lines are invalid",
        apply: |_| {},
    },
    Change {
        since: since(33),
        rule: "dnsmasq exits with 1 if init fails, or if it prints more leases than --dhcp-lease-max",
        function: "lease_init (lease.c)",
        effect: "the exit code does not tell why dnsmasq did not start",
        apply: |_| {},
    },
    Change {
        since: since(33),
        rule: "after a start, there is one old call for every lease",
        function: "lease_init (lease.c)",
        effect: "N leases: N calls",
        apply: |_| {},
    },
    Change {
        since: since(33),
        rule: "a client's name may contain letters, digits, `-`, `_` and `/`; a name with a domain other than the server's is not used",
        function: "legal_char (util.c), strip_hostname (rfc2131.c)",
        effect: "the fourth argument can be `a/b`",
        apply: |_| {},
    },
    Change {
        since: since(34),
        rule: "a helper process runs the script and takes the calls from a pipe",
        function: "create_helper, queue_script (helper.c)",
        effect: "every change is reported by its own call, until 64 KB of calls are waiting; at SIGTERM, the waiting calls are made",
        apply: |rules| {
            rules.sighup_starts_no_script = false;
            rules.packet_after_sighup_is_lost = false;
            rules.delivery = CallDelivery::Queued;
        },
    },
    Change {
        since: since(34),
        rule: "the loss of a name is reported by a separate old call with DNSMASQ_OLD_HOSTNAME, before the call for the new holder",
        function: "do_script_run (lease.c)",
        effect: "a change of name causes two calls; for the victim of a stolen name, there is only the call with DNSMASQ_OLD_HOSTNAME",
        apply: |rules| {
            rules.reports_lost_names = true;
            rules.taken_name_marks_other_lease = false;
            rules.taken_name_keeps_spelling = false;
        },
    },
    Change {
        since: since(34),
        rule: "DNSMASQ_VENDOR_CLASS, DNSMASQ_USER_CLASS0, DNSMASQ_USER_CLASS1 and so on, in add calls",
        function: "dhcp_reply (rfc2131.c), queue_script (helper.c)",
        effect: "new variables",
        apply: |rules| rules.classes = ClassVariables::InAdd,
    },
    Change {
        since: since(35),
        rule: "a REQUEST with a requested address (SELECTING, INIT-REBOOT) always marks the lease as changed",
        function: "dhcp_reply (rfc2131.c)",
        effect: "every boot of a client causes an old call, even if nothing changed; the call contains the classes of the client",
        apply: |rules| {
            rules.request_marks_changed = true;
            rules.classes = ClassVariables::UntilNextCall;
        },
    },
    Change {
        since: since(36),
        rule: "a client's name may contain spaces, which are passed to the script",
        function: "legal_char (util.c)",
        effect: "a stored line has a sixth word; the next start misreads the leases and loses all that follow",
        apply: |rules| rules.name_syntax = NameSyntax::SlashAndSpace,
    },
    Change {
        since: since(40),
        rule: "SIGHUP, including the synthetic one at the start, marks every lease as changed",
        function: "async_event (dnsmasq.c), rerun_scripts (lease.c)",
        effect: "SIGHUP with N leases: N old calls. Start: N+1 old calls if a lease has a client identifier, since the newest such lease is reported first and then again; otherwise N",
        apply: |rules| {
            rules.sighup_marks_changed = true;
            rules.read_mark = ReadMark::ClientId;
        },
    },
    Change {
        since: since(40),
        rule: "DNSMASQ_TIME_REMAINING, with a trailing space, in every call",
        function: "queue_script (helper.c)",
        effect: "a new variable; its value wraps around in del calls and for infinite leases",
        apply: |rules| rules.time_remaining = TimeRemaining::Always,
    },
    Change {
        since: since(40),
        rule: "the exit code tells why dnsmasq did not start: r + 10 for exit code r of init, 3 if init cannot be run, 5 for too many stored leases",
        function: "lease_init (lease.c), die",
        effect: "none for the script",
        apply: |rules| rules.has_specific_exit_codes = true,
    },
    Change {
        since: since(40),
        rule: "if a client's name has a domain other than the server's, its first label is used; if a name in a hosts file does, its first label replaces the client's name",
        function: "strip_hostname, host_from_dns (dhcp.c)",
        effect: "different names",
        apply: |rules| {
            rules.foreign_domain = ForeignDomain::Dropped;
            rules.hosts_file_name = HostsFileName::LabelReplaces;
        },
    },
    Change {
        since: since(40),
        rule: "a name with spaces is kept, but not passed to the script; `*` in a stored name stands for a space",
        function: "canonicalise (util.c), queue_script (helper.c), lease_init (lease.c)",
        effect: "calls for a lease with such a name have no fourth argument, and the name can be lost without a call with DNSMASQ_OLD_HOSTNAME",
        apply: |rules| {
            rules.name_syntax = NameSyntax::SlashAndInnerSpace;
            rules.name_argument = NameArgument::WithoutSpaces;
            rules.stored_star_is_space = true;
        },
    },
    Change {
        since: since(41),
        rule: "DNSMASQ_INTERFACE: the interface of the last request",
        function: "lease_set_interface (lease.c)",
        effect: "the first request after a start, even a renewal or INFORM, causes an old call, since the interface was not known",
        apply: |rules| rules.interface = InterfaceKnowledge::FromRequests,
    },
    Change {
        since: since(41),
        rule: "INIT-REBOOT for an address other than that of the client's lease deletes the lease",
        function: "dhcp_reply (rfc2131.c)",
        effect: "a del call",
        apply: |rules| rules.init_reboot_deletes = true,
    },
    Change {
        since: since(43),
        rule: "--dhcp-scriptuser; a BOOTP lease of a configured host has the configured time",
        function: "create_helper (helper.c), dhcp_reply (rfc2131.c)",
        effect: "the script may run without root privileges; a different lease time for BOOTP clients",
        apply: |rules| rules.bootp_uses_configured_time = true,
    },
    Change {
        since: since(46),
        rule: "DNSMASQ_DOMAIN: the part of a name after the first dot, or --domain; with --dhcp-fqdn, names are compared including the domain",
        function: "kill_name, lease_set_hostname (lease.c), create_helper (helper.c)",
        effect: "the fourth argument no longer contains dots",
        apply: |rules| rules.domain_variable = true,
    },
    Change {
        since: since(46),
        rule: "a name in a hosts file with the server's domain replaces the client's name at its next request, not at SIGHUP",
        function: "host_from_dns (dhcp.c)",
        effect: "the name changes at a renewal",
        apply: |rules| rules.hosts_file_name = HostsFileName::OwnReplaces,
    },
    Change {
        since: since(46),
        rule: "one --dhcp-host may have several hardware addresses, and a client with the second one takes over the lease",
        function: "dhcp_reply (rfc2131.c)",
        effect: "an old call with the other hardware address",
        apply: |rules| rules.hosts_share_leases = true,
    },
    Change {
        since: since(47),
        rule: "addresses that end in .0 or .255 are not assigned",
        function: "address_allocate (dhcp.c)",
        effect: "different addresses",
        apply: |rules| rules.avoids_windows_addresses = true,
    },
    Change {
        since: since(48),
        rule: "the script is called only for init; the other calls overwrite each other, and only the last one is made, at SIGTERM",
        function: "main (dnsmasq.c)",
        effect: "the store receives no changes; 2.48 only",
        apply: |rules| rules.delivery = CallDelivery::LastAtStop,
    },
    Change {
        since: since(49),
        rule: "the script is called again",
        function: "main (dnsmasq.c)",
        effect: "as before 2.48",
        apply: |rules| rules.delivery = CallDelivery::Queued,
    },
    Change {
        since: since(51),
        rule: "DNSMASQ_SUPPLIED_HOSTNAME and DNSMASQ_RELAY_ADDRESS",
        function: "dhcp_reply (rfc2131.c), create_helper (helper.c)",
        effect: "new variables",
        apply: |rules| {
            rules.supplied_hostname_variable = true;
            rules.relay_address_variable = true;
        },
    },
    Change {
        since: since(51),
        rule: "the first label of a name has only letters, digits, `-` and `_`; `*` in a stored name no longer stands for a space",
        function: "legal_hostname (util.c), lease_init (lease.c)",
        effect: "names with spaces or `/` are not used",
        apply: |rules| {
            rules.name_syntax = NameSyntax::Strict;
            rules.name_argument = NameArgument::Legal;
            rules.stored_star_is_space = false;
            rules.hosts_file_name = HostsFileName::ForeignReplaces;
        },
    },
    Change {
        since: since(52),
        rule: "no trailing space in DNSMASQ_LEASE_EXPIRES, DNSMASQ_LEASE_LENGTH and DNSMASQ_TIME_REMAINING",
        function: "create_helper (helper.c)",
        effect: "the values are numbers",
        apply: |rules| rules.space_after_times = false,
    },
    Change {
        since: since(52),
        rule: "DNSMASQ_TAGS and DNSMASQ_CPEWAN_OUI, _SERIAL and _CLASS",
        function: "add_extradata_opt (rfc2131.c), grab_extradata (helper.c)",
        effect: "new variables",
        apply: |rules| {
            rules.tags_variable = true;
            rules.user_classes = UserClasses::All;
        },
    },
    Change {
        since: since(53),
        rule: "no DNSMASQ_TIME_REMAINING in del",
        function: "create_helper (helper.c)",
        effect: "one variable fewer",
        apply: |rules| rules.time_remaining = TimeRemaining::NotInDel,
    },
    Change {
        since: since(53),
        rule: "INIT-REBOOT for an address other than that of the client's lease does not delete the lease",
        function: "dhcp_reply (rfc2131.c)",
        effect: "as before 2.41",
        apply: |rules| rules.init_reboot_deletes = false,
    },
    Change {
        since: since(53),
        rule: "a different hash of the hardware address selects the address",
        function: "address_allocate (dhcp.c)",
        effect: "different addresses for new clients after an upgrade",
        apply: |rules| rules.address_hash = AddressHash::AccumulatedSdbm,
    },
    Change {
        since: since(53),
        rule: "a name in a hosts file with a domain other than the server's is not used",
        function: "host_from_dns (dhcp.c)",
        effect: "different names",
        apply: |rules| rules.hosts_file_name = HostsFileName::OwnOnly,
    },
    Change {
        since: since(56),
        rule: "hexadecimal fields of init are checked: a hardware address that is not hexadecimal crashes dnsmasq, and a client identifier that is not hexadecimal is ignored; before, both were read as 00",
        function: "parse_hex (util.c)",
        effect: "a single invalid stored line can prevent dnsmasq from starting",
        apply: |rules| rules.hex_syntax = HexSyntax::Group,
    },
    Change {
        since: since(56),
        rule: "a client that rebinds (broadcasts its renewal) without a lease is not answered",
        function: "dhcp_reply (rfc2131.c)",
        effect: "none; before, the client was refused and requested a new lease at once",
        apply: |rules| rules.refuses_rebinding = false,
    },
    Change {
        since: since(60),
        rule: "DHCPv6: DNSMASQ_IAID, DNSMASQ_SERVER_DUID, the client's DUID as the second argument, a `duid` line in init",
        function: "lease6_allocate (lease.c), rfc3315.c",
        effect: "a script that ignores DNSMASQ_IAID loses DHCPv6 leases",
        apply: |rules| rules.dhcpv6 = true,
    },
    Change {
        since: since(60),
        rule: "DHCPv6: a SOLICIT of a client with a lease renews the lease; a lifetime of 0 in a request stands for 120 seconds",
        function: "rfc3315.c",
        effect: "more calls",
        apply: |_| {},
    },
    Change {
        since: since(60),
        rule: "init is read as tokens, two and then three for each lease; the first one is converted with atol(); an invalid address ends reading",
        function: "lease_init (lease.c)",
        effect: "a word as the first field results in an infinite lease; an invalid address loses all leases after it",
        apply: |rules| rules.init_parser = InitParser::TokensUntilInvalid,
    },
    Change {
        since: since(60),
        rule: "no DNSMASQ_TIME_REMAINING for infinite leases, or if it is 0",
        function: "queue_script, create_helper (helper.c)",
        effect: "one variable fewer",
        apply: |rules| rules.time_remaining = TimeRemaining::NotInDelNorZero,
    },
    Change {
        since: since(60),
        rule: "a client beyond --dhcp-lease-max crashes dnsmasq (SIGSEGV), and so does a stored lease beyond it",
        function: "lease4_allocate (lease.c)",
        effect: "after the crash, no client is served until dnsmasq is started again; a store with too many leases prevents it from starting",
        apply: |rules| {
            rules.lease_limit_crashes = true;
            rules.stored_lease_limit = StoredLeaseLimit::Crashes;
        },
    },
    Change {
        since: since(60),
        rule: "only the first user class, DNSMASQ_USER_CLASS0; a client that sends its name again does not clear the protection of a configured name",
        function: "lease_add_extradata, lease_set_hostname (lease.c)",
        effect: "fewer variables",
        apply: |rules| {
            rules.user_classes = UserClasses::First;
            rules.client_clears_configured_name = false;
        },
    },
    Change {
        since: since(61),
        rule: "the interfaces of leases on connected networks are found at the start",
        function: "lease_find_interfaces (lease.c)",
        effect: "DNSMASQ_INTERFACE from the start on; N+1 old calls at a start even without client identifiers; no old call for the first renewal",
        apply: |rules| rules.interface = InterfaceKnowledge::AtStart,
    },
    Change {
        since: since(61),
        rule: "an expiry in the past raises the alarm at once; an expiry above 2^63 - 11 keeps dnsmasq busy forever",
        function: "send_alarm (dnsmasq.c), lease_update_file (lease.c)",
        effect: "after the clock is set forward, SIGHUP deletes expired leases; init must never print an expiry above 2^63 - 11",
        apply: |rules| rules.past_alarm_is_immediate = true,
    },
    Change {
        since: since(61),
        rule: "DNSMASQ_LOG_DHCP; tftp calls with size, address and file",
        function: "queue_tftp (helper.c)",
        effect: "a new variable; a script must ignore actions that it does not know",
        apply: |rules| {
            rules.log_dhcp_variable = true;
            rules.tftp_calls = true;
        },
    },
    Change {
        since: since(62),
        rule: "hexadecimal digits without colons are read in pairs; before, only the last two digits of a group counted",
        function: "parse_hex (util.c)",
        effect: "none for a script that stores colons",
        apply: |rules| rules.hex_syntax = HexSyntax::Pairs,
    },
    Change {
        since: since(63),
        rule: "dnsmasq exits with 1 if two --dhcp-host options have the same address",
        function: "one_opt (option.c)",
        effect: "before, one of the two clients was refused again and again",
        apply: |rules| rules.refuses_duplicate_addresses = true,
    },
    Change {
        since: since(64),
        rule: "DHCPv6: the tag dhcpv6",
        function: "rfc3315.c",
        effect: "a different value of DNSMASQ_TAGS",
        apply: |rules| rules.dhcpv6_tag = true,
    },
    Change {
        since: since(66),
        rule: "a client beyond --dhcp-lease-max is refused, as before 2.60; reading init ends at the limit",
        function: "lease4_allocate, lease_init (lease.c)",
        effect: "stored leases beyond the limit are lost silently",
        apply: |rules| {
            rules.lease_limit_crashes = false;
            rules.stored_lease_limit = StoredLeaseLimit::EndsReading;
        },
    },
    Change {
        since: since(66),
        rule: "a server DUID that is not in the database is generated after the helper has been started, and DNSMASQ_SERVER_DUID contains what an earlier call left in the buffer",
        function: "create_helper (helper.c), make_duid (dhcp6.c)",
        effect: "a script that stores the variable can print `duid` without a value or with a wrong one, and the next start misreads the leases",
        apply: |rules| rules.generated_duid = GeneratedDuid::Stale,
    },
    Change {
        since: since(66),
        rule: "DNSMASQ_CIRCUIT_ID, DNSMASQ_SUBSCRIBER_ID, DNSMASQ_REMOTE_ID",
        function: "dhcp_reply (rfc2131.c)",
        effect: "new variables",
        apply: |rules| rules.agent_variables = true,
    },
    Change {
        since: since(66),
        rule: "DHCPv6: a SOLICIT no longer renews leases; addresses depend on the IAID; a reserved address is used even after it was declined",
        function: "dhcp6_no_relay (rfc3315.c), address6_allocate (dhcp6.c)",
        effect: "fewer calls, different addresses",
        apply: |rules| {
            rules.solicit_renews = false;
            rules.hashes_iaid = true;
            rules.avoids_declined6 = false;
        },
    },
    Change {
        since: since(67),
        rule: "DNSMASQ_SERVER_DUID is empty if the DUID was not in the database",
        function: "create_helper (helper.c)",
        effect: "the same as in 2.66 for a script that stores it",
        apply: |rules| rules.generated_duid = GeneratedDuid::Empty,
    },
    Change {
        since: since(67),
        rule: "DHCPv6: DNSMASQ_MAC; hosts and tags by hardware address; a lifetime of 0 in a request is ignored",
        function: "lease_set_hwaddr (lease.c), calculate_times (rfc3315.c)",
        effect: "the first RENEW after a start is an old call, since the hardware address becomes known",
        apply: |rules| {
            rules.mac6 = true;
            rules.zero_lifetime_is_shortest = false;
        },
    },
    Change {
        since: since(67),
        rule: "the first character of a name must be a letter or a digit",
        function: "legal_hostname (util.c)",
        effect: "a name that begins with `-` or `_` is not used",
        apply: |rules| rules.name_syntax = NameSyntax::LetterFirst,
    },
    Change {
        since: since(67),
        rule: "the tags of a configured host come after those of the options that the client sends",
        function: "dhcp_reply (rfc2131.c)",
        effect: "a different order of the tags in DNSMASQ_TAGS",
        apply: |rules| rules.host_tags_precede_matches = false,
    },
    Change {
        since: since(68),
        rule: "the server DUID is generated before the helper is started",
        function: "lease_make_duid (lease.c)",
        effect: "DNSMASQ_SERVER_DUID is correct",
        apply: |rules| rules.generated_duid = GeneratedDuid::Known,
    },
    Change {
        since: since(69),
        rule: "the alarm is set to the expiry itself, but a lease is removed one second later; dnsmasq uses the CPU in between",
        function: "lease_update_file, lease_prune (lease.c), send_alarm (dnsmasq.c)",
        effect: "the del call comes in the second after the expiry",
        apply: |rules| rules.alarm_delay = 0,
    },
    Change {
        since: since(74),
        rule: "init is the only call before SIGTERM: the first other call waits in the buffer, and the calls after it are merged",
        function: "main, poll_check (dnsmasq.c)",
        effect: "a power cut loses all changes, and one CPU is always busy; 2.74 only",
        apply: |rules| rules.delivery = CallDelivery::MergedAtStop,
    },
    Change {
        since: since(75),
        rule: "calls are made at once",
        function: "main (dnsmasq.c)",
        effect: "as before 2.74",
        apply: |rules| rules.delivery = CallDelivery::Queued,
    },
    Change {
        since: since(76),
        rule: "arp-add and arp-del calls (--script-arp); all user classes; no DNSMASQ_LOG_DHCP in tftp calls",
        function: "queue_arp (helper.c), lease_add_extradata (lease.c)",
        effect: "a script must ignore actions that it does not know",
        apply: |rules| {
            rules.arp_calls = true;
            rules.user_classes = UserClasses::All;
            rules.log_dhcp_in_tftp = false;
        },
    },
    Change {
        since: since(76),
        rule: "a different hash of the hardware address selects the address",
        function: "address_allocate (dhcp.c)",
        effect: "different addresses for new clients after an upgrade",
        apply: |rules| rules.address_hash = AddressHash::Sdbm,
    },
    Change {
        since: since(77),
        rule: "DNSMASQ_REQUESTED_OPTIONS; the output of the script is logged line by line",
        function: "create_helper (helper.c)",
        effect: "a new variable; output of add, old and del goes to the log",
        apply: |rules| rules.requested_options_variable = true,
    },
    Change {
        since: since(77),
        rule: "more stored leases than --dhcp-lease-max: exit code 5",
        function: "read_leases (lease.c)",
        effect: "a store with too many leases prevents dnsmasq from starting, as before 2.60",
        apply: |rules| rules.stored_lease_limit = StoredLeaseLimit::Exits,
    },
    Change {
        since: since(77),
        rule: "the tag known-othernet",
        function: "dhcp_reply (rfc2131.c), dhcp6_no_relay (rfc3315.c)",
        effect: "a different value of DNSMASQ_TAGS",
        apply: |rules| rules.known_othernet_tag = true,
    },
    Change {
        since: since(80),
        rule: "--dhcp-rapid-commit",
        function: "dhcp_reply (rfc2131.c)",
        effect: "an add call without a REQUEST",
        apply: |_| {},
    },
    Change {
        since: since(81),
        rule: "a lease is removed in the second of its expiry",
        function: "lease_prune (lease.c)",
        effect: "the del call comes in that second",
        apply: |rules| rules.expiry_is_inclusive = true,
    },
    Change {
        since: since(81),
        rule: "a lease with an invalid address in init is skipped",
        function: "read_leases (lease.c)",
        effect: "the leases after it are read",
        apply: |rules| rules.init_parser = InitParser::Tokens,
    },
    Change {
        since: since(81),
        rule: "DHCPv6: --dhcp-sequential-ip begins with the second address; a reserved address that was declined is not used for ten minutes",
        function: "address6_allocate (dhcp6.c), config_valid (rfc3315.c)",
        effect: "different addresses",
        apply: |rules| {
            rules.sequential_after_highest = true;
            rules.avoids_declined6 = true;
        },
    },
    Change {
        since: since(81),
        rule: "--dhcp-sequential-ip skips as many free addresses as clients have declined",
        function: "address_allocate (dhcp.c)",
        effect: "different addresses",
        apply: |rules| rules.sequential_skips_declined = true,
    },
    Change {
        since: since(81),
        rule: "--script-on-renewal",
        function: "lease_set_expires (lease.c)",
        effect: "none with --leasefile-ro",
        apply: |_| {},
    },
    Change {
        since: since(86),
        rule: "the victim of a stolen name is marked as changed",
        function: "lease_set_hostname (lease.c)",
        effect: "a second old call for that lease, without a name",
        apply: |rules| rules.taken_name_marks_other_lease = true,
    },
    Change {
        since: since(86),
        rule: "the relay's address overwrites that of the lease",
        function: "create_helper (helper.c)",
        effect: "the third argument is the relay's address for every lease behind a relay; 2.86 only",
        apply: |rules| rules.relay_replaces_address = true,
    },
    Change {
        since: since(86),
        rule: "DHCPv6: a REBIND of an unknown lease creates it",
        function: "dhcp6_no_relay (rfc3315.c)",
        effect: "an add call; before, no reply",
        apply: |rules| rules.unknown_rebind = UnknownRebind::CreatesLease,
    },
    Change {
        since: since(87),
        rule: "the address of the lease is passed again",
        function: "create_helper (helper.c)",
        effect: "as before 2.86",
        apply: |rules| rules.relay_replaces_address = false,
    },
    Change {
        since: since(87),
        rule: "DNSMASQ_DATA_MISSING=1 if the data of the request is not known; DNSMASQ_MUD_URL; DNSMASQ_REQUESTED_OPTIONS for DHCPv6",
        function: "create_helper (helper.c)",
        effect: "new variables",
        apply: |rules| {
            rules.data_missing_variable = true;
            rules.mud_url_variable = true;
            rules.requested_options6_variable = true;
        },
    },
    Change {
        since: since(87),
        rule: "with DHCPv6, a new IPv4 address on an interface makes dnsmasq look for the interfaces of its leases",
        function: "newaddress (netlink.c), lease_find_interfaces (lease.c)",
        effect: "an old call for each lease whose interface becomes known",
        apply: |rules| rules.watches_addresses = true,
    },
    Change {
        since: since(88),
        rule: "rapid commit for an address other than that of the client's lease deletes the lease",
        function: "dhcp_reply (rfc2131.c)",
        effect: "a del call",
        apply: |rules| rules.rapid_commit_deletes = true,
    },
    Change {
        since: since(90),
        rule: "domains are added to the names of stored leases after reading",
        function: "lease_calc_fqdns, read_leases (lease.c)",
        effect: "calls for a lease that expired or lost its name during reading have no DNSMASQ_DOMAIN",
        apply: |rules| rules.domains_while_reading = false,
    },
    Change {
        since: since(91),
        rule: "exit code 3 if the path of the script does not fit into the buffer",
        function: "lease_init (lease.c)",
        effect: "none",
        apply: |_| {},
    },
    Change {
        since: since(92),
        rule: "`vendorclass` and `agent-info` lines in init are recognized",
        function: "read_leases (lease.c)",
        effect: "older releases read them as parts of leases",
        apply: |rules| rules.reads_leasequery_lines = true,
    },
    Change {
        since: since(92),
        rule: "DHCPv6: a REBIND of an unknown lease creates it only with --dhcp-authoritative",
        function: "dhcp6_no_relay (rfc3315.c)",
        effect: "fewer add calls",
        apply: |rules| rules.unknown_rebind = UnknownRebind::CreatesLeaseIfAuthoritative,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_existing_releases() {
        assert!(CHANGES.is_sorted_by_key(|change| change.since));
        for change in CHANGES {
            assert!(Release::all().any(|release| release == change.since), "{change:?}");
        }
    }
}
