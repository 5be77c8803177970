//! The hash table of variables that every tool keeps: chains, whose order is the order in flash.

use std::collections::HashMap;
use std::ops::Range;

use super::entries::{End, Entries, Walk};
use super::hash::ChainRule;
use super::header::Header;

/// Where a new name goes in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insert {
    /// `t->next = nvram_hash[i]; nvram_hash[i] = t` (OpenWrt, Broadcom): load and store reverse every chain.
    Head,
    /// At the end (Padavan's kernel core).
    Tail,
}

/// What [`Table::set`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new name.
    New,
    /// Another value for a known name, which keeps its place.
    Changed,
    /// The value was already there.
    Same,
}

const NIL: u32 = u32::MAX;
/// Chain links followed before a whole-table index is made: hostile images put every name in one chain.
const LONG_WALK: u32 = 24;

#[derive(Clone, Copy, Debug)]
struct Span {
    at: u32,
    len: u32,
}

impl Span {
    fn range(self) -> Range<usize> {
        self.at as usize..self.at as usize + self.len as usize
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    name: Span,
    value: Span,
    hash: u32,
    next: u32,
    prev: u32,
}

#[derive(Clone, Copy, Debug)]
struct Chain {
    head: u32,
    tail: u32,
}

/// Variables in chains. Names and values are byte strings without NUL; a name has no `=`.
///
/// Any number of names in one chain costs linear time: a long chain makes the table build an index.
#[derive(Clone, Debug)]
pub struct Table {
    rule: ChainRule,
    insert: Insert,
    chains: Vec<Chain>,
    nodes: Vec<Node>,
    pool: Vec<u8>,
    live: usize,
    value_bytes: u32,
    links_followed: u64,
    index: Option<HashMap<Box<[u8]>, u32>>,
}

impl Table {
    /// A table without variables.
    pub fn new(rule: ChainRule, insert: Insert) -> Self {
        let empty = Chain { head: NIL, tail: NIL };
        Self {
            rule,
            insert,
            chains: vec![empty; rule.chains as usize],
            nodes: Vec::new(),
            pool: Vec::new(),
            live: 0,
            value_bytes: 0,
            links_followed: 0,
            index: None,
        }
    }

    /// Loads the entries of `area` (the bytes behind the header) in image order: a duplicate name takes the
    /// later value and keeps the earlier place. Returns the table and why the walk ended; the `sdram_*`
    /// variables are not yet added.
    pub fn load(area: &[u8], walk: Walk, rule: ChainRule, insert: Insert) -> (Self, End) {
        let mut table = Self::new(rule, insert);
        table.pool.reserve(area.len());
        table.nodes.reserve(area.len() / 64);
        let mut entries = Entries::new(area, walk);
        let end = table.fill(&mut entries);
        (table, end)
    }

    /// A table whose [`Table::iter`] gives `area`'s entries in their own order: what was written from `iter` is
    /// read back so.
    pub fn restore(area: &[u8], rule: ChainRule, insert: Insert) -> (Self, End) {
        let (mut table, end) = Self::load(area, Walk::Terminated, rule, Insert::Tail);
        table.insert = insert;
        (table, end)
    }

    fn fill(&mut self, entries: &mut Entries<'_>) -> End {
        for entry in entries.by_ref() {
            self.set(entry.name, entry.value);
        }
        entries.end().unwrap_or(End::Regular)
    }

    /// Adds what is missing of `sdram_init`, `sdram_config`, `sdram_refresh` and `sdram_ncdl`, from the header,
    /// through `set` (end of `_nvram_rehash` and `nvram_rehash`).
    pub fn add_sdram(header: Header, mut set_if_missing: impl FnMut(&[u8], &[u8])) {
        set_if_missing(b"sdram_init", &hex4(header.sdram_init()));
        set_if_missing(b"sdram_config", &hex4(header.sdram_config()));
        set_if_missing(b"sdram_refresh", &hex4(header.sdram_refresh()));
        set_if_missing(b"sdram_ncdl", &hex8(header.config_ncdl));
    }

    /// Number of variables.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether there is no variable.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// An upper bound of the bytes that all variables take as `name=value` lines.
    pub fn printed_len(&self) -> usize {
        self.pool.len() + 2 * self.live
    }

    /// Bytes of all values that were ever new or changed, each with its NUL: what a driver's value arena has
    /// handed out (`nvram_offset`).
    pub fn value_bytes(&self) -> u32 {
        self.value_bytes
    }

    /// Chain links that changes have followed so far: the work that a hostile image could blow up.
    pub fn links_followed(&self) -> u64 {
        self.links_followed
    }

    /// The value of `name`.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let key = self.key(name);
        let node = match &self.index {
            Some(index) => *index.get(name)?,
            None => self.walk(key, name, u32::MAX, &mut 0).ok()?,
        };
        Some(&self.pool[self.nodes[node as usize].value.range()])
    }

