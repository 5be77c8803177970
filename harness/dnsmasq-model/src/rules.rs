//! What the releases of dnsmasq do differently, as typed switches. The table of changes sets them.

/// When dnsmasq makes the calls for leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallDelivery {
    /// dnsmasq starts the script itself, one call at a time; what changes while it runs is merged (2.33).
    OneAtATime,
    /// Through the pipe to the helper, as soon as dnsmasq is idle.
    Queued,
    /// None but the last one, at SIGTERM (2.48).
    LastAtStop,
    /// Only at SIGTERM: the first one as it was, the others merged (2.74).
    MergedAtStop,
}

/// Which characters a host name may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameSyntax {
    /// Letters, digits, `-`, `_`, `/` in every label.
    Slash,
    /// As [`NameSyntax::Slash`], and blanks.
    SlashAndBlank,
    /// As [`NameSyntax::SlashAndBlank`], but not only blanks.
    SlashAndInnerBlank,
    /// Letters, digits, `-` and `_` in the first label.
    Strict,
    /// As [`NameSyntax::Strict`], but the first character is a letter or a digit.
    LetterFirst,
}

/// What the helper checks of a host name before it passes it to the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameArgument {
    /// Nothing.
    Unchecked,
    /// The name is passed only if it is legal after each blank became `*`, which no legal name has.
    WithoutBlanks,
    /// The name is passed only if it is legal.
    Legal,
}

/// What becomes of the name of a client that has another domain than the server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForeignDomain {
    /// The name is not used.
    Rejected,
    /// Its first label is used.
    Dropped,
}

/// What becomes of the name with a domain that a hosts file has for a leased address. A name that is not taken from the
/// hosts file overwrites the buffer with the client's name until 2.52.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostsFileName {
    /// In the server's domain its first label is taken; otherwise the whole name replaces the client's.
    ForeignReplacesWhole,
    /// In the server's domain its first label is taken; otherwise its first label replaces the client's name.
    LabelReplaces,
    /// In the server's domain, or without one, its first label replaces the client's name; otherwise its first label is taken.
    OwnReplaces,
    /// As [`HostsFileName::LabelReplaces`], if the first label is legal.
    ForeignReplaces,
    /// In the server's domain its first label is taken.
    OwnOnly,
}

/// How `init` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InitParser {
    /// Five fields of a `scanf`; the first misfit ends the reading.
    Scanf,
    /// Two and three tokens; an invalid address ends the reading.
    TokensUntilInvalid,
    /// Two and three tokens; a lease with an invalid address is skipped.
    Tokens,
}

/// What happens when `init` prints more leases than `--dhcp-lease-max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredLeaseLimit {
    /// dnsmasq exits.
    Exits,
    /// dnsmasq crashes.
    Crashes,
    /// The reading ends at the limit.
    EndsReading,
}

/// The hash of a hardware address, from which the search for a free address starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressHash {
    /// The sum of the bytes times 0x10101.
    Sum,
    /// The SDBM hash, added up.
    AccumulatedSdbm,
    /// The SDBM hash.
    Sdbm,
}

/// How hexadecimal fields of `init` are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HexSyntax {
    /// Each group between colons is a number, of which the low byte is used; other text is 0.
    Unchecked,
    /// As [`HexSyntax::Unchecked`], but other text is refused.
    Group,
    /// Each group is a sequence of bytes with two digits; other text is refused.
    Pairs,
}

/// Which leases are marked after reading, so that a call is due before the synthetic SIGHUP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadMark {
    /// All.
    Changed,
    /// Those with a client identifier.
    ClientId,
}

/// For which leases dnsmasq knows the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum InterfaceKnowledge {
    /// For none.
    None,
    /// From the first request after a start on.
    FromRequests,
    /// Also from the start on, if the lease is on a connected network.
    AtStart,
}

/// When `DNSMASQ_TIME_REMAINING` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeRemaining {
    /// Never.
    Never,
    /// In every call, wrapped if negative.
    Always,
    /// In every call but `del`.
    NotInDel,
    /// In every call but `del`, unless it is 0 or the lease is infinite.
    NotInDelNorZero,
}

/// Which calls have the vendor class and the user classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClassVariables {
    /// None.
    None,
    /// `add`.
    InAdd,
    /// The calls until the next `add` or `old`.
    UntilNextCall,
}

/// How user classes are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserClasses {
    /// All, numbered without empty ones.
    NonEmpty,
    /// Only the first one.
    First,
    /// All.
    All,
}

/// The value of `DNSMASQ_SERVER_DUID` of a DUID that was not read from the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MadeDuid {
    /// The DUID.
    Known,
    /// What an earlier call left in the buffer (2.66).
    Stale,
    /// Empty (2.67).
    Empty,
}

/// What a REBIND of an unknown DHCPv6 lease does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownRebind {
    /// Nothing.
    Ignored,
    /// It makes the lease.
    MakesLease,
    /// It makes the lease with `--dhcp-authoritative`.
    MakesLeaseIfAuthoritative,
}

