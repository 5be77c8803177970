//! What a counted renewal costs, beside the engine alone that it cannot be quicker than, and images built on top.
//!
//! Run: `cargo bench -p wear --bench wear`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dnsmasq_model::{Build, CallCounts, CallSink, PendingCall};
use nvram_emu::Dialect;
use nvram_emu::device::Chip;
use wear::{
    Broken, CostModel, DAY, HOUR, Household, ImageMode, RouterSpec, Script, Store, count,
    count_images, count_rendered, live,
};

/// The floor: the same life, whose calls nobody looks at.
#[derive(Default)]
struct Nobody(CallCounts);

impl CallSink for Nobody {
    fn call(&mut self, call: &PendingCall<'_>) {
        self.0.call(call);
    }
}

impl Store for Nobody {
    fn at(&mut self, _: u64) {}

    fn init(&mut self) -> Result<Vec<u8>, Broken> {
        Ok(Vec::new())
    }

    fn power_off(&mut self) -> Result<(), Broken> {
        Ok(())
    }
}

fn bench(c: &mut Criterion) {
    let cost_model =
        CostModel::new(&RouterSpec::new(Dialect::OpenWrt, Chip::SPI_NOR)).expect("a router");
    let household = Household::quiet(150, HOUR as u32);
    let (build, script, seed, seconds) = (Build::Rtc, Script::Naive, 1, 3 * DAY);
    let calls =
        count(&cost_model, &household, build, script, seed, seconds).expect("counts").0.calls;
    let mut group = c.benchmark_group("renewals of 150 clients, 3 days");
    group.throughput(Throughput::Elements(calls)).sample_size(10);
    group.bench_function("floor: engine alone", |b| {
        b.iter(|| {
            let mut nobody = Nobody::default();
            live(&household, build, seed, seconds, &mut nobody).expect("lives");
            black_box(nobody.0.total())
        });
    });
    group.bench_function("counted", |b| {
        b.iter(|| black_box(count(&cost_model, &household, build, script, seed, seconds)));
    });
    for (name, mode) in
        [("images, incremental", ImageMode::Incremental), ("images, full", ImageMode::Full)]
    {
        group.bench_function(name, |b| {
            b.iter(|| {
                let times = (seed, seconds);
                let done = count_images(&cost_model, &household, build, script, times, mode);
                black_box(done.map(|(wear, _)| wear.commits))
            });
        });
    }
    group.finish();
    let mut group = c.benchmark_group("the same for an hour");
    group.sample_size(10);
    group.bench_function("peer: every call carried out", |b| {
        b.iter(|| black_box(count_rendered(&cost_model, &household, build, script, seed, HOUR)));
    });
    group.bench_function("counted", |b| {
        b.iter(|| black_box(count(&cost_model, &household, build, script, seed, HOUR)));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
