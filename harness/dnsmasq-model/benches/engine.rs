//! Measures the time of a renewal in the engine, with calls counted and with calls rendered, and compares it with two
//! lookups in a hash map.
//!
//! Run: `cargo bench -p dnsmasq-model --bench engine`.

use std::collections::HashMap;
use std::hint::black_box;
use std::net::Ipv4Addr;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dnsmasq_model::{
    Build, CallCounts, Client4, Clock, Engine, HwAddr, InitResult, Kind4, Message4, Reply4,
    ScriptCall, ServerConfig,
};

const CLIENTS: u32 = 150;

fn client(n: u32) -> (Client4, Ipv4Addr) {
    let [.., a, b] = n.to_be_bytes();
    let mac = [2, 0xaa, 0, 0, a, b];
    let mut client = Client4::new(HwAddr::ethernet(mac));
    client.clid = Some([&[1][..], &mac].concat().into());
    client.hostname = Some(format!("pc-{n}").into_bytes().into());
    (client, Ipv4Addr::from_bits(Ipv4Addr::new(192, 168, 77, 50).to_bits() + n))
}

fn engine(build: Build, clients: &[(Client4, Ipv4Addr)]) -> Engine {
    let config = ServerConfig::parse(&[
        "dnsmasq",
        "--leasefile-ro",
        "--dhcp-script=/etc/script",
        "--dhcp-range=192.168.77.50,192.168.77.250,1h",
    ])
    .expect("options");
    let mut engine = Engine::new(build, config);
    let clock = Clock { wall: 1_700_000_000, mono: 20 };
    let mut counts = CallCounts::default();
    engine.start(clock, &InitResult::ok(""), &mut counts).expect("starts");
    for (client, addr) in clients {
        let message = Message4 { kind: Kind4::Request, client, addr: *addr };
        engine.dhcp4(message, Reply4::Ack { addr: *addr, lease_time: 3600 }, clock, &mut counts);
    }
    engine
}

fn bench(c: &mut Criterion) {
    let clients: Vec<_> = (0..CLIENTS).map(client).collect();
    let mut group = c.benchmark_group("a round of 150 renewals");
    group.throughput(Throughput::Elements(u64::from(CLIENTS)));
    let map: HashMap<Vec<u8>, u64> = (0..)
        .zip(&clients)
        .map(|(n, (c, _))| (c.clid.as_deref().unwrap_or(b"").to_vec(), n))
        .collect();
    group.bench_function("baseline: two lookups by client-id", |b| {
        b.iter(|| {
            clients
                .iter()
                .map(|(client, _)| {
                    let clid = client.clid.as_deref().unwrap_or(b"");
                    map[black_box(clid)] + map[black_box(clid)]
                })
                .sum::<u64>()
        });
    });
    let mut now = 1800;
    let renew = |engine: &mut Engine, sink: &mut dyn FnMut(&mut Engine, Message4<'_>, Reply4)| {
        for (client, addr) in &clients {
            let message = Message4 { kind: Kind4::Renew, client, addr: *addr };
            sink(engine, message, Reply4::Ack { addr: *addr, lease_time: 3600 });
        }
    };
    for (name, build) in [("RTC, calls counted", Build::Rtc), ("no RTC, no calls", Build::NoRtc)] {
        let mut engine = engine(build, &clients);
        let mut counts = CallCounts::default();
        group.bench_function(name, |b| {
            b.iter(|| {
                now += 1;
                let clock = Clock { wall: 1_700_000_000 + now, mono: 20 + now };
                renew(&mut engine, &mut |engine, message, reply| {
                    engine.dhcp4(message, reply, clock, &mut counts);
                });
            });
        });
    }
    let mut engine = engine(Build::Rtc, &clients);
    group.bench_function("RTC, calls rendered", |b| {
        b.iter(|| {
            now += 1;
            let clock = Clock { wall: 1_700_000_000 + now, mono: 20 + now };
            let mut calls: Vec<ScriptCall> = Vec::new();
            renew(&mut engine, &mut |engine, message, reply| {
                engine.dhcp4(message, reply, clock, &mut calls);
            });
            black_box(calls.len())
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
