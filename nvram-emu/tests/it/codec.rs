//! Properties of the image codec for arbitrary bytes.

use nvram_emu::flsh::{
    ChainRule, Entries, Format, HEADER_LEN, Header, Insert, MAGIC, ScanEnd, ScanMode, Table,
    crc_of, parse_any, serialise,
};
use proptest::collection::vec;
use proptest::prelude::*;

const SPACE: usize = 2048;

fn name() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![b'a'..=b'd', 1u8..=60, 62u8..=255], 0..6)
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    vec(1u8..=255, 0..40)
}

fn variables() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
    vec((name(), value()), 0..120)
}

fn rule() -> impl Strategy<Value = (ChainRule, Format)> {
    prop_oneof![
        Just((ChainRule::OPENWRT_MIPS, Format::OPENWRT)),
        Just((ChainRule::OPENWRT_ARM, Format::OPENWRT_ARM)),
        Just((ChainRule::PLAIN, Format::BROADCOM)),
    ]
}

fn table(rule: ChainRule, variables: &[(Vec<u8>, Vec<u8>)]) -> Table {
    let mut table = Table::new(rule, Insert::Head);
    for (name, value) in variables {
        table.set(name, value);
    }
    table
}

fn pairs(table: &Table) -> Vec<(Vec<u8>, Vec<u8>)> {
    table.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_parsed_without_a_panic(mut bytes in vec(any::<u8>(), 0..600), at in 0usize..100, mode in 0usize..3) {
        if at * 4 + 4 <= bytes.len() {
            bytes[at * 4..at * 4 + 4].copy_from_slice(&MAGIC.to_le_bytes());
        }
        if let Some(parsed) = parse_any(&bytes) {
            prop_assert_eq!(parsed.header.magic, MAGIC);
            prop_assert!(parsed.entries.iter().all(|e| !e.name.contains(&b'=') && !e.value.contains(&0)));
        }
        let mode = [ScanMode::CStrings, ScanMode::Terminated, ScanMode::Bounded][mode];
        let mut entries = Entries::new(&bytes, mode);
        let total: usize = entries.by_ref().map(|e| e.name.len() + e.value.len() + 1).sum();
        prop_assert!(total <= bytes.len() + 1);
        prop_assert!(entries.position() <= bytes.len());
        prop_assert!(entries.end().is_some());
    }

    #[test]
    fn every_written_image_is_well_formed(variables in variables(), (rule, format) in rule()) {
        let table = table(rule, &variables);
        // An ARM build writes zeros after a full space.
        let mut image = vec![0; SPACE + 8];
        let written = serialise(&table, format, &mut image, SPACE).expect("a space above 24 bytes");
        let header = Header::read(&image).expect("a header");
        prop_assert_eq!(header.len, written.len);
        prop_assert_eq!(header.len % 4, 0);
        prop_assert!(header.len as usize <= SPACE);
        prop_assert_eq!(header.crc(), crc_of(&image, header.len as usize));
        let mut entries = Entries::new(&image[HEADER_LEN..SPACE], ScanMode::CStrings);
        prop_assert_eq!(entries.by_ref().count() + written.dropped, table.len());
        prop_assert_eq!(entries.end(), Some(ScanEnd::Regular));
    }

    #[test]
    fn writing_and_loading_reverses_every_chain(variables in variables(), (rule, format) in rule()) {
        let first = table(rule, &variables);
        let mut image = vec![0; 16384];
        prop_assert_eq!(serialise(&first, format, &mut image, 16384).expect("room").dropped, 0);
        let (second, _) = Table::load(&image[HEADER_LEN..], ScanMode::CStrings, rule, Insert::Head);
        for chain in 0..first.chains() {
            let mut reversed: Vec<_> = second.chain(chain).collect();
            reversed.reverse();
            prop_assert_eq!(first.chain(chain).collect::<Vec<_>>(), reversed);
        }
        serialise(&second, format, &mut image, 16384).expect("room");
        let (third, _) = Table::load(&image[HEADER_LEN..], ScanMode::CStrings, rule, Insert::Head);
        prop_assert_eq!(pairs(&first), pairs(&third), "two round trips restore the order");
    }

    #[test]
    fn a_table_behaves_like_a_map(operations in vec((name(), prop::option::of(value())), 0..200), (rule, _) in rule()) {
        let mut table = Table::new(rule, Insert::Head);
        let mut model = std::collections::BTreeMap::new();
        for (name, value) in &operations {
            if let Some(value) = value {
                table.set(name, value);
                model.insert(name.clone(), value.clone());
            } else {
                prop_assert_eq!(table.unset(name), model.remove(name).is_some());
            }
        }
        let mut got = pairs(&table);
        got.sort();
        prop_assert_eq!(got, model.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(table.iter_reversed().count(), table.len());
        let mut backwards: Vec<_> = table.iter_reversed().collect();
        backwards.reverse();
        prop_assert_eq!(backwards, table.iter().collect::<Vec<_>>());
    }

    #[test]
    fn an_entry_that_does_not_fit_ends_its_chain(variables in variables(), space in 64usize..1500) {
        let space = space / 4 * 4;
        let table = table(ChainRule::PLAIN, &variables);
        let mut image = vec![0; space];
        let written = serialise(&table, Format::BROADCOM, &mut image, space).expect("room for a header");
        let kept: Vec<_> = Entries::new(&image[HEADER_LEN..], ScanMode::CStrings).map(|e| (e.name, e.value)).collect();
        prop_assert_eq!(kept.len() + written.dropped, table.len());
        let mut used = HEADER_LEN;
        let mut expected = Vec::new();
        for chain in 0..table.chains() {
            for (name, value) in table.chain(chain) {
                if used + name.len() + value.len() + 2 > space - 2 {
                    break;
                }
                used += name.len() + value.len() + 2;
                expected.push((name, value));
            }
        }
        prop_assert_eq!(kept, expected);
    }
}

/// Names with equal hashes: "Aa" and "BB" collide for multiplier 31.
fn colliding(count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|n| (0..16).flat_map(|bit| if n >> bit & 1 == 0 { *b"Aa" } else { *b"BB" }).collect())
        .collect()
}

#[test]
fn loading_an_image_with_one_long_chain_takes_linear_time() {
    let links = |count: usize| {
        let area: Vec<u8> =
            colliding(count).iter().flat_map(|name| [name, &b"=\0"[..]].concat()).collect();
        let (table, _) = Table::load(&area, ScanMode::Terminated, ChainRule::PLAIN, Insert::Head);
        assert_eq!(table.len(), count);
        table.links_followed()
    };
    let (small, large) = (links(1000), links(8000));
    assert!(large <= 10 * small.max(1000), "{small} links for 1000 names, {large} for 8000");
}
