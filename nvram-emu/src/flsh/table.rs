//! The hash table of variables in every tool. The variables are stored in flash in the order of its chains.

use std::collections::HashMap;
use std::ops::Range;

use memchr::memrchr;

use super::entries::{Entries, Entry, ScanEnd, ScanMode};
use super::hash::ChainRule;
use super::header::Header;

/// Position of a new name in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insert {
    /// `t->next = nvram_hash[i]; nvram_hash[i] = t` (OpenWrt, Broadcom). Storing and loading reverses every chain.
    Head,
    /// At the end of the chain (Padavan's kernel core).
    Tail,
}

/// The effect of [`Table::set`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The name is new.
    New,
    /// A known name has a new value, and keeps its position.
    Changed,
    /// The name already had this value.
    Same,
}

const NIL: u32 = u32::MAX;
/// Number of chain links followed before the table builds an index, since a malicious image can put every name in
/// one chain.
const INDEX_THRESHOLD: u32 = 24;
/// Spare capacity of a reloaded table, for the next few changes.
const SPARE_NODES: usize = 4;
const SPARE_POOL: usize = 512;

/// A variable. Its entry `name=value NUL` is in the pool at `at`; `name` and `value` are lengths.
#[derive(Clone, Copy, Debug)]
struct Node {
    at: u32,
    name: u32,
    value: u32,
    hash: u32,
    next: u32,
    prev: u32,
}

impl Node {
    fn new(at: usize, name: &[u8], value: &[u8], hash: u32) -> Self {
        let (name, value) = (name.len() as u32, value.len() as u32);
        Self { at: at as u32, name, value, hash, next: NIL, prev: NIL }
    }

    fn name(self, pool: &[u8]) -> &[u8] {
        &pool[self.at as usize..][..self.name as usize]
    }

    fn value_range(self) -> Range<usize> {
        let start = self.at as usize + self.name as usize + 1;
        start..start + self.value as usize
    }

    fn value(self, pool: &[u8]) -> &[u8] {
        &pool[self.value_range()]
    }

    fn entry(self, pool: &[u8]) -> &[u8] {
        &pool[self.at as usize..=self.value_range().end]
    }
}

#[derive(Clone, Copy, Debug)]
struct Chain {
    head: u32,
    tail: u32,
}

