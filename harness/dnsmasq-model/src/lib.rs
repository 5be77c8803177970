//! dnsmasq's lease database as it calls its script: a pure state machine.
//!
//! Modelled is dnsmasq 2.90 / 2.91pre with `--dhcp-script`, in both builds ([`Build`]). Every rule names the function
//! of dnsmasq that it follows; `leaselab trace check` holds the whole against recordings.
//!
//! # Inputs and outputs
//!
//! | input | method | carries |
//! |---|---|---|
//! | start | [`Engine::start`] | what `init` printed and returned |
//! | DHCPv4 message | [`Engine::dhcp4`] | client, address, and the answer decided ([`Reply4`]) |
//! | DHCPv6 message | [`Engine::dhcp6`] | client, associations, and the answer decided ([`Reply6`]) |
//! | SIGHUP, SIGALRM | [`Engine::sighup`], [`Engine::advance_to`] | |
//! | file written | [`Engine::set_file`] | `--dhcp-hostsfile`, `--dhcp-hostsdir`, `--addn-hosts` |
//! | neighbour, TFTP | [`Engine::add_neighbour`], [`Engine::tftp`] | |
//! | SIGTERM, power cut | [`Engine::stop`], [`Engine::kill`] | |
//!
//! Each comes with both clocks ([`Clock`]); a wall clock that differs from the last one by more than the monotonic
//! clock is a warp, with no input of its own. Script calls go to a [`CallSink`] as they are queued: a
//! `Vec<ScriptCall>` renders them, [`CallCounts`] only counts. Who decides the answers: a recording, a real server, or
//! [`Server`], which decides as dnsmasq does.
//!
//! # A lease
//!
//! ```text
//!                 init printed it (not NEW, not CHANGED)
//!                            |
//!  ACK, REPLY  --> NEW --add--> at rest <--old--- CHANGED <-- name, hardware address, interface,
//!                            |  |                 ^           SELECTING, INIT-REBOOT, SIGHUP, start
//!                            |  +-----------------+
//!                            |  +--old (ro only)-- AUX_CHANGED <-- client-id; expiry (RTC), length (no-RTC)
//!                            v
//!       expiry seen, RELEASE, DECLINE, other address asked for --> gone --del--> forgotten
//!
//!  lost name (taken by another, or changed): old with DNSMASQ_OLD_HOSTNAME, before any of the above but a del
//! ```
//!
//! Order, again and again until nothing is due: the newest *gone* lease (a lost name first, then `del`), else the
//! newest lease with a lost name, else the newest lease that is NEW or changed. At start one such call is made before
//! the synthetic SIGHUP marks every lease as changed.
//!
//! # When leases end
//!
//! A lease is over when dnsmasq's clock (wall in the RTC build, monotonic in the other) has reached its end. That is
//! looked at before each DHCP message, at SIGALRM and at start, never between. The alarm runs on the monotonic clock
//! and is set after each of these to the earliest end; with no end to come, an older alarm stays set.
//!
//! # Beyond the model
//!
//! A pipe to the script that is full (64 KB of calls waiting) merges changes; here every call is made at once.
//! PXE, Lua, D-Bus, DHCPv6 relays, RA and SLAAC, tags set by options, more than one interface.

mod arp;
mod call;
mod call_diff;
mod clock;
mod config;
mod db;
mod engine;
mod hex;
mod hosts;
mod hw_addr;
mod ia_kind;
mod init;
mod lease;
mod lease_line;
mod names;
mod parse_hex;
mod read;
mod server;
mod server6;
mod text;
mod v4;
mod v6;

pub use call::{Action, CallCounts, CallSink, PendingCall, ScriptCall};
pub use call_diff::CallDifference;
pub use clock::{Build, Clock};
pub use config::{
    CondDomain, ConfigError, Host, HwPattern, INFINITE, Range4, Range6, SHORTEST_LEASE,
    ServerConfig, lease_time, parse_host,
};
pub use engine::{Engine, Network};
pub use hex::{hex_digits, hex_text, parse_hex_digits, parse_hex_text};
pub use hosts::Files;
pub use hw_addr::{CHADDR_MAX, ETHER, HwAddr};
pub use ia_kind::IaKind;
pub use init::{InitResult, InitStatus, StartFailure};
pub use lease::{ExtraData, Lease, LeaseKind};
pub use lease_line::{LeaseLine, duid_line, duid_of_line};
pub use names::{c_string, legal_hostname, same_name, strip_hostname};
pub use server::{Server, address_hash, granted_lease_time};
pub use server6::address_hash6;
pub use text::{Text, share_text};
pub use v4::{Client4, Kind4, Message4, Options4, Reply4};
pub use v6::{Client6, Ia, Kind6, Reply6};
