//! Properties of the flash device.

use nvram_emu::device::{Chip, Cut, Flash, Geometry, OpError, OpKind};
use proptest::collection::vec;
use proptest::prelude::*;
use rstest::rstest;

#[derive(Clone, Debug)]
enum Step {
    Erase(u32),
    Program(u32, Vec<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let program =
        (0u32..120, vec(any::<u8>(), 0..40)).prop_map(|(at, bytes)| Step::Program(at, bytes));
    vec(prop_oneof![(0u32..4).prop_map(Step::Erase), program], 0..30)
}

fn flash() -> Flash {
    Flash::erased(Geometry::new(100, 32).expect("a geometry"), Chip::SPI_NOR)
}

fn apply(flash: &mut Flash, step: &Step) -> Result<(), OpError> {
    match step {
        Step::Erase(block) => flash.erase(*block),
        Step::Program(at, bytes) => flash.program(*at, bytes),
    }
}

proptest! {
    #[test]
    fn a_program_only_clears_bits_and_the_counters_match_the_log(steps in steps()) {
        let mut flash = flash();
        for step in &steps {
            let before = flash.bytes().into_owned();
            let result = apply(&mut flash, step);
            if let Step::Program(..) = step {
                prop_assert!(before.iter().zip(&*flash.bytes()).all(|(old, new)| old & new == *new));
            }
            if result.is_err() {
                prop_assert_eq!(&before, &*flash.bytes());
            }
        }
        let erases = flash.log().iter().filter(|op| op.kind == OpKind::Erase).count() as u32;
        let programmed: u64 = flash.log().iter().filter(|op| op.kind == OpKind::Program).map(|op| u64::from(op.len)).sum();
        prop_assert_eq!(flash.erases().iter().sum::<u32>(), erases);
        prop_assert_eq!(flash.bytes_programmed(), programmed);
    }

    #[test]
    fn a_cut_leaves_a_prefix_of_the_operation(steps in steps(), op in 0u64..20, byte in 0u32..50) {
        let (mut whole, mut torn) = (flash(), flash());
        torn.arm(Some(Cut { op, byte }));
        for step in &steps {
            let before = torn.bytes().into_owned();
            let result = apply(&mut torn, step);
            if result == Err(OpError::PowerLost) {
                apply(&mut whole, step).ok();
                let op = *torn.log().last().expect("the cut operation is logged");
                let range = op.offset as usize..(op.offset + op.len) as usize;
                for (at, byte) in torn.bytes().iter().enumerate() {
                    let expected = if range.contains(&at) { whole.bytes()[at] } else { before[at] };
                    prop_assert_eq!(*byte, expected, "byte {}", at);
                }
                prop_assert_eq!(torn.erase(0), Err(OpError::PowerLost), "no power, no operation");
                return Ok(());
            }
            prop_assert_eq!(apply(&mut whole, step), result);
            prop_assert_eq!(whole.bytes(), torn.bytes());
        }
    }

    #[test]
    fn a_clone_does_not_change_with_its_original(steps in steps()) {
        let mut original = flash();
        let snapshot = original.clone();
        for step in &steps {
            apply(&mut original, step).ok();
        }
        prop_assert!(snapshot.bytes().iter().all(|byte| *byte == 0xFF));
    }
}

#[test]
fn erasing_a_worn_block_fails_and_keeps_its_bytes() {
    let mut flash = flash();
    flash.program(0, b"kept").expect("a program");
    flash.wear_out(0);
    assert_eq!(flash.erase(0), Err(OpError::Io));
    assert_eq!(&flash.bytes()[..4], b"kept");
    assert_eq!(flash.erase(1), Ok(()));
}

#[test]
fn nand_programs_only_erased_pages() {
    let mut flash =
        Flash::erased(Geometry::new(131_072, 131_072).expect("a geometry"), Chip::SLC_NAND);
    assert_eq!(flash.program(2048, &[0x55; 100]), Ok(()));
    assert_eq!(flash.program(2048 + 1000, &[0x55]), Err(OpError::Io), "the page is in use");
    assert_eq!(flash.program(4096, &[0x55]), Ok(()));
}

#[test]
fn nand_program_after_a_power_loss_reports_the_power_loss() {
    let geometry = Geometry::new(131_072, 131_072).expect("a geometry");
    let mut flash = Flash::erased(geometry, Chip::SLC_NAND);
    flash.arm(Some(Cut { op: 0, byte: 100 }));
    assert_eq!(flash.program(0, &[0x55; 2048]), Err(OpError::PowerLost));
    assert_eq!(flash.program(0, &[0x55; 2048]), Err(OpError::PowerLost), "page in use");
    assert_eq!(flash.program(2048, &[0x55; 2048]), Err(OpError::PowerLost), "erased page");
    assert_eq!(flash.program(131_072, &[0x55]), Err(OpError::PowerLost), "beyond the partition");
    flash.power_on();
    assert_eq!(flash.program(0, &[0x55; 2048]), Err(OpError::Io), "page in use, with power");
    assert_eq!(flash.log().len(), 1, "refused operations are not logged");
}

#[rstest]
#[case::spi_nor(Chip::SPI_NOR, 150.0 + 256.0 * 0.7)]
#[case::parallel_nor(Chip::PARALLEL_NOR, 700.0 + 65536.0 * 0.007)]
#[case::slc_nand(Chip::SLC_NAND, 2.0 + 32.0 * 0.2)]
fn a_64_kib_commit_takes_the_time_of_the_data_sheet(#[case] chip: Chip, #[case] milliseconds: f64) {
    let mut flash = Flash::erased(Geometry::new(65536, 65536).expect("a geometry"), chip);
    flash.erase(0).expect("an erase");
    flash.program(0, &vec![0; 65536]).expect("a program");
    assert!(
        (flash.busy().as_secs_f64() * 1000.0 - milliseconds).abs() < 0.001,
        "{:?}",
        flash.busy()
    );
}
