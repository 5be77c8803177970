//! The parts of dhcpd.conf that decide which leases are kept: pools, classes, failover peers.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::ia_kind::IaKind;
use super::input::Input;
use super::keyword::Keyword;
use super::lexer::{CLOSE, Lexer, OPEN, SEMICOLON, Token};
use super::parser::atoi;

/// The role of the server in a failover pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Primary,
    Secondary,
}

#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) name: Vec<u8>,
    pub(crate) role: Role,
    pub(crate) mclt: i64,
}

#[derive(Debug, Clone)]
struct Range {
    low: u32,
    high: u32,
    peer: Option<usize>,
}

#[derive(Debug, Clone)]
struct Network {
    kind: IaKind,
    start: u128,
    bits: u32,
    /// The length of the prefixes that are leased.
    units: u32,
}

/// The part of a dhcpd.conf that decides which leases the server keeps.
#[derive(Debug, Clone, Default)]
pub struct Config {
    ranges: Vec<Range>,
    networks: Vec<Network>,
    pub(crate) peers: Vec<Peer>,
    pub(crate) classes: BTreeSet<Vec<u8>>,
}

impl Config {
    /// Parses a dhcpd.conf. Skips statements that do not concern leases, and does not follow `include`.
    pub fn parse(text: &[u8]) -> Self {
        let mut config = Self::default();
        // Without a path, no file is opened, so there is no error.
        let _ = config.take(text, None, None, 0);
        config.ranges.sort_by_key(|range| range.low);
        config
    }

    /// Reads a dhcpd.conf and the files that it includes. A relative name is looked up in the folder of the file that
    /// includes it, and then in the working directory.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or files include each other.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = read_text(path)?;
        let mut config = Self::default();
        config.take(&text, Some(path), None, 0)?;
        config.ranges.sort_by_key(|range| range.low);
        Ok(config)
    }

    /// Returns the ranges of DHCPv4 addresses, sorted.
    pub fn pools(&self) -> Vec<(Ipv4Addr, Ipv4Addr)> {
        self.ranges.iter().map(|range| (range.low.into(), range.high.into())).collect()
    }

    fn take(
        &mut self,
        text: &[u8],
        path: Option<&Path>,
        peer: Option<usize>,
        included: u32,
    ) -> io::Result<()> {
        let lexer = Lexer::new(Input::new(text, 0));
        let config = std::mem::take(self);
        let mut reader = Reader { lexer, config, path, included, error: None };
        // An extra closing brace does not end the file.
        while reader.lexer.peek() != Token::End {
            reader.block(peer, 0);
        }
        *self = reader.config;
        reader.error.map_or(Ok(()), Err)
    }

    /// Returns the failover peer of the pool that contains an address, or `None` if no pool contains it.
    #[expect(clippy::option_option, reason = "no pool, and a pool without a peer, are different")]
    #[inline]
    pub(crate) fn pool(&self, address: u32) -> Option<Option<usize>> {
        let after = self.ranges.partition_point(|range| range.low <= address);
        // Ranges may overlap. The last one that contains the address decides.
        self.ranges[..after]
            .iter()
            .rev()
            .find(|range| address <= range.high)
            .map(|range| range.peer)
    }

    /// Returns the index of the pool that contains an address, or a prefix of `length`.
    pub(crate) fn network(&self, kind: IaKind, address: Ipv6Addr, length: u32) -> Option<usize> {
        let address = u128::from(address);
        let at = self.networks.iter().position(|network| {
            network.kind == kind && mask(address, network.bits) == network.start
        })?;
        (kind != IaKind::Prefix || self.networks[at].units == length).then_some(at)
    }
}

fn mask(address: u128, bits: u32) -> u128 {
    if bits == 0 { 0 } else { address & (u128::MAX << (128 - bits.min(128))) }
}

/// Returns the largest aligned blocks that make up a range (`range2cidr` of common/inet.c).
fn networks(low: u128, high: u128) -> Vec<(u128, u32)> {
    let mut blocks = Vec::new();
    let mut at = low;
    while at <= high {
        let mut bits = 128 - at.trailing_zeros().min(128);
        while bits < 128 && at | (u128::MAX.checked_shr(bits).unwrap_or(0)) > high {
            bits += 1;
        }
        blocks.push((at, bits));
        let last = at | u128::MAX.checked_shr(bits).unwrap_or(0);
        let Some(next) = last.checked_add(1) else { break };
        at = next;
    }
    blocks
}

/// The maximum nesting depth of blocks. Deeper blocks are skipped.
const MAX_DEPTH: u32 = 64;

/// The maximum nesting depth of included files. Deeper nesting counts as files that include each other.
const MAX_INCLUDES: u32 = 16;

/// The maximum size of a configuration in bytes.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

fn read_text(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("more than 256 MiB"));
    }
    Ok(text)
}

struct Reader<'a> {
    lexer: Lexer<&'a [u8]>,
    config: Config,
    /// The file that is being read. Without one, nothing is included.
    path: Option<&'a Path>,
    included: u32,
    /// Why a file could not be included, if so.
    error: Option<io::Error>,
}

