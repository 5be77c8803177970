//! Declarations other than leases, which a rewrite must keep unchanged.

use std::collections::BTreeMap;

use super::keyword::Keyword;

/// A host, group, class, subclass or failover peer, as text that is read as the same declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NonLease {
    /// The keyword: `host`, `group`, `class`, `subclass` or `failover`.
    pub kind: &'static str,
    /// The declaration, without a line break at its end.
    pub text: Vec<u8>,
}

/// The last declaration of each name, in the order of the file. A failover peer is declared again at each change of its
/// state. As in dhcpd, the last declaration replaces the earlier ones.
#[derive(Debug, Default)]
pub(crate) struct NonLeases {
    places: BTreeMap<Vec<u8>, usize>,
    list: Vec<Option<NonLease>>,
}

impl NonLeases {
    pub(crate) fn put(&mut self, keyword: Keyword, text: Vec<u8>) {
        let kind = match keyword {
            Keyword::Host => "host",
            Keyword::Group => "group",
            Keyword::Class => "class",
            Keyword::Subclass => "subclass",
            _ => "failover",
        };
        let head = &text[..memchr::memchr2(b'{', b';', &text).unwrap_or(text.len())];
        let head = head.trim_ascii_end();
        let key = match keyword {
            // A declaration sets one or more of these states. It replaces an earlier one that sets the same states.
            Keyword::Failover => states(&text).fold(head.to_vec(), |mut key, state| {
                key.extend_from_slice(state);
                key
            }),
            Keyword::Host => head.to_vec(),
            // These declarations can add to each other.
            _ => text.clone(),
        };
        if let Some(old) = self.places.remove(&key) {
            self.list[old] = None;
        }
        self.places.insert(key, self.list.len());
        self.list.push(Some(NonLease { kind, text }));
        if self.list.len() > 2 * self.places.len() + 64 {
            self.remove_gaps();
        }
    }

    /// Returns the number of declarations.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    fn remove_gaps(&mut self) {
        let mut to = Vec::with_capacity(self.places.len());
        let mut moved = vec![0; self.list.len()];
        for (at, other) in self.list.drain(..).enumerate() {
            moved[at] = to.len();
            to.extend(other.map(Some));
        }
        self.list = to;
        self.places.values_mut().for_each(|at| *at = moved[*at]);
    }

    /// Returns all declarations, classes first, because leases and subclasses refer to them.
    pub(crate) fn into_list(self) -> Vec<NonLease> {
        let rank = |other: &NonLease| match other.kind {
            "class" => 0,
            "subclass" => 1,
            "group" => 2,
            "host" => 3,
            _ => 4,
        };
        let mut list: Vec<NonLease> = self.list.into_iter().flatten().collect();
        list.sort_by_key(rank);
        list
    }
}

/// Returns the statements in a failover declaration.
fn states(text: &[u8]) -> impl Iterator<Item = &'static [u8]> {
    let words: [&'static [u8]; 3] = [b"my state", b"partner state", b"mclt"];
    let lower = text.to_ascii_lowercase();
    words.into_iter().filter(move |word| lower.windows(word.len()).any(|window| window == *word))
}
