//! A model of dnsmasq's DHCP server, its lease database and its script calls, as a state machine without I/O.
//!
//! The model covers releases 2.33 to 2.92 ([`Release`]) with `--dhcp-script`, in both builds ([`Build`]). The table
//! [`CHANGES`] lists the differences between the releases. Every rule cites the function of dnsmasq that it models.
//! `leaselab trace check` compares the model with recordings of the real program.
//!
//! # Inputs and outputs
//!
//! | input | method | carries |
//! |---|---|---|
//! | start | [`Engine::start`] | output and exit code of `init` |
//! | DHCPv4 message | [`Engine::dhcp4`] | client, address, and the reply ([`Reply4`]) |
//! | DHCPv6 message | [`Engine::dhcp6`] | client, identity associations, and the reply ([`Reply6`]) |
//! | SIGHUP, SIGALRM | [`Engine::sighup`], [`Engine::advance_to`] | |
//! | file written | [`Engine::set_file`] | `--dhcp-hostsfile`, `--dhcp-hostsdir`, `--addn-hosts` |
//! | neighbour, TFTP | [`Engine::add_neighbour`], [`Engine::tftp`] | |
//! | SIGTERM, SIGKILL, power cut | [`Engine::stop`], [`Engine::kill_main_process`], [`Engine::kill`] | |
//!
//! Each input includes both clocks ([`Clock`]). A jump of the wall clock is not a separate input: the next input has
//! the new time. Script calls go to a [`CallSink`] as they are queued: a `Vec<ScriptCall>` renders them, [`CallCounts`]
//! only counts them. The replies come from a recording, from a real server, or from [`Server`], which models dnsmasq's
//! decisions.
//!
//! # States of a lease
//!
//! ```text
//!                 init printed it (not NEW, not CHANGED)
//!                            |
//!  ACK, REPLY  --> NEW --add--> current <--old--- CHANGED <-- name, hardware address, interface,
//!                            |  |                 ^           SELECTING, INIT-REBOOT, SIGHUP, start
//!                            |  +-----------------+
//!                            |  +--old (ro only)-- AUX_CHANGED <-- client-id; expiry (RTC), length (no-RTC)
//!                            v
//!       expiry, RELEASE, DECLINE, request for another address --> ended --del--> removed
//!
//!  lost name (taken by another lease, or changed): old with DNSMASQ_OLD_HOSTNAME, before all of the above except del
//! ```
//!
//! Calls are made one after the other until none is due: for the newest *ended* lease (a lost name first, then `del`),
//! else for the newest lease with a lost name, else for the newest lease that is NEW or changed. At start, one such
//! call is made before the synthetic SIGHUP marks every lease as changed.
//!
//! # Slow scripts
//!
//! With [`Engine::set_call_time`], each call except `init` runs for that many seconds of the monotonic clock. The sink
//! receives a call when it begins. While a call runs, 2.33 makes no other call: a later call reports all changes of a
//! lease at once, with the data of that time, and SIGTERM drops changes that have not been reported. From 2.34 on,
//! calls wait in a pipe with the data from the time at which they were queued, and the helper makes them even if
//! dnsmasq ends.
//!
//! # When leases end
//!
//! A lease has expired when dnsmasq's clock (wall clock in the RTC build, monotonic clock in the other) has reached its
//! end. dnsmasq checks this only before each DHCP message, at SIGALRM and at start. The alarm runs on the monotonic
//! clock. After each check, it is set to the earliest end of a lease; if no lease ends, an earlier alarm stays set.
//!
//! # Not modelled
//!
//! A full pipe to the script helper (64 KB of waiting calls) merges changes; in the model the pipe is never full. PXE,
//! Lua, D-Bus, DHCPv6 relays and SLAAC are not modelled either.

#![forbid(unsafe_code)]

mod address_hash;
mod alarm;
mod allocate4;
mod arp;
mod c_numbers;
mod call;
mod call_diff;
mod call_sink;
mod changes;
mod client4;
mod client6;
mod clock;
mod conf_file;
mod config;
mod config_check;
mod context4;
mod db;
mod engine;
mod held_call;
mod hex;
mod host;
mod host_address6;
mod hosts;
mod hw_addr;
mod hw_pattern;
mod ia_kind;
mod init;
mod lease;
mod lease_line;
mod lease_time;
mod message4;
mod message6;
mod names;
mod netmask;
mod network;
mod options;
mod options_since;
mod parse_hex;
mod parse_host;
mod parse_range;
mod pending_call;
mod process;
mod range;
mod read;
mod read_check;
mod release;
mod release_rules;
mod request4;
mod reservations6;
mod resolver;
mod rules;
mod script_queue;
mod server;
mod server6;
mod short_hasher;
mod stale_buffers;
mod start;
mod tag_list;
mod tags;
mod text;
mod tokens;
mod v4;
mod v6;

pub use address_hash::address_hash;
pub use call::{Action, ScriptCall};
pub use call_diff::CallDifference;
pub use call_sink::{CallCounts, CallSink};
pub use changes::{CHANGES, Change, changes_between};
pub use client4::{Client4, Options4};
pub use client6::Client6;
pub use clock::{Build, Clock};
pub use config::{CondDomain, ConfigError, ServerConfig};
pub use engine::Engine;
pub use hex::{hex_digits, hex_text, parse_hex_digits, parse_hex_text};
pub use host::Host;
pub use host_address6::HostAddress6;
pub use hosts::ConfigFiles;
pub use hw_addr::{ETHER, HwAddr};
pub use hw_pattern::HwPattern;
pub use ia_kind::IaKind;
pub use init::{InitResult, InitStatus, StartFailure};
pub use lease::{ExtraData, Lease, LeaseKind};
pub use lease_line::{LeaseLine, duid_line, parse_duid_line};
pub use lease_time::INFINITE;
pub use message4::{Kind4, Message4, Reply4};
pub use message6::{Ia, Kind6, Renewal6, Reply6, Return6};
pub use names::{c_string, legal_hostname, strip_hostname};
pub use network::{Interface, Network};
pub use options_since::option_since;

pub use pending_call::{PendingCall, hostname_argument};
pub use range::{Range4, Range6, Use6};
pub use read_check::{ReadLine, read_lines};
pub use release::{Release, ReleaseError};
pub use server::Server;
pub use tags::{TagIf, TagRule};
pub use text::{Text, share_text};