impl Reader<'_> {
    /// Reads statements up to the closing brace. Returns the peer that a `failover peer` statement named.
    fn block(&mut self, mut peer: Option<usize>, depth: u32) -> Option<usize> {
        let mut ranges = self.config.ranges.len();
        loop {
            let token = self.lexer.next();
            match token {
                Token::End | CLOSE => return peer,
                SEMICOLON => {}
                Token::Keyword(Keyword::Include) => self.include(peer),
                Token::Keyword(Keyword::Range) => self.range(peer),
                Token::Keyword(Keyword::Range6) => self.range6(),
                Token::Keyword(Keyword::Prefix6) => self.prefix6(),
                Token::Keyword(Keyword::Failover) => {
                    if let Some(named) = self.failover() {
                        peer = Some(named);
                        // The statement may follow the ranges of its pool.
                        for range in &mut self.config.ranges[ranges..] {
                            range.peer = peer;
                        }
                    }
                }
                Token::Keyword(Keyword::Class) => {
                    if self.lexer.next() == Token::String {
                        self.config.classes.insert(self.lexer.c_text().to_vec());
                    }
                    self.rest(peer, depth);
                }
                _ => {
                    self.rest(peer, depth);
                    if depth == 0 {
                        ranges = self.config.ranges.len();
                    }
                }
            }
        }
    }

    /// Skips to the end of a statement. If the statement has a block, reads the block.
    fn rest(&mut self, peer: Option<usize>, depth: u32) {
        loop {
            match self.lexer.peek() {
                Token::End | CLOSE => return,
                SEMICOLON => {
                    self.lexer.next();
                    return;
                }
                OPEN => {
                    if depth >= MAX_DEPTH {
                        self.lexer.skip_to_semi();
                        return;
                    }
                    self.lexer.next();
                    self.block(peer, depth + 1);
                    return;
                }
                _ => {
                    self.lexer.next();
                }
            }
        }
    }

    fn include(&mut self, peer: Option<usize>) {
        let is_name = self.lexer.next() == Token::String;
        let name = OsStr::from_bytes(self.lexer.c_text()).to_owned();
        self.lexer.semi();
        let Some(path) = self.path.filter(|_| is_name) else { return };
        let beside = path.parent().map(|folder| folder.join(&name));
        let target = beside.filter(|beside| beside.exists()).unwrap_or_else(|| name.into());
        let result = if self.included >= MAX_INCLUDES {
            Err(io::Error::other("files include each other"))
        } else {
            read_text(&target)
                .and_then(|text| self.config.take(&text, Some(&target), peer, self.included + 1))
        };
        if let Err(error) = result {
            let message = format!("include \"{}\": {error}", target.display());
            self.error.get_or_insert(io::Error::new(error.kind(), message));
        }
    }

    fn address(&mut self) -> Option<u32> {
        let bytes: [u8; 4] = self.lexer.aggregate(4, b'.', 10)?.try_into().ok()?;
        Some(u32::from(Ipv4Addr::from(bytes)))
    }

    fn range(&mut self, peer: Option<usize>) {
        if self.lexer.peek_is(Keyword::DynamicBootp) {
            self.lexer.next();
        }
        let Some(first) = self.address() else { return };
        let mut last = first;
        if self.lexer.peek() != SEMICOLON {
            let Some(address) = self.address() else { return };
            last = address;
        }
        self.lexer.semi();
        self.config.ranges.push(Range { low: first.min(last), high: first.max(last), peer });
    }

    fn number(&mut self) -> Option<u32> {
        (self.lexer.next() == Token::Number).then(|| atoi(self.lexer.c_text()).clamp(0, 128) as u32)
    }

    fn range6(&mut self) {
        let Some(low) = self.lexer.ip6() else { return };
        let low = u128::from(low);
        let mut blocks = Vec::new();
        if self.lexer.peek() == Token::Char(b'/') {
            self.lexer.next();
            let Some(bits) = self.number() else { return };
            blocks.push((mask(low, bits), bits));
        } else if self.lexer.peek_is(Keyword::Temporary) {
            blocks.push((mask(low, 64), 64));
        } else {
            let Some(high) = self.lexer.ip6() else { return };
            blocks = networks(low, u128::from(high));
        }
        let mut kind = IaKind::NonTemporary;
        if self.lexer.peek_is(Keyword::Temporary) {
            self.lexer.next();
            kind = IaKind::Temporary;
        }
        self.lexer.semi();
        self.config.networks.extend(blocks.into_iter().map(|(start, bits)| Network {
            kind,
            start,
            bits,
            units: 128,
        }));
    }

    fn prefix6(&mut self) {
        let Some(low) = self.lexer.ip6() else { return };
        let Some(high) = self.lexer.ip6() else { return };
        if self.lexer.next() != Token::Char(b'/') {
            self.lexer.skip_to_semi();
            return;
        }
        let Some(units) = self.number() else { return };
        self.lexer.semi();
        // The end of the range is the first address of its last prefix.
        for (start, bits) in networks(u128::from(low), u128::from(high)) {
            let bits = if bits == 128 { units } else { bits };
            if bits <= units {
                let kind = IaKind::Prefix;
                self.config.networks.push(Network { kind, start, bits, units });
            }
        }
    }

    /// Parses `failover peer "N";`, which names a peer, or `failover peer "N" { }`, which declares one. Returns the named
    /// peer.
    fn failover(&mut self) -> Option<usize> {
        self.lexer.next();
        let token = self.lexer.next();
        let name = self.lexer.c_text().to_vec();
        if token != Token::String && !token.is_identifier() {
            self.lexer.skip_to_semi();
            return None;
        }
        let known = self.config.peers.iter().position(|peer| peer.name == name);
        if self.lexer.next() != OPEN {
            return known;
        }
        let mut peer = Peer { name, role: Role::Primary, mclt: 0 };
        loop {
            match self.lexer.next() {
                Token::End | CLOSE => break,
                Token::Keyword(Keyword::Secondary) => peer.role = Role::Secondary,
                Token::Keyword(Keyword::Mclt) if self.lexer.next() == Token::Number => {
                    peer.mclt = i64::from(atoi(self.lexer.c_text()));
                }
                _ => {}
            }
        }
        self.config.peers.push(peer);
        None
    }
}
