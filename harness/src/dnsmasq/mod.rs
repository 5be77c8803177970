//! dnsmasq's lease database as it calls its script: a pure state machine.

mod arp;
mod call;
mod config;
mod db;
mod engine;
mod hex;
mod hosts;
mod lease;
mod names;
mod read;
mod server;
mod server6;
mod types;
mod v4;
mod v6;

pub use call::{Action, CallCounts, CallSink, PendingCall, ScriptCall};
pub use config::{
    CondDomain, ConfigError, Host, HwPattern, INFINITE, Range4, Range6, SHORTEST_LEASE,
    ServerConfig, lease_time, parse_host,
};
pub use engine::{Engine, Network};
pub use hosts::Files;
pub use lease::{ExtraData, Lease};
pub use names::{c_string, legal_hostname, same_name, strip_hostname};
pub use server::{Server, address_hash, granted_time};
pub use server6::address_hash6;
pub use types::{
    Build, CHADDR_MAX, Clock, ETHER, HwAddr, InitResult, InitStatus, LeaseKind, StartFailure, Text,
    hex_text,
};
pub use v4::{Client4, Kind4, Message4, Options4, Reply4};
pub use v6::{Client6, Ia, Kind6, Reply6};
