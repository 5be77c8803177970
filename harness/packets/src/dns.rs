//! DNS queries of simulated clients (RFC 1035).

use std::net::IpAddr;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
pub use hickory_proto::rr::RecordType;
use hickory_proto::rr::{Name, RData};

/// Encodes a query for the records of a name.
///
/// # Errors
/// Returns an error if `name` is not a domain name.
pub fn encode_query(name: &[u8], kind: RecordType, id: u16) -> Result<Vec<u8>, String> {
    let labels = name.split(|byte| *byte == b'.').filter(|label| !label.is_empty());
    let name = Name::from_labels(labels)
        .map_err(|error| format!("`{}` is not a domain name: {error}", name.escape_ascii()))?;
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, kind));
    message.to_vec().map_err(|error| error.to_string())
}

/// Returns the addresses in a response, or `None` if the response is invalid or does not belong to the query with this id.
pub fn parse_response(bytes: &[u8], id: u16) -> Option<Vec<IpAddr>> {
    let message = Message::from_vec(bytes).ok().filter(|message| message.metadata.id == id)?;
    let addresses = message.answers.iter().filter_map(|record| match &record.data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    });
    Some(addresses.collect())
}
