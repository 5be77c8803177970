//! The differences between the releases of dnsmasq, as typed settings. The table of changes sets them.

/// When dnsmasq makes the calls for leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallDelivery {
    /// dnsmasq starts the script itself, one call at a time. Changes that happen while the script runs are merged
    /// (2.33).
    OneAtATime,
    /// Calls go through the pipe to the helper as soon as dnsmasq is idle.
    Queued,
    /// Only the last call is made, at SIGTERM (2.48).
    LastAtStop,
    /// Calls are made only at SIGTERM: the first one unchanged, the others merged (2.74).
    MergedAtStop,
}

/// Which characters a host name may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameSyntax {
    /// Letters, digits, `-`, `_`, `/` in every label.
    Slash,
    /// Like [`NameSyntax::Slash`], but spaces are allowed.
    SlashAndSpace,
    /// Like [`NameSyntax::SlashAndSpace`], but the name must not consist of spaces only.
    SlashAndInnerSpace,
    /// Letters, digits, `-` and `_` in the first label.
    Strict,
    /// Like [`NameSyntax::Strict`], but the first character is a letter or a digit.
    LetterFirst,
}

/// How the helper checks a host name before it passes it to the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameArgument {
    /// The helper does not check the name.
    Unchecked,
    /// Each space is replaced by `*`, and the name is passed only if it is then legal. A legal name contains no `*`.
    WithoutSpaces,
    /// The name is passed only if it is legal.
    Legal,
}

/// How a client's name is treated if its domain is not the server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForeignDomain {
    /// The name is not used.
    Rejected,
    /// Its first label is used.
    Dropped,
}

/// How dnsmasq treats a name that a hosts file gives to a leased address, if the name has a domain. Until 2.52, a name
/// that is not used overwrites the buffer that holds the client's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostsFileName {
    /// In the server's domain, its first label is used; otherwise the whole name replaces the client's name.
    ForeignReplacesWhole,
    /// In the server's domain, its first label is used; otherwise its first label replaces the client's name.
    LabelReplaces,
    /// In the server's domain, or if the server has no domain, its first label replaces the client's name; otherwise
    /// its first label is used.
    OwnReplaces,
    /// Like [`HostsFileName::LabelReplaces`], but the first label is used only if it is legal.
    ForeignReplaces,
    /// In the server's domain, its first label is used; otherwise the name is ignored.
    OwnOnly,
}

/// How `init` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InitParser {
    /// Each lease is read as five fields with `scanf`. Reading ends at the first text that does not match.
    Scanf,
    /// Each lease is read as two tokens, then three more. An invalid address ends reading.
    TokensUntilInvalid,
    /// Each lease is read as two tokens, then three more. A lease with an invalid address is skipped.
    Tokens,
}

/// What happens when `init` prints more leases than `--dhcp-lease-max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredLeaseLimit {
    /// dnsmasq exits.
    Exits,
    /// dnsmasq crashes.
    Crashes,
    /// Reading ends at the limit.
    EndsReading,
}

/// The hash of a hardware address, from which the search for a free address starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressHash {
    /// The sum of the bytes times 0x10101.
    Sum,
    /// The SDBM hash, but each step adds to the previous value, which cancels the subtraction of that value.
    AccumulatedSdbm,
    /// The SDBM hash.
    Sdbm,
}

/// How hexadecimal fields of `init` are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HexSyntax {
    /// Each group between colons is a number, of which the low byte is used. Other text is read as 0.
    Unchecked,
    /// Like [`HexSyntax::Unchecked`], but other text is rejected.
    Group,
    /// Each group is a sequence of bytes with two digits each. Other text is rejected.
    Pairs,
}

/// Which leases are marked after reading, so that a call is due before the synthetic SIGHUP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadMark {
    /// All.
    Changed,
    /// Leases with a client identifier.
    ClientId,
}

/// For which leases dnsmasq knows the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum InterfaceKnowledge {
    /// For no lease.
    None,
    /// For leases with a request since the start.
    FromRequests,
    /// Like [`InterfaceKnowledge::FromRequests`], and from the start on for leases on a connected network.
    AtStart,
}

/// When `DNSMASQ_TIME_REMAINING` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeRemaining {
    /// Never.
    Never,
    /// In every call; a negative value wraps around.
    Always,
    /// In every call except `del`.
    NotInDel,
    /// In every call except `del`, unless the value is 0 or the lease is infinite.
    NotInDelNorZero,
}

/// Which calls contain the vendor class and the user classes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClassVariables {
    /// None.
    None,
    /// Only `add`.
    InAdd,
    /// All calls up to and including the next `add` or `old`.
    UntilNextCall,
}

/// Which user classes are passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserClasses {
    /// All that are not empty, numbered consecutively.
    NonEmpty,
    /// Only the first one.
    First,
    /// All.
    All,
}

/// The value of `DNSMASQ_SERVER_DUID` if the DUID was generated, not read from the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GeneratedDuid {
    /// The DUID.
    Known,
    /// The text that an earlier call left in the buffer (2.66).
    Stale,
    /// Empty (2.67).
    Empty,
}

/// The effect of a REBIND of an unknown DHCPv6 lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownRebind {
    /// dnsmasq ignores it.
    Ignored,
    /// It creates the lease.
    CreatesLease,
    /// It creates the lease if `--dhcp-authoritative` is set.
    CreatesLeaseIfAuthoritative,
}

