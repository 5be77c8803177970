//! A DHCPv4 client.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::hw_addr::HwAddr;
use super::text::Text;

/// A DHCPv4 client with the options that it sends. An empty value stands for an absent option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client4 {
    /// Hardware address and type.
    pub hw: HwAddr,
    /// Client identifier, option 61.
    pub clid: Option<Text>,
    /// Host name as sent, option 12.
    pub hostname: Option<Text>,
    /// Name in option 81, with dots between the labels.
    pub fqdn: Option<Text>,
    /// Requested lease time in seconds, option 51.
    pub lease_time: Option<u32>,
    /// Relay agent's address (giaddr).
    pub relay: Option<Ipv4Addr>,
    /// The number of the server's interface that receives its messages.
    pub interface: u8,
    /// Options that only affect the variables of script calls.
    pub options: Arc<Options4>,
}

impl Client4 {
    /// Creates a client that sends only its hardware address.
    #[must_use]
    pub fn new(hw: HwAddr) -> Client4 {
        Client4 {
            hw,
            clid: None,
            hostname: None,
            fqdn: None,
            lease_time: None,
            relay: None,
            interface: 0,
            options: Arc::default(),
        }
    }
}

/// Options that only affect the variables of script calls. An empty value stands for an absent option.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options4 {
    /// Option 60.
    pub vendor_class: Vec<u8>,
    /// Option 77, one per class.
    pub user_classes: Vec<Vec<u8>>,
    /// Option 55.
    pub requested: Vec<u8>,
    /// Option 161.
    pub mud_url: Vec<u8>,
    /// Option 82: circuit-id.
    pub circuit_id: Vec<u8>,
    /// Option 82: remote-id.
    pub remote_id: Vec<u8>,
    /// Option 82: subscriber-id.
    pub subscriber_id: Vec<u8>,
    /// Option 125 of the Broadband Forum: OUI, serial number, class.
    pub cpewan: [Vec<u8>; 3],
}
