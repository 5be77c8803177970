//! The clients of a scenario, by the names that its file gives them.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use super::configuration::relay_address;
use super::escapes::unescape;
use dnsmasq_model::{
    Client4, Client6, ETHER, HwAddr, INFINITE, IaKind, Options4, Text, parse_hex_text,
};
use scenario::diagnostics::SourceError;
use scenario::{Case, ClientEvent, Join, LeaseTime, V6, did_you_mean};

/// A scenario with more clients than this is rejected.
const MAX_CLIENTS: usize = 10_000;

/// The protocol of a client, with what it sends.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// DHCPv4.
    V4(Client4),
    /// BOOTP.
    Bootp(Client4),
    /// DHCPv6.
    V6 {
        /// DUID, hardware address and host name.
        client: Client6,
        /// Temporary or not.
        kind: IaKind,
        /// IAID of its identity association.
        iaid: u32,
    },
}

/// One client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its name in the file.
    pub name: String,
    /// Its protocol.
    pub protocol: Protocol,
    /// The address that it has, or had last.
    pub address: Option<IpAddr>,
    /// DHCPv6: the DUID of the server that answered it last.
    pub server: Option<Vec<u8>>,
    /// Whether it disappeared without a RELEASE, so that patterns no longer match it.
    silent: bool,
}

/// All clients, in the order in which they joined.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    list: Vec<Client>,
}

impl Clients {
    /// The client with this index.
    pub fn get_mut(&mut self, index: usize) -> &mut Client {
        &mut self.list[index]
    }

    /// The indices of the clients of a `join`: new ones, or known ones that come back.
    ///
    /// # Errors
    /// An invalid address or identifier, with its place.
    pub fn join(
        &mut self,
        case: &Case,
        span: Range<usize>,
        join: &Join,
    ) -> Result<Vec<usize>, SourceError> {
        let name = join.client.get_ref();
        let Some(count) = join.count else {
            return Ok(vec![self.join_one(case, span, join, name)?]);
        };
        if self.list.len() + count as usize > MAX_CLIENTS {
            return Err(case.error(span, format!("more than {MAX_CLIENTS} clients")));
        }
        if count > 1 && (join.mac.is_some() || join.address.is_some() || join.duid.is_some()) {
            return Err(case
                .error(span, "`mac`, `address` and `duid` belong to a single client")
                .help("leave out `count`"));
        }
        (1..=count)
            .map(|n| self.join_one(case, span.clone(), join, &format!("{name}-{n}")))
            .collect()
    }

    fn join_one(
        &mut self,
        case: &Case,
        span: Range<usize>,
        join: &Join,
        name: &str,
    ) -> Result<usize, SourceError> {
        let known = self.list.iter().position(|client| client.name == name);
        let number = known.unwrap_or(self.list.len()) + 1;
        let hw = match &join.mac {
            Some(mac) => hardware(mac.get_ref()).map_err(|why| case.error(mac.span(), why))?,
            None => HwAddr::ethernet([2, 0xaa, 0, 0, (number >> 8) as u8, number as u8]),
        };
        let hostname = join.hostname.as_deref().unwrap_or(name);
        let hostname = option_text(hostname).map_err(|why| case.error(span.clone(), why))?;
        let protocol = match join.v6 {
            Some(kind) => {
                let duid = match &join.duid {
                    Some(duid) => {
                        hex(duid.get_ref()).map_err(|why| case.error(duid.span(), why))?
                    }
                    None => [&[0, 3, 0, 1][..], hw.bytes()].concat(),
                };
                let mut client = Client6::new(duid);
                client.hw = Some(hw);
                client.hostname = hostname;
                let kind = match kind {
                    V6::Na => IaKind::Na,
                    V6::Ta => IaKind::Ta,
                };
                Protocol::V6 { client, kind, iaid: join.iaid.unwrap_or(1) }
            }
            None => {
                let mut client = Client4::new(hw);
                client.hostname = hostname;
                client.clid = match &join.client_id {
                    Some(clid) => {
                        client_id(clid.get_ref()).map_err(|why| case.error(clid.span(), why))?
                    }
                    None => Some([&[1], hw.bytes()].concat().into()),
                };
                client.lease_time = join.lease_time.map(wire_time);
                place_in_network(case, join, &mut client)?;
                client.options =
                    Arc::new(class_options(join).map_err(|why| case.error(span.clone(), why))?);
                if join.bootp { Protocol::Bootp(client) } else { Protocol::V4(client) }
            }
        };
        let remembered = known.and_then(|index| self.list[index].address);
        let server = known.and_then(|index| self.list[index].server.clone());
        let address = match &join.address {
            Some(address) => Some(parse_address(case, address)?),
            None => remembered,
        };
        let client = Client { name: name.to_owned(), protocol, address, server, silent: false };
        Ok(match known {
            Some(index) => {
                self.list[index] = client;
                index
            }
            None => {
                self.list.push(client);
                self.list.len() - 1
            }
        })
    }

