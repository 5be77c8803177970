//! A DHCPv6 client.

use super::hw_addr::HwAddr;
use super::text::Text;

/// A DHCPv6 client with the options that it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client6 {
    /// DUID, option 1.
    pub duid: Text,
    /// Hardware address, which dnsmasq finds in the kernel's neighbour table.
    pub hw: Option<HwAddr>,
    /// Name in the FQDN option, with dots between the labels.
    pub hostname: Option<Text>,
    /// Vendor class, option 16: enterprise number and strings.
    pub vendor: Option<(u32, Vec<Vec<u8>>)>,
    /// User class, option 15.
    pub user_classes: Vec<Vec<u8>>,
    /// Option request, option 6.
    pub requested: Vec<u16>,
    /// Option 112.
    pub mud_url: Vec<u8>,
}

impl Client6 {
    /// Creates a client that sends only its DUID.
    #[must_use]
    pub fn new(duid: impl Into<Text>) -> Client6 {
        Client6 {
            duid: duid.into(),
            hw: None,
            hostname: None,
            vendor: None,
            user_classes: Vec::new(),
            requested: Vec::new(),
            mud_url: Vec::new(),
        }
    }
}