/// The rules of one release: everything that differs between releases and that the engine models.
#[expect(clippy::struct_excessive_bools, reason = "each flag is an independent rule")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) delivery: CallDelivery,
    /// SIGHUP does not start a script; the change waits for the next packet or alarm.
    pub(crate) sighup_starts_no_script: bool,
    /// The first packet after SIGHUP is not seen.
    pub(crate) packet_after_sighup_is_lost: bool,
    /// SIGHUP and the start mark every lease as changed.
    pub(crate) sighup_marks_changed: bool,
    /// A blank follows the values of times.
    pub(crate) blank_after_times: bool,
    /// The loss of a name is reported with `DNSMASQ_OLD_HOSTNAME`.
    pub(crate) reports_lost_names: bool,
    /// A stolen name keeps the victim's spelling.
    pub(crate) stolen_name_keeps_spelling: bool,
    /// The victim of a stolen name is marked as changed.
    pub(crate) theft_marks_victim: bool,
    /// A client that sends its name again can lose the protection of a configured name.
    pub(crate) client_clears_configured_name: bool,
    /// SELECTING and INIT-REBOOT mark the lease as changed.
    pub(crate) request_marks_changed: bool,
    pub(crate) read_mark: ReadMark,
    pub(crate) interface: InterfaceKnowledge,
    /// With DHCPv6, an address that appears on an interface makes its leases known there.
    pub(crate) watches_addresses: bool,
    /// INIT-REBOOT for another address than one's lease deletes the lease.
    pub(crate) init_reboot_deletes: bool,
    /// A host with several hardware addresses takes its lease over.
    pub(crate) hosts_share_leases: bool,
    /// A BOOTP lease of a configured host has its configured time.
    pub(crate) bootp_uses_configured_time: bool,
    /// A lease is over in the second of its expiry.
    pub(crate) expiry_is_inclusive: bool,
    /// Seconds between an expiry and its alarm.
    pub(crate) alarm_delay: i64,
    /// An expiry in the past raises the alarm at once; otherwise the difference wraps.
    pub(crate) past_alarm_is_immediate: bool,
    pub(crate) time_remaining: TimeRemaining,
    pub(crate) classes: ClassVariables,
    pub(crate) user_classes: UserClasses,
    /// `DNSMASQ_DOMAIN`; otherwise a name with dots is passed whole.
    pub(crate) domain_variable: bool,
    /// Domains are added to the names of leases while they are read, not afterwards.
    pub(crate) domains_while_reading: bool,
    /// `DNSMASQ_SUPPLIED_HOSTNAME`.
    pub(crate) supplied_hostname_variable: bool,
    /// `DNSMASQ_RELAY_ADDRESS`.
    pub(crate) relay_address_variable: bool,
    /// The address of the relay replaces that of the lease.
    pub(crate) relay_replaces_address: bool,
    /// `DNSMASQ_TAGS` and `DNSMASQ_CPEWAN_*`.
    pub(crate) tags_variable: bool,
    /// The tags of a configured host are set before those of the options that the client sends.
    pub(crate) host_tags_precede_matches: bool,
    /// Two hosts with one address keep dnsmasq from starting.
    pub(crate) refuses_duplicate_addresses: bool,
    /// The tag `known-othernet`.
    pub(crate) known_othernet_tag: bool,
    /// The tag `dhcpv6`.
    pub(crate) dhcpv6_tag: bool,
    /// `DNSMASQ_LOG_DHCP`.
    pub(crate) log_dhcp_variable: bool,
    /// `DNSMASQ_LOG_DHCP` in `tftp` too.
    pub(crate) log_dhcp_in_tftp: bool,
    /// `tftp` calls.
    pub(crate) tftp_calls: bool,
    /// `arp-add` and `arp-del` calls.
    pub(crate) arp_calls: bool,
    /// `DNSMASQ_CIRCUIT_ID`, `_SUBSCRIBER_ID`, `_REMOTE_ID`.
    pub(crate) agent_variables: bool,
    /// `DNSMASQ_REQUESTED_OPTIONS`.
    pub(crate) requested_options_variable: bool,
    /// `DNSMASQ_REQUESTED_OPTIONS` for DHCPv6.
    pub(crate) requested_options6_variable: bool,
    /// `DNSMASQ_DATA_MISSING`.
    pub(crate) data_missing_variable: bool,
    /// `DNSMASQ_MUD_URL`.
    pub(crate) mud_url_variable: bool,
    /// `DNSMASQ_MAC` for DHCPv6, and a hardware address that a renewal can change.
    pub(crate) mac6: bool,
    pub(crate) made_duid: MadeDuid,
    /// DHCPv6 exists.
    pub(crate) dhcpv6: bool,
    /// A SOLICIT of a client with a lease renews it.
    pub(crate) solicit_renews: bool,
    /// A lifetime of 0 in a client's association is a wish for the shortest one.
    pub(crate) zero_lifetime_is_shortest: bool,
    pub(crate) unknown_rebind: UnknownRebind,
    /// The hash that chooses a DHCPv6 address begins with the IAID.
    pub(crate) hashes_iaid: bool,
    /// `--dhcp-sequential-ip` begins after the highest DHCPv6 address, and skips declined ones.
    pub(crate) sequential_after_highest: bool,
    /// DHCPv4: `--dhcp-sequential-ip` skips as many free addresses as were declined.
    pub(crate) sequential_skips_declined: bool,
    /// A reserved DHCPv6 address that was declined is not used for a while.
    pub(crate) avoids_declined6: bool,
    pub(crate) name_syntax: NameSyntax,
    pub(crate) name_argument: NameArgument,
    pub(crate) foreign_domain: ForeignDomain,
    pub(crate) hosts_file_name: HostsFileName,
    pub(crate) init_parser: InitParser,
    /// `*` in a stored name stands for a blank.
    pub(crate) stored_star_is_blank: bool,
    pub(crate) hex_syntax: HexSyntax,
    /// Lines `vendorclass` and `agent-info` are read.
    pub(crate) reads_leasequery_lines: bool,
    /// The exit code says why dnsmasq did not start; otherwise it is 1.
    pub(crate) exit_codes_tell: bool,
    pub(crate) stored_lease_limit: StoredLeaseLimit,
    /// A new client at the lease limit crashes dnsmasq.
    pub(crate) lease_limit_crashes: bool,
    pub(crate) address_hash: AddressHash,
    /// A client that rebinds without a lease is refused; otherwise it is not answered.
    pub(crate) refuses_rebinding: bool,
    /// Addresses that end in .0 or .255 are not assigned.
    pub(crate) avoids_windows_addresses: bool,
    /// Rapid commit for another address than one's lease deletes the lease.
    pub(crate) rapid_commit_deletes: bool,
}