/// Variables in hash chains. Names and values contain no NUL, and names contain no `=`.
///
/// Operations take linear time even if all names are in one chain, because the table then builds an index.
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
    /// An empty table.
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

    /// Loads the entries of `area` (the bytes after the header) in image order. A duplicate name has the later
    /// value and the earlier position. Returns the table, without missing `sdram_*` variables, and why the scan
    /// ended. After [`ScanEnd::Overrun`] the table may be empty.
    pub fn load(area: &[u8], mode: ScanMode, rule: ChainRule, insert: Insert) -> (Self, ScanEnd) {
        let mut table = Self::new(rule, insert);
        if mode == ScanMode::CStrings && !ends_in_nuls(area) {
            // A torn image ends like this, so the scan is checked before anything is stored.
            let mut entries = Entries::new(area, mode);
            entries.by_ref().for_each(drop);
            if entries.end() == Some(ScanEnd::Overrun) {
                return (table, ScanEnd::Overrun);
            }
        }
        table.nodes.reserve(area.len() / 32);
        let mut entries = Entries::new(area, mode);
        loop {
            let at = entries.position();
            let Some(Entry { name, value }) = entries.next() else { break };
            let start = at + name.len() + 1;
            if area[start - 1] != b'=' {
                // The entry was merged with the next one, so it is not contiguous in the area.
                return Self::load_piecewise(area, mode, rule, insert);
            }
            table.set_at(area, at, name, value);
        }
        table.pool.extend_from_slice(&area[..entries.position()]);
        // The last entry may lack its NUL.
        table.pool.push(0);
        (table, entries.end().unwrap_or(ScanEnd::Regular))
    }

    fn load_piecewise(
        area: &[u8],
        mode: ScanMode,
        rule: ChainRule,
        insert: Insert,
    ) -> (Self, ScanEnd) {
        let mut table = Self::new(rule, insert);
        let mut entries = Entries::new(area, mode);
        for entry in entries.by_ref() {
            table.set(entry.name, entry.value);
        }
        (table, entries.end().unwrap_or(ScanEnd::Regular))
    }

    /// [`Table::set`] of an entry that is at `at` in the future pool.
    fn set_at(&mut self, pool: &[u8], at: usize, name: &[u8], value: &[u8]) {
        let key = self.key(name);
        if let Some(node) = self.find(pool, key, name) {
            let node = &mut self.nodes[node as usize];
            if node.value(pool) != value {
                self.value_bytes += value.len() as u32 + 1;
            }
            (node.at, node.value) = (at as u32, value.len() as u32);
            return;
        }
        self.add(key, Node::new(at, name, value, key.hash), name);
    }

    /// The result of [`Table::load`] for an `area` that starts with this table's own [`Table::raw_entries`], without
    /// parsing them. `None` if this table has an index.
    pub fn reloaded(&self, area: &[u8]) -> Option<Self> {
        if self.index.is_some() {
            return None;
        }
        let mut table = Self::new(self.rule, self.insert);
        table.nodes.reserve(self.live + SPARE_NODES);
        let mut at = 0;
        for (number, chain) in self.chains.iter().enumerate() {
            for node in self.follow(chain.head, |node| node.next) {
                let index = table.nodes.len() as u32;
                table.nodes.push(Node { at, next: NIL, prev: NIL, ..node });
                table.link(index, number);
                table.value_bytes += node.value + 1;
                at += node.name + node.value + 2;
            }
        }
        table.live = table.nodes.len();
        table.pool.reserve(at as usize + SPARE_POOL);
        table.pool.extend_from_slice(area.get(..at as usize)?);
        // As at the end of `load`.
        table.pool.push(0);
        Some(table)
    }

    /// Loads entries that were written in the order of [`Table::iter`], so that the new table has the same order.
    pub fn restore(area: &[u8], rule: ChainRule, insert: Insert) -> (Self, ScanEnd) {
        let (mut table, end) = Self::load(area, ScanMode::Terminated, rule, Insert::Tail);
        table.insert = insert;
        (table, end)
    }

    /// Calls `set_if_missing` for `sdram_init`, `sdram_config`, `sdram_refresh` and `sdram_ncdl` with their values
    /// from the header (end of `_nvram_rehash` and `nvram_rehash`).
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

    /// Whether there are no variables.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// An upper bound of the size of all variables as `name=value` lines.
    pub fn printed_len(&self) -> usize {
        self.pool.len()
    }

    /// Total size of all values that were ever new or changed, each with its NUL. This is the number of bytes that
    /// the value arena of a driver has allocated (`nvram_offset`).
    pub fn value_bytes(&self) -> u32 {
        self.value_bytes
    }

    /// Number of chain links that changes have followed so far, a measure of the work that a malicious image causes.
    pub fn links_followed(&self) -> u64 {
        self.links_followed
    }

    /// The value of `name`.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let key = self.key(name);
        let node = match &self.index {
            Some(index) => *index.get(name)?,
            None => self.find_in_chain(&self.pool, key, name, u32::MAX, &mut 0).ok()?,
        };
        Some(self.nodes[node as usize].value(&self.pool))
    }

    /// Sets `name` as the real tables do: a known name keeps its position.
    pub fn set(&mut self, name: &[u8], value: &[u8]) -> Change {
        let key = self.key(name);
        let mut pool = std::mem::take(&mut self.pool);
        let change = match self.find(&pool, key, name) {
            Some(node) => {
                let node = &mut self.nodes[node as usize];
                if node.value(&pool) == value {
                    Change::Same
                } else {
                    self.value_bytes += value.len() as u32 + 1;
                    if value.len() != node.value as usize {
                        node.at = push_entry(&mut pool, name, value) as u32;
                        node.value = value.len() as u32;
                    }
                    pool[node.value_range()].copy_from_slice(value);
                    Change::Changed
                }
            }
            None => {
                let at = push_entry(&mut pool, name, value);
                self.add(key, Node::new(at, name, value, key.hash), name);
                Change::New
            }
        };
        self.pool = pool;
        change
    }

    fn add(&mut self, key: Key, node: Node, name: &[u8]) {
        let at = self.nodes.len() as u32;
        self.nodes.push(node);
        self.link(at, key.chain);
        self.live += 1;
        self.value_bytes += node.value + 1;
        if let Some(index) = &mut self.index {
            index.insert(name.into(), at);
        }
    }

    /// Removes `name`. Returns whether it existed.
    pub fn unset(&mut self, name: &[u8]) -> bool {
        let key = self.key(name);
        let pool = std::mem::take(&mut self.pool);
        let found = self.find(&pool, key, name);
        self.pool = pool;
        let Some(node) = found else {
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

    /// Number of chains, used or not.
    pub fn chains(&self) -> usize {
        self.chains.len()
    }

    /// The variables of one chain, from head to tail.
    pub fn chain(&self, chain: usize) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pairs(self.follow(self.chains[chain].head, |node| node.next))
    }

    /// The entries `name=value NUL` of one chain, from head to tail.
    pub fn chain_entries(&self, chain: usize) -> impl Iterator<Item = &[u8]> {
        self.follow(self.chains[chain].head, |node| node.next).map(|node| node.entry(&self.pool))
    }

    /// All entries `name=value NUL`, in the order in flash.
    pub fn raw_entries(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.chains()).flat_map(|chain| self.chain_entries(chain))
    }

    /// All variables in the order in flash: from the first chain to the last, each from head to tail.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        (0..self.chains()).flat_map(|chain| self.chain(chain))
    }

    /// All entries `name=value NUL` in reverse order (`nvram_getall` of the OpenWrt tool).
    pub fn entries_reversed(&self) -> impl Iterator<Item = &[u8]> {
        let chains = self.chains.iter().rev();
        chains
            .flat_map(|chain| self.follow(chain.tail, |node| node.prev))
            .map(|node| node.entry(&self.pool))
    }

    /// All variables in reverse order: from the last chain to the first, each from tail to head.
    pub fn iter_reversed(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let chains = self.chains.iter().rev();
        self.pairs(chains.flat_map(|chain| self.follow(chain.tail, |node| node.prev)))
    }

    fn pairs(&self, nodes: impl Iterator<Item = Node>) -> impl Iterator<Item = (&[u8], &[u8])> {
        nodes.map(|node| (node.name(&self.pool), node.value(&self.pool)))
    }

    fn follow(&self, start: u32, step: fn(&Node) -> u32) -> impl Iterator<Item = Node> {
        let mut at = start;
        std::iter::from_fn(move || {
            let node = self.nodes.get(at as usize)?;
            at = step(node);
            Some(*node)
        })
    }

    fn key(&self, name: &[u8]) -> Key {
        let hash = self.rule.hash(name);
        Key { hash, chain: self.rule.chain_of(hash) }
    }

    /// The node of `name`. Builds the index if the chain is long.
    fn find(&mut self, pool: &[u8], key: Key, name: &[u8]) -> Option<u32> {
        if self.index.is_none() {
            let mut followed = 0;
            let node = self.find_in_chain(pool, key, name, INDEX_THRESHOLD, &mut followed);
            self.links_followed += followed;
            match node {
                Ok(node) => return Some(node),
                Err(Missing::NotFound) => return None,
                Err(Missing::LimitReached) => self.build_index(pool),
            }
        }
        self.links_followed += 1;
        self.index.as_ref()?.get(name).copied()
    }

    fn find_in_chain(
        &self,
        pool: &[u8],
        key: Key,
        name: &[u8],
        limit: u32,
        followed: &mut u64,
    ) -> Result<u32, Missing> {
        let mut at = self.chains[key.chain].head;
        for _ in 0..limit {
            let Some(node) = self.nodes.get(at as usize) else {
                return Err(Missing::NotFound);
            };
            if node.hash == key.hash && node.name(pool) == name {
                return Ok(at);
            }
            at = node.next;
            *followed += 1;
        }
        Err(Missing::LimitReached)
    }

    fn build_index(&mut self, pool: &[u8]) {
        self.links_followed += self.live as u64;
        let mut index = HashMap::with_capacity(self.live * 2);
        for chain in &self.chains {
            let mut at = chain.head;
            while let Some(node) = self.nodes.get(at as usize) {
                index.insert(node.name(pool).into(), at);
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

/// Whether the last NUL of `area` follows another NUL, as it does in an undamaged image.
fn ends_in_nuls(area: &[u8]) -> bool {
    match memrchr(0, area) {
        Some(last) => last.checked_sub(1).is_none_or(|before| area[before] == 0),
        None => false,
    }
}

/// Hash and chain of a name.
#[derive(Clone, Copy)]
struct Key {
    hash: u32,
    chain: usize,
}

enum Missing {
    NotFound,
    LimitReached,
}

/// Appends an entry to the pool and returns its position.
fn push_entry(pool: &mut Vec<u8>, name: &[u8], value: &[u8]) -> usize {
    let at = pool.len();
    for part in [name, b"=", value, b"\0"] {
        pool.extend_from_slice(part);
    }
    at
}

/// Formats a number as `0x%04X`.
pub fn hex4(number: u16) -> [u8; 6] {
    let mut text = *b"0x0000";
    hex_digits(u32::from(number), &mut text[2..]);
    text
}

/// Formats a number as `0x%08X`.
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
