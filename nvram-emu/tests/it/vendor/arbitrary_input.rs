//! Arbitrary images, layouts and command lines never cause a panic or change the size of the flash.

use nvram_emu::device::{Chip, Flash};
use nvram_emu::{Dialect, Exit, Machine};
use proptest::collection::vec;
use proptest::prelude::*;

fn dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(Dialect::ALL.to_vec())
}

fn word() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "get",
        "set",
        "unset",
        "show",
        "commit",
        "dump",
        "showall",
        "settmp",
        "find",
        "export",
        "--quote",
        "clear",
        "erase",
        "ren",
        "--force",
        "a",
        "a=1",
        "=",
        "=x",
        "wl_a=1",
        "wl0_ifname=b",
        "flash_active=1",
        "asus_stop_commit=1",
        "",
    ];
    prop_oneof![
        prop::sample::select(known.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        vec(1u8.., 0..80),
        (1usize..3000).prop_map(|len| [b"big=".to_vec(), vec![b'x'; len]].concat()),
    ]
}

/// Bytes with a header that is sometimes valid, and an NVRAM size, mostly that of an NVRAM that starts at the header.
fn image() -> impl Strategy<Value = (Vec<u8>, u32)> {
    let body = vec(any::<u8>(), 1..1500);
    let space = prop::option::weighted(0.3, 0u32..4000);
    let start = any::<prop::sample::Index>();
    (body, start, 0u32..4000, space).prop_map(|(mut bytes, at, len, space)| {
        // Few distinct bytes, so that valid entries are likely.
        for byte in &mut bytes {
            *byte = match *byte {
                0..=90 => 0,
                91..=120 => b'=',
                121..=180 => b'a',
                other => other,
            };
        }
        let at = at.index(bytes.len()) & !3;
        for (cell, byte) in bytes[at..].iter_mut().zip([&b"FLSH"[..], &len.to_le_bytes()].concat())
        {
            *cell = byte;
        }
        let space = space.unwrap_or((bytes.len() - at) as u32);
        (bytes, space)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn arbitrary_images_and_commands_do_not_panic(
        dialect in dialect(),
        (image, space) in image(),
        erase in prop::sample::select(vec![7u32, 64, 1000, 4096, 0x2_0000]),
        commands in vec(vec(word(), 0..5), 1..8),
        cut in prop::option::of((0u64..6, 0u32..100)),
    ) {
        let flash = Flash::from_bytes(&image, erase, Chip::SPI_NOR).expect("a possible flash");
        let mut machine = Machine::new(dialect, flash, Some(space));
        if let Some((op, byte)) = cut {
            machine.arm_cut(op, byte);
        }
        for words in &commands {
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            if machine.run(&words).exit == Exit::PowerLost {
                machine.reboot();
            }
            prop_assert_eq!(machine.flash_bytes().len(), image.len());
        }
        machine.reboot();
        machine.run(&[b"show"]);
    }
}
