//! Converts the stimuli of a recording into inputs of the engine.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::byte_string::ByteString;
use super::recording::{Answer, IaRecord, Stimulus, Vendor};
use super::stimulus_error::StimulusError;
use super::testbed;
use dnsmasq_model::{
    Client4, Client6, ETHER, HwAddr, Ia, IaKind, Kind4, Kind6, Options4, Reply4, Reply6, Text,
    parse_hex_text,
};

impl Stimulus {
    /// Returns the value of a field that is required for stimuli of this kind.
    pub(super) fn required<'v>(
        &self,
        field: &'static str,
        value: Option<&'v str>,
    ) -> Result<&'v str, StimulusError> {
        value.ok_or_else(|| StimulusError::Missing { kind: self.kind.clone(), field })
    }
}

/// Returns the kind of DHCPv4 message, or `None` if the stimulus is not a DHCPv4 message.
pub(super) fn kind4(stimulus: &Stimulus) -> Option<Kind4> {
    Some(match &*stimulus.kind {
        "discover" => Kind4::Discover { rapid: stimulus.rapid.unwrap_or(0) != 0 },
        "request" => Kind4::Request,
        "init_reboot" => Kind4::InitReboot,
        "renew" => Kind4::Renew,
        "rebind" => Kind4::Rebind,
        "inform" => Kind4::Inform,
        "release" => Kind4::Release,
        "decline" => Kind4::Decline,
        "bootp" => Kind4::Bootp,
        _ => return None,
    })
}

/// Returns the kind of DHCPv6 message, or `None` if the stimulus is not a DHCPv6 message.
pub(super) fn kind6(word: &str) -> Option<Kind6> {
    Some(match word {
        "solicit6" => Kind6::Solicit,
        "request6" => Kind6::Request,
        "renew6" => Kind6::Renew,
        "rebind6" => Kind6::Rebind,
        "confirm6" => Kind6::Confirm,
        "release6" => Kind6::Release,
        "decline6" => Kind6::Decline,
        _ => return None,
    })
}

fn hex(text: &str) -> Result<Vec<u8>, StimulusError> {
    parse_hex_text(text.as_bytes()).ok_or_else(|| StimulusError::Hexadecimal(text.to_owned()))
}

fn id(text: Option<&String>) -> Result<Option<Text>, StimulusError> {
    Ok(text.map(|t| hex(t)).transpose()?.map(Text::from))
}

fn text_of(text: Option<&ByteString>) -> Option<Text> {
    text.map(|t| Text::from(&t.0[..]))
}

pub(super) fn address4(text: Option<&String>) -> Result<Ipv4Addr, StimulusError> {
    match text {
        None => Ok(Ipv4Addr::UNSPECIFIED),
        Some(text) => text.parse().map_err(|_| StimulusError::Ipv4Address(text.clone())),
    }
}

pub(super) fn hardware(stimulus: &Stimulus) -> Result<HwAddr, StimulusError> {
    let bytes = stimulus.mac.as_deref().map(hex).transpose()?.unwrap_or_default();
    Ok(HwAddr::new(stimulus.htype.unwrap_or(ETHER), &bytes))
}

/// Returns the DHCPv4 client that sends a message.
pub(super) fn client4(stimulus: &Stimulus) -> Result<Client4, StimulusError> {
    let agent = |number: &str| {
        let text = stimulus.agent.as_ref().and_then(|a| a.get(number));
        text.map(|t| t.0.clone()).unwrap_or_default()
    };
    let vendor_class = match &stimulus.vendor {
        Some(Vendor::V4(class)) => class.0.clone(),
        _ => Vec::new(),
    };
    let options = Options4 {
        vendor_class,
        user_classes: stimulus.user_class.iter().flatten().map(|c| c.0.clone()).collect(),
        requested: stimulus.prl.clone().unwrap_or_default(),
        mud_url: stimulus.mud.as_ref().map(|m| m.0.clone()).unwrap_or_default(),
        circuit_id: agent("1"),
        remote_id: agent("2"),
        subscriber_id: agent("6"),
        cpewan: Default::default(),
    };
    Ok(Client4 {
        hw: hardware(stimulus)?,
        clid: id(stimulus.clid.as_ref())?,
        hostname: text_of(stimulus.hostname.as_ref()),
        fqdn: text_of(stimulus.fqdn.as_ref()),
        lease_time: stimulus.lease_time,
        relay: stimulus.relay.filter(|n| *n != 0).map(testbed::relay),
        interface: 0,
        options: Arc::new(options),
    })
}

/// Converts a recorded DHCPv4 reply.
pub(super) fn reply4(answer: Option<&Answer>) -> Result<Reply4, StimulusError> {
    let Some(answer) = answer else { return Ok(Reply4::Silent) };
    Ok(match answer.kind.as_deref() {
        None => Reply4::Silent,
        Some("OFFER") => Reply4::Offer(address4(answer.ip.as_ref())?),
        Some("ACK") => Reply4::Ack {
            addr: address4(answer.ip.as_ref())?,
            lease_time: answer.lease_time.unwrap_or(u32::MAX),
        },
        Some("BOOTREPLY") => Reply4::BootReply(address4(answer.ip.as_ref())?),
        Some("NAK") => Reply4::Nak,
        Some(other) => return Err(StimulusError::Dhcp4Reply(other.to_owned())),
    })
}

/// Returns the DHCPv6 client that sends a message.
pub(super) fn client6(stimulus: &Stimulus) -> Result<Client6, StimulusError> {
    let duid = stimulus.required("duid", stimulus.duid.as_deref())?;
    let mut client = Client6::new(hex(duid)?);
    client.hw = Some(testbed::client6());
    client.hostname = text_of(stimulus.hostname.as_ref());
    if let Some(Vendor::V6(number, classes)) = &stimulus.vendor {
        client.vendor = Some((*number, classes.iter().map(|c| c.0.clone()).collect()));
    }
    client.user_classes = stimulus.user_class.iter().flatten().map(|c| c.0.clone()).collect();
    client.requested = stimulus.oro.clone().unwrap_or_default();
    client.mud_url = stimulus.mud.as_ref().map(|m| m.0.clone()).unwrap_or_default();
    Ok(client)
}

/// Converts the identity associations of a message or reply.
pub(super) fn associations(records: &[IaRecord]) -> Result<Vec<Ia>, StimulusError> {
    records
        .iter()
        .map(|record| {
            let kind = IaKind::from_name(&record.kind)
                .ok_or_else(|| StimulusError::Association(record.kind.clone()))?;
            let addrs: Result<Vec<Ipv6Addr>, StimulusError> = record
                .addr
                .iter()
                .map(|a| a.parse().map_err(|_| StimulusError::Ipv6Address(a.clone())))
                .collect();
            Ok(Ia { kind, iaid: record.iaid, addrs: addrs?, valid: record.valid.unwrap_or(0) })
        })
        .collect()
}

/// Converts a recorded DHCPv6 reply.
pub(super) fn reply6(answer: Option<&Answer>) -> Result<Reply6, StimulusError> {
    let Some(answer) = answer else { return Ok(Reply6::Silent) };
    Ok(match answer.kind.as_deref() {
        None => Reply6::Silent,
        Some("ADVERTISE") => Reply6::Advertise(associations(&answer.ia)?),
        Some("REPLY") => Reply6::Reply(associations(&answer.ia)?),
        Some(other) => return Err(StimulusError::Dhcp6Reply(other.to_owned())),
    })
}