    /// Applies an event's changes to the clients that it names, and returns their indices.
    ///
    /// # Errors
    /// A name that no client has, an invalid address or identifier, with its place.
    pub fn select(&mut self, case: &Case, event: &ClientEvent) -> Result<Vec<usize>, SourceError> {
        let pattern = event.client.get_ref();
        let several = pattern.contains('*');
        let selected: Vec<usize> = (0..self.list.len())
            .filter(|index| matches(pattern, &self.list[*index].name))
            .filter(|index| !(several && self.list[*index].silent))
            .collect();
        if selected.is_empty() {
            let known: Vec<&str> = self.list.iter().map(|client| client.name.as_str()).collect();
            let help = match known.as_slice() {
                [] => "no client has joined yet; add a `join` step first".to_owned(),
                known => format!("the clients so far are {}", known.join(", ")),
            };
            return Err(case
                .error(event.client.span(), format!("no client is named `{pattern}`"))
                .help(help));
        }
        for index in &selected {
            self.change(case, event, *index)?;
        }
        Ok(selected)
    }

    fn change(
        &mut self,
        case: &Case,
        event: &ClientEvent,
        index: usize,
    ) -> Result<(), SourceError> {
        let client = &mut self.list[index];
        client.silent = false;
        let hostname = event
            .hostname
            .as_deref()
            .map(option_text)
            .transpose()
            .map_err(|why| case.error(event.client.span(), why))?;
        let mac = event
            .mac
            .as_ref()
            .map(|mac| hardware(mac.get_ref()).map_err(|why| case.error(mac.span(), why)))
            .transpose()?;
        let clid = event
            .client_id
            .as_ref()
            .map(|clid| client_id(clid.get_ref()).map_err(|why| case.error(clid.span(), why)))
            .transpose()?;
        match &mut client.protocol {
            Protocol::V4(own) | Protocol::Bootp(own) => {
                if let Some(hostname) = hostname {
                    own.hostname = hostname;
                }
                own.hw = mac.unwrap_or(own.hw);
                if let Some(clid) = clid {
                    own.clid = clid;
                }
                own.lease_time = event.lease_time.map(wire_time).or(own.lease_time);
            }
            Protocol::V6 { client: own, .. } => {
                if let Some(hostname) = hostname {
                    own.hostname = hostname;
                }
                own.hw = mac.or(own.hw);
            }
        }
        Ok(())
    }

    /// Whether [`Self::select`] would find a client for this name or pattern.
    pub fn any(&self, pattern: &str) -> bool {
        let several = pattern.contains('*');
        self.list.iter().any(|client| matches(pattern, &client.name) && !(several && client.silent))
    }

    /// Marks a client that disappears without a RELEASE.
    pub fn silence(&mut self, index: usize) {
        self.list[index].silent = true;
    }

    /// The addresses of the clients that a pattern matches. A pattern that is an address is returned as it is.
    pub fn addresses(&self, pattern: &str) -> Vec<String> {
        if pattern.parse::<IpAddr>().is_ok() {
            return vec![pattern.to_owned()];
        }
        self.list
            .iter()
            .filter(|client| matches(pattern, &client.name))
            .filter_map(|client| client.address.map(|address| address.to_string()))
            .collect()
    }
}

/// Whether a name matches a pattern in which `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|at| rest.is_char_boundary(*at))
                .any(|at| matches(tail, &rest[at..]))
        }),
    }
}