/// The rules of one release: all differences between releases that the engine models.
#[expect(clippy::struct_excessive_bools, reason = "each flag is an independent rule")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) delivery: CallDelivery,
    /// SIGHUP does not start the script; changes are reported at the next packet or alarm.
    pub(crate) sighup_starts_no_script: bool,
    /// The first packet after SIGHUP is lost.
    pub(crate) packet_after_sighup_is_lost: bool,
    /// SIGHUP and the start mark every lease as changed.
    pub(crate) sighup_marks_changed: bool,
    /// The values of times have a trailing space.
    pub(crate) space_after_times: bool,
    /// The loss of a name is reported with `DNSMASQ_OLD_HOSTNAME`.
    pub(crate) reports_lost_names: bool,
    /// A name that a lease takes from another lease keeps its previous spelling.
    pub(crate) taken_name_keeps_spelling: bool,
    /// A lease that loses its name to another one is marked as changed.
    pub(crate) taken_name_marks_other_lease: bool,
    /// A client that sends its name again can lose the protection of a configured name.
    pub(crate) client_clears_configured_name: bool,
    /// SELECTING and INIT-REBOOT mark the lease as changed.
    pub(crate) request_marks_changed: bool,
    pub(crate) read_mark: ReadMark,
    pub(crate) interface: InterfaceKnowledge,
    /// With DHCPv6, a new address on an interface makes dnsmasq look for the interfaces of its leases.
    pub(crate) watches_addresses: bool,
    /// INIT-REBOOT for an address other than that of the client's lease deletes the lease.
    pub(crate) init_reboot_deletes: bool,
    /// A host may have several hardware addresses, each of which can take over the lease of another.
    pub(crate) hosts_share_leases: bool,
    /// A BOOTP lease of a configured host has the configured lease time.
    pub(crate) bootp_uses_configured_time: bool,
    /// A lease is removed in the second of its expiry; otherwise one second later.
    pub(crate) expiry_is_inclusive: bool,
    /// Seconds between an expiry and its alarm.
    pub(crate) alarm_delay: i64,
    /// An expiry in the past raises the alarm at once; otherwise the difference wraps around.
    pub(crate) past_alarm_is_immediate: bool,
    pub(crate) time_remaining: TimeRemaining,
    pub(crate) classes: ClassVariables,
    pub(crate) user_classes: UserClasses,
    /// `DNSMASQ_DOMAIN` is set; otherwise a name with dots is passed whole.
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
    /// Two hosts with the same address prevent dnsmasq from starting.
    pub(crate) refuses_duplicate_addresses: bool,
    /// The tag `known-othernet`.
    pub(crate) known_othernet_tag: bool,
    /// The tag `dhcpv6`.
    pub(crate) dhcpv6_tag: bool,
    /// `DNSMASQ_LOG_DHCP`.
    pub(crate) log_dhcp_variable: bool,
    /// `DNSMASQ_LOG_DHCP` is also set in `tftp` calls.
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
    pub(crate) generated_duid: GeneratedDuid,
    /// DHCPv6 is supported.
    pub(crate) dhcpv6: bool,
    /// A SOLICIT of a client with a lease renews it.
    pub(crate) solicit_renews: bool,
    /// A lifetime of 0 in a client's association requests the shortest lifetime.
    pub(crate) zero_lifetime_is_shortest: bool,
    pub(crate) unknown_rebind: UnknownRebind,
    /// The hash that selects a DHCPv6 address starts with the IAID.
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
    /// `*` in a stored name stands for a space.
    pub(crate) stored_star_is_space: bool,
    pub(crate) hex_syntax: HexSyntax,
    /// `vendorclass` and `agent-info` lines are recognized.
    pub(crate) reads_leasequery_lines: bool,
    /// The exit code says why dnsmasq did not start; otherwise it is 1.
    pub(crate) has_specific_exit_codes: bool,
    pub(crate) stored_lease_limit: StoredLeaseLimit,
    /// A new client at the lease limit crashes dnsmasq.
    pub(crate) lease_limit_crashes: bool,
    pub(crate) address_hash: AddressHash,
    /// A client that rebinds without a lease is refused; otherwise it is not answered.
    pub(crate) refuses_rebinding: bool,
    /// Addresses that end in .0 or .255 are not assigned.
    pub(crate) avoids_windows_addresses: bool,
    /// Rapid commit for an address other than that of the client's lease deletes the lease.
    pub(crate) rapid_commit_deletes: bool,
}

impl Rules {
    /// The rules of dnsmasq 2.33, to which the table of changes is applied.
    pub(crate) const FIRST: Rules = Rules {
        delivery: CallDelivery::OneAtATime,
        sighup_starts_no_script: true,
        packet_after_sighup_is_lost: true,
        sighup_marks_changed: false,
        space_after_times: true,
        reports_lost_names: false,
        taken_name_keeps_spelling: true,
        taken_name_marks_other_lease: true,
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
        generated_duid: GeneratedDuid::Known,
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
        stored_star_is_space: false,
        hex_syntax: HexSyntax::Unchecked,
        reads_leasequery_lines: false,
        has_specific_exit_codes: false,
        stored_lease_limit: StoredLeaseLimit::Exits,
        lease_limit_crashes: false,
        address_hash: AddressHash::Sum,
        refuses_rebinding: true,
        avoids_windows_addresses: false,
        rapid_commit_deletes: false,
    };

    /// Returns whether dnsmasq removes a lease with this expiry at `now`.
    pub(crate) fn has_expired(&self, expires: i64, now: i64) -> bool {
        expires != 0 && if self.expiry_is_inclusive { now >= expires } else { now > expires }
    }
}
