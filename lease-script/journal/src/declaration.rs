//! Declarations: their subjects, and their statements as text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use lease_formats::dhcpd::{IaKind, put_string};
use lease_formats::hex;

use crate::block::{Block, address};

/// The subject of a declaration. A later declaration of the same subject replaces an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The DUID of the server.
    ServerDuid,
    /// A declaration of another program, identified by its name.
    Other(Vec<u8>),
    /// The lease of an address.
    Lease(Ipv4Addr),
    /// An identity association: its kind, and its IAID in little-endian byte order followed by the DUID of the client.
    Association(IaKind, Vec<u8>),
}

impl Subject {
    /// Returns the rank in the order of a rewritten journal.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::ServerDuid => 0,
            Self::Other(_) => 1,
            Self::Lease(_) | Self::Association(..) => 2,
        }
    }
}

/// A declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    pub(crate) subject: Subject,
    /// The DUID of the server, the statements of a lease or of an association, or the text of another declaration.
    pub(crate) body: Vec<u8>,
    /// The position of the declaration in the text.
    pub(crate) place: Range<usize>,
}

impl Declaration {
    /// Returns the subject.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Returns the statements of a lease or an identity association. Other declarations have none.
    pub fn block(&self) -> Block<'_> {
        match self.subject {
            Subject::Lease(_) | Subject::Association(..) => Block(&self.body),
            Subject::ServerDuid | Subject::Other(_) => Block(&[]),
        }
    }

    /// Returns whether this is an association with an active lease of an address.
    pub fn holds(&self, address: Ipv6Addr) -> bool {
        self.held_addresses().any(|held| held == address)
    }

    /// Returns the addresses with an active lease in an association. A delegated prefix is no lease of its first address.
    pub(crate) fn held_addresses(&self) -> impl Iterator<Item = Ipv6Addr> {
        let block = match self.subject {
            Subject::Association(IaKind::NonTemporary | IaKind::Temporary, _) => self.block(),
            _ => Block(&[]),
        };
        block.addresses().filter(|(_, block)| block.is_active()).map(|(address, _)| address)
    }

    /// Returns the declared addresses, and whether the lease of each is active.
    pub(crate) fn addresses(&self) -> Vec<(IpAddr, bool)> {
        match self.subject {
            Subject::Lease(address) => vec![(address.into(), self.block().is_active())],
            Subject::Association(..) => {
                let addresses = self.block().addresses();
                addresses.map(|(address, block)| (address.into(), block.is_active())).collect()
            }
            Subject::ServerDuid | Subject::Other(_) => Vec::new(),
        }
    }

    /// Returns the declaration without parts that are not needed later, which dhcpd also omits from a rewrite: free leases
    /// without a previous holder, and addresses that are neither leased nor abandoned. Returns `None` if nothing is left.
    pub(crate) fn worth_keeping(&self) -> Option<Vec<u8>> {
        let block = self.block();
        match self.subject {
            Subject::ServerDuid | Subject::Other(_) => Some(self.body.clone()),
            Subject::Lease(_) => {
                let is_kept = block.is_active()
                    || block.state().is_some_and(|state| state != "free")
                    || ["hardware", "uid", "tsfp"].into_iter().any(|name| block.has(name));
                is_kept.then(|| self.body.clone())
            }
            Subject::Association(..) => {
                let lives =
                    |block: Block<'_>| block.is_active() || block.state() == Some("abandoned");
                Some(with_addresses(block, |_, block| lives(block)))
                    .filter(|body| has_address(body))
            }
        }
    }

    /// Returns the DUID of the server if this declares it.
    pub fn server_duid(&self) -> Option<&[u8]> {
        (self.subject == Subject::ServerDuid).then_some(&self.body)
    }

    /// Returns the statements of an association without the address `removed`.
    pub fn without(&self, removed: Ipv6Addr) -> Vec<u8> {
        with_addresses(self.block(), |address, _| address != removed)
    }

    /// Returns the statements of an association without the address `released`. If that is its last address, it is kept in
    /// the state `released`, because an association must not be empty.
    pub fn release(&self, released: Ipv6Addr) -> Vec<u8> {
        let mut body = self.without(released);
        if has_address(&body) {
            return body;
        }
        for (address, block) in self.block().addresses() {
            body.extend_from_slice(
                format!("  iaaddr {address} {{\n    binding state released;\n").as_bytes(),
            );
            for statement in block.statements().filter(|text| !text.starts_with(b"binding")) {
                body.extend_from_slice(&[b"    ", statement].concat());
            }
            body.extend_from_slice(b"  }\n");
        }
        body
    }
}

fn has_address(body: &[u8]) -> bool {
    Block(body).addresses().next().is_some()
}

/// Returns the statements of an association with only those addresses that `is_kept` accepts.
fn with_addresses(block: Block<'_>, is_kept: impl Fn(Ipv6Addr, Block<'_>) -> bool) -> Vec<u8> {
    let mut body = Vec::new();
    for statement in block.statements() {
        if address(statement).is_none_or(|(address, block)| is_kept(address, block)) {
            body.extend_from_slice(&[b"  ", statement].concat());
        }
    }
    body
}

/// Appends a declaration to `out`.
pub(crate) fn put(out: &mut Vec<u8>, subject: &Subject, body: &[u8]) {
    /// Maximum length of the identifier of an association that dhcpd reads as a string.
    const LONGEST: usize = 131;
    let mut end: &[u8] = b"}\n";
    match subject {
        Subject::Other(_) => {
            out.extend_from_slice(body);
            return;
        }
        Subject::ServerDuid => {
            out.extend_from_slice(b"server-duid ");
            put_string(out, body);
            out.extend_from_slice(b";\n\n");
            return;
        }
        Subject::Lease(address) => out.extend_from_slice(format!("lease {address}").as_bytes()),
        Subject::Association(kind, id) => {
            out.extend_from_slice(format!("{} ", kind.declaration_word()).as_bytes());
            if id.len() <= LONGEST {
                put_string(out, id);
            } else {
                hex::append(out, id);
            }
            end = b"}\n\n";
        }
    }
    out.extend_from_slice(b" {\n");
    out.extend_from_slice(body);
    out.extend_from_slice(end);
}
