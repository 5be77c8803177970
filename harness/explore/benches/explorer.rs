//! Benchmarks the exploration of power cuts on `scenarios/bench`, and the minimal cost of a check: copying a
//! flash image and its CRC.
//!
//! Run: `cargo bench -p explore --bench explorer`.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use explore::crash::{Options, Report, explore};
use nvram_emu::flsh::crc_of;
use runner::{GatePolicy, ScriptChoice};
use scenario::{Case, Overrides, cases};

const SIZE: usize = 0x8000;

fn bench_cases() -> Vec<Case> {
    let path: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/bench/50-leases-32k.toml");
    let text = std::fs::read_to_string(&path).expect("the scenario");
    cases(&path, text, &Overrides::default()).expect("cases")
}

fn explored(case: &Case, options: Options) -> Report {
    let (choice, gate) = (ScriptChoice::default(), GatePolicy::strict());
    explore(case, None, &choice, &gate, options).expect("a run")
}

fn explorer(bench: &mut Criterion) {
    let image = vec![0x5A; SIZE];
    let mut to = vec![0; SIZE];
    bench.bench_function("lower bound of a check: copy and CRC of 32 KiB", |b| {
        b.iter(|| {
            to.copy_from_slice(black_box(&image));
            crc_of(&to, SIZE)
        });
    });
    for case in bench_cases() {
        for (what, depth, repeat) in
            [("depth 2", 2, false), ("depth 1", 1, false), ("depth 1, no deduplication", 1, true)]
        {
            let options = Options { depth, repeat, ..Options::default() };
            let report = explored(&case, options);
            let seconds = report.took.as_secs_f64();
            println!(
                "{} {what}: {:.0} distinct images/s/core, {:.0} states/s/core, {:.2} s of processor time",
                case.parameters_text(),
                report.images as f64 / seconds,
                report.checked as f64 / seconds,
                seconds
            );
        }
        let shallow = Options { depth: 1, ..Options::default() };
        let name = format!("explore {} to depth 1", case.parameters_text());
        bench.bench_function(&name, |b| b.iter(|| explored(&case, shallow)));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(5));
    targets = explorer
}
criterion_main!(benches);