    /// Sets `name`, by the rules of the real tables.
    pub fn set(&mut self, name: &[u8], value: &[u8]) -> Change {
        let key = self.key(name);
        if let Some(node) = self.find(key, name) {
            let node = &mut self.nodes[node as usize];
            if self.pool[node.value.range()] == *value {
                return Change::Same;
            }
            self.value_bytes += value.len() as u32 + 1;
            node.value = push(&mut self.pool, value);
            return Change::Changed;
        }
        let node = self.nodes.len() as u32;
        let name_span = push(&mut self.pool, name);
        let value_span = push(&mut self.pool, value);
        self.nodes.push(Node {
            name: name_span,
            value: value_span,
            hash: key.hash,
            next: NIL,
            prev: NIL,
        });
        self.link(node, key.chain);
        self.live += 1;
        self.value_bytes += value.len() as u32 + 1;
        if let Some(index) = &mut self.index {
            index.insert(name.into(), node);
        }
        Change::New
    }

    /// Removes `name`; whether it was there.
    pub fn unset(&mut self, name: &[u8]) -> bool {
        let key = self.key(name);
        let Some(node) = self.find(key, name) else {
            return false;
        };
        let Node { prev, next, .. } = self.nodes[node as usize];
        let chain = &mut self.chains[key.chain];
        match prev {
            NIL => chain.head = next,
            _ => self.nodes[prev as usize].next = next,
        }
        match next {
            NIL => chain.tail = prev,
            _ => self.nodes[next as usize].prev = prev,
        }
        self.live -= 1;
        if let Some(index) = &mut self.index {
            index.remove(name);
        }
        true
    }

    /// Number of chains.
    pub fn chains(&self) -> usize {
        self.chains.len()
    }

    /// The variables of one chain, head to tail.
    pub fn chain(&self, chain: usize) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.follow(self.chains[chain].head, |node| node.next)
    }

    /// All variables, first chain to last, each from head to tail: the order in flash.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        (0..self.chains()).flat_map(|chain| self.chain(chain))
    }

    /// All variables backwards: last chain to first, each from tail to head (`nvram_getall` of the OpenWrt tool).
    pub fn iter_reversed(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        (0..self.chains())
            .rev()
            .flat_map(|chain| self.follow(self.chains[chain].tail, |node| node.prev))
    }

    fn follow(&self, start: u32, step: fn(&Node) -> u32) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut at = start;
        std::iter::from_fn(move || {
            let node = self.nodes.get(at as usize)?;
            at = step(node);
            Some((&self.pool[node.name.range()], &self.pool[node.value.range()]))
        })
    }

    fn key(&self, name: &[u8]) -> Key {
        let hash = self.rule.hash(name);
        Key { hash, chain: self.rule.chain_of(hash) }
    }

    /// The node of `name`, making the index when the chain is long.
    fn find(&mut self, key: Key, name: &[u8]) -> Option<u32> {
        if self.index.is_none() {
            let mut followed = 0;
            let node = self.walk(key, name, LONG_WALK, &mut followed);
            self.links_followed += followed;
            match node {
                Ok(node) => return Some(node),
                Err(Missing::NotThere) => return None,
                Err(Missing::WalkedFar) => self.make_index(),
            }
        }
        self.links_followed += 1;
        self.index.as_ref()?.get(name).copied()
    }

    fn walk(&self, key: Key, name: &[u8], limit: u32, followed: &mut u64) -> Result<u32, Missing> {
        let mut at = self.chains[key.chain].head;
        for _ in 0..limit {
            let Some(node) = self.nodes.get(at as usize) else {
                return Err(Missing::NotThere);
            };
            if node.hash == key.hash && self.pool[node.name.range()] == *name {
                return Ok(at);
            }
            at = node.next;
            *followed += 1;
        }
        Err(Missing::WalkedFar)
    }

    fn make_index(&mut self) {
        self.links_followed += self.live as u64;
        let mut index = HashMap::with_capacity(self.live * 2);
        for chain in &self.chains {
            let mut at = chain.head;
            while let Some(node) = self.nodes.get(at as usize) {
                index.insert(self.pool[node.name.range()].into(), at);
                at = node.next;
            }
        }
        self.index = Some(index);
    }

    fn link(&mut self, at: u32, chain: usize) {
        let chain = &mut self.chains[chain];
        let Chain { head, tail } = *chain;
        if head == NIL {
            *chain = Chain { head: at, tail: at };
            return;
        }
        match self.insert {
            Insert::Head => {
                chain.head = at;
                self.nodes[at as usize].next = head;
                self.nodes[head as usize].prev = at;
            }
            Insert::Tail => {
                chain.tail = at;
                self.nodes[at as usize].prev = tail;
                self.nodes[tail as usize].next = at;
            }
        }
    }
}

/// What a name is looked up by.
#[derive(Clone, Copy)]
struct Key {
    hash: u32,
    chain: usize,
}

enum Missing {
    NotThere,
    WalkedFar,
}

fn push(pool: &mut Vec<u8>, bytes: &[u8]) -> Span {
    let span = Span { at: pool.len() as u32, len: bytes.len() as u32 };
    pool.extend_from_slice(bytes);
    span
}

/// `0x%04X`.
pub fn hex4(number: u16) -> [u8; 6] {
    let mut text = *b"0x0000";
    hex_digits(u32::from(number), &mut text[2..]);
    text
}

/// `0x%08X`.
pub fn hex8(number: u32) -> [u8; 10] {
    let mut text = *b"0x00000000";
    hex_digits(number, &mut text[2..]);
    text
}

fn hex_digits(mut number: u32, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789ABCDEF"[(number & 0xF) as usize];
        number >>= 4;
    }
}