fn option_text(text: &str) -> Result<Option<Text>, String> {
    let bytes = unescape(text)?;
    if bytes.len() > 255 {
        return Err("a DHCP option holds at most 255 bytes".to_owned());
    }
    Ok((!bytes.is_empty()).then(|| bytes.into()))
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    parse_hex_text(text.as_bytes()).filter(|bytes| (1..=255).contains(&bytes.len())).ok_or_else(
        || {
            format!(
                "invalid bytes `{text}`: expected hexadecimal with colons, for example 01:02:aa"
            )
        },
    )
}

fn client_id(text: &str) -> Result<Option<Text>, String> {
    if text.is_empty() { Ok(None) } else { hex(text).map(|bytes| Some(bytes.into())) }
}

fn hardware(text: &str) -> Result<HwAddr, String> {
    let (kind, bytes) = match text.split_once('-') {
        Some((kind, bytes)) => (u16::from_str_radix(kind, 16).ok(), bytes),
        None => (Some(ETHER), text),
    };
    let bytes = if bytes.is_empty() { Vec::new() } else { hex(bytes)? };
    kind.filter(|_| bytes.len() <= 16).map(|kind| HwAddr::new(kind, &bytes)).ok_or_else(|| {
        format!("invalid hardware address `{text}`: expected for example 02:aa:00:00:00:01")
    })
}

/// Parses an IP address.
///
/// # Errors
/// An invalid one, with its place.
pub fn parse_address(case: &Case, address: &toml::Spanned<String>) -> Result<IpAddr, SourceError> {
    let text = address.get_ref();
    text.parse().map_err(|_| case.error(address.span(), format!("invalid IP address `{text}`")))
}

/// Puts a client into the network that its `join` names.
fn place_in_network(case: &Case, join: &Join, client: &mut Client4) -> Result<(), SourceError> {
    let Some(name) = &join.network else { return Ok(()) };
    let networks = &case.scenario.networks;
    let found = networks.iter().find(|network| network.name.get_ref() == name.get_ref());
    let Some(network) = found else {
        let error = case.error(name.span(), format!("no network is named `{}`", name.get_ref()));
        let known = networks.iter().map(|network| network.name.get_ref().as_str());
        return Err(match did_you_mean(name.get_ref(), known) {
            Some(known) => error.help(format!("did you mean `{known}`?")),
            None => error.help("add a `[[network]]` with this name"),
        });
    };
    match &network.relay {
        Some(relay) => client.relay = Some(relay_address(case, relay)?),
        None => {
            let interfaces = networks.iter().filter(|network| network.interface.is_some());
            let place = interfaces.take_while(|other| other.name != network.name).count();
            client.interface = place as u8 + 1;
        }
    }
    Ok(())
}

/// The options for classes of clients.
fn class_options(join: &Join) -> Result<Options4, String> {
    let bytes = |text: &Option<String>| {
        text.as_deref()
            .map(option_text)
            .transpose()
            .map(|text| text.flatten().map(|text| text.to_vec()))
    };
    Ok(Options4 {
        vendor_class: bytes(&join.vendor_class)?.unwrap_or_default(),
        user_classes: bytes(&join.user_class)?.into_iter().collect(),
        ..Options4::default()
    })
}

/// A lease time in seconds, as in DHCP option 51.
fn wire_time(time: LeaseTime) -> u32 {
    match time {
        LeaseTime::Infinite => INFINITE,
        LeaseTime::Finite(seconds) => u32::try_from(seconds.0).unwrap_or(INFINITE - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("*", "phone", true)]
    #[case("pc-*", "pc-17", true)]
    #[case("*-1", "pc-1", true)]
    #[case("p*-1", "pc-1", true)]
    #[case("pc-1", "pc-17", false)]
    #[case("pc-*", "phone", false)]
    #[case("*x", "phone", false)]
    fn a_star_matches_any_number_of_characters(
        #[case] pattern: &str,
        #[case] name: &str,
        #[case] fits: bool,
    ) {
        assert_eq!(matches(pattern, name), fits);
    }

    #[test]
    fn a_hardware_address_may_have_a_type_prefix_and_may_be_empty() {
        assert_eq!(hardware("06-02:aa").map(|hw| hw.text()), Ok("06-02:aa".to_owned()));
        assert_eq!(hardware("20-").map(|hw| hw.text()), Ok("20-".to_owned()));
        assert!(hardware("zz").is_err());
        assert!(hardware("").is_ok_and(|hw| hw.is_empty()));
    }
}
