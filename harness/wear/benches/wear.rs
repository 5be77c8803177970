//! Measures counting renewals, and compares it with the engine alone, with building images, and with executing every
//! call.
//!
//! Run: `cargo bench -p wear --bench wear`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dnsmasq_model::{Build, CallCounts, CallSink, Clock, PendingCall};
use nvram_emu::Dialect;
use nvram_emu::device::Chip;
use wear::{
    CostModel, DAY, HOUR, Household, HouseholdRun, ImageMode, LeaseStore, RouterSpec, Script,
    SimulationError, count, count_executed, count_images, simulate,
};

/// A store that ignores all calls, to measure the engine alone.
#[derive(Default)]
struct IgnoringStore(CallCounts);

impl CallSink for IgnoringStore {
    fn call(&mut self, call: &PendingCall<'_>) {
        self.0.call(call);
    }
}

impl LeaseStore for IgnoringStore {
    fn set_time(&mut self, _: u64, _: Clock) {}

    fn init(&mut self) -> Result<Vec<u8>, SimulationError> {
        Ok(Vec::new())
    }

    fn power_off(&mut self) -> Result<(), SimulationError> {
        Ok(())
    }
}

fn bench(c: &mut Criterion) {
    let cost_model =
        CostModel::new(&RouterSpec::new(Dialect::OpenWrt, Chip::SPI_NOR)).expect("a router");
    let household = Household::quiet(150, HOUR as u32);
    let script = Script::Naive;
    let run = HouseholdRun { household: &household, build: Build::Rtc, seed: 1, seconds: 3 * DAY };
    let hour = HouseholdRun { seconds: HOUR, ..run };
    let calls = count(&cost_model, run, script).expect("counts").wear.calls;
    let mut group = c.benchmark_group("renewals of 150 clients, 3 days");
    group.throughput(Throughput::Elements(calls)).sample_size(10);
    group.bench_function("engine alone", |b| {
        b.iter(|| {
            let mut store = IgnoringStore::default();
            simulate(run, &mut store).expect("a simulation");
            black_box(store.0.total())
        });
    });
    group.bench_function("counted", |b| {
        b.iter(|| black_box(count(&cost_model, run, script)));
    });
    for (name, mode) in
        [("images, incremental", ImageMode::Incremental), ("images, full", ImageMode::Full)]
    {
        group.bench_function(name, |b| {
            b.iter(|| {
                let counted = count_images(&cost_model, run, script, mode);
                black_box(counted.map(|(wear, _)| wear.commits))
            });
        });
    }
    group.finish();
    let mut group = c.benchmark_group("the same for an hour");
    group.sample_size(10);
    group.bench_function("every call executed", |b| {
        b.iter(|| black_box(count_executed(&cost_model, hour, script)));
    });
    group.bench_function("counted", |b| {
        b.iter(|| black_box(count(&cost_model, hour, script)));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