impl Rules {
    /// The rules of dnsmasq 2.33, to which the table of changes is applied.
    pub(crate) const FIRST: Rules = Rules {
        delivery: CallDelivery::OneAtATime,
        sighup_starts_no_script: true,
        packet_after_sighup_is_lost: true,
        sighup_marks_changed: false,
        blank_after_times: true,
        reports_lost_names: false,
        stolen_name_keeps_spelling: true,
        theft_marks_victim: true,
        client_clears_configured_name: true,
        request_marks_changed: false,
        read_mark: ReadMark::Changed,
        interface: InterfaceKnowledge::None,
        watches_addresses: false,
        init_reboot_deletes: false,
        hosts_share_leases: false,
        bootp_uses_configured_time: false,
        expiry_is_inclusive: false,
        alarm_delay: 10,
        past_alarm_is_immediate: false,
        time_remaining: TimeRemaining::Never,
        classes: ClassVariables::None,
        user_classes: UserClasses::NonEmpty,
        domain_variable: false,
        domains_while_reading: true,
        supplied_hostname_variable: false,
        relay_address_variable: false,
        relay_replaces_address: false,
        tags_variable: false,
        host_tags_precede_matches: true,
        refuses_duplicate_addresses: false,
        known_othernet_tag: false,
        dhcpv6_tag: false,
        log_dhcp_variable: false,
        log_dhcp_in_tftp: true,
        tftp_calls: false,
        arp_calls: false,
        agent_variables: false,
        requested_options_variable: false,
        requested_options6_variable: false,
        data_missing_variable: false,
        mud_url_variable: false,
        mac6: false,
        made_duid: MadeDuid::Known,
        dhcpv6: false,
        solicit_renews: true,
        zero_lifetime_is_shortest: true,
        unknown_rebind: UnknownRebind::Ignored,
        hashes_iaid: false,
        sequential_after_highest: false,
        sequential_skips_declined: false,
        avoids_declined6: true,
        name_syntax: NameSyntax::Slash,
        name_argument: NameArgument::Unchecked,
        foreign_domain: ForeignDomain::Rejected,
        hosts_file_name: HostsFileName::ForeignReplacesWhole,
        init_parser: InitParser::Scanf,
        stored_star_is_blank: false,
        hex_syntax: HexSyntax::Unchecked,
        reads_leasequery_lines: false,
        exit_codes_tell: false,
        stored_lease_limit: StoredLeaseLimit::Exits,
        lease_limit_crashes: false,
        address_hash: AddressHash::Sum,
        refuses_rebinding: true,
        avoids_windows_addresses: false,
        rapid_commit_deletes: false,
    };

    /// Whether the lease database ends a lease with this expiry at `now`.
    pub(crate) fn has_expired(&self, expires: i64, now: i64) -> bool {
        expires != 0 && if self.expiry_is_inclusive { now >= expires } else { now > expires }
    }
}
