//! Simulates a household, event by event.

use std::net::Ipv4Addr;

use super::calendar_queue::CalendarQueue;
use super::dhcp::{client, server};
use super::durations::{MONTH, YEAR};
use super::household::Household;
use super::household_run::HouseholdRun;
use super::lease_store::{LeaseStore, SimulationError};
use dnsmasq_model::{Client4, Clock, InitResult, Kind4, Message4, Reply4, Server};
use scenario::DeterministicRng;

/// Wall clock at the start: 2026-01-05T12:00:00Z.
const WALL_AT_START: i64 = 1_767_614_400;
/// `CLOCK_MONOTONIC` when dnsmasq starts after a boot.
pub(super) const MONO_AT_START: i64 = 20;
// Ids of the router's events in the queue. Smaller ids are indices of devices.
const REBOOT: u32 = u32::MAX - 1;
const SIGHUP: u32 = u32::MAX - 2;
const POWER_CUT: u32 = u32::MAX - 3;
const GUEST: u32 = u32::MAX - 4;
const BOOT: u32 = u32::MAX - 5;
const NEVER: u64 = u64::MAX;
/// Time after which a client that got no answer tries again, in seconds.
const RETRY: u64 = 300;

/// A client and its view of its own lease.
struct Device {
    client: Client4,
    addr: Ipv4Addr,
    /// The second at which its lease ends, or 0 if it has no lease.
    lease_ends: u64,
    /// The second at which it leaves, or [`NEVER`] for residents.
    leaves: u64,
    home: bool,
    kind: DeviceKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum DeviceKind {
    Resident,
    Phone,
    Guest,
}

/// Simulates a household. Its dnsmasq calls `store`. Returns the number of requests that got no address because all
/// addresses were leased.
///
/// # Errors
/// Returns an error if dnsmasq does not start or the store fails.
pub fn simulate(
    run: HouseholdRun<'_>,
    store: &mut impl LeaseStore,
) -> Result<u64, SimulationError> {
    let HouseholdRun { household, build, seed, seconds } = run;
    let t1 = u64::from(household.lease_time / 2);
    let mut simulation = Simulation {
        household,
        server: server(household, build),
        store,
        rng: DeterministicRng::new(seed),
        queue: CalendarQueue::new(u64::from(household.lease_time)),
        devices: Vec::new(),
        free_slots: Vec::new(),
        guests: 0,
        random_macs: 0,
        unserved: 0,
        booted: 0,
        down_until: 0,
        t1,
        jitter: t1 * u64::from(household.jitter) / 1000,
    };
    simulation.start()?;
    simulation.run(seconds)?;
    Ok(simulation.unserved)
}

struct Simulation<'a, S> {
    household: &'a Household,
    server: Server,
    store: &'a mut S,
    rng: DeterministicRng,
    queue: CalendarQueue,
    devices: Vec<Device>,
    /// Indices in `devices` of guests that have left.
    free_slots: Vec<usize>,
    /// The number of guests so far.
    guests: u64,
    /// The number of random hardware addresses so far.
    random_macs: u64,
    /// The number of requests that got no address.
    unserved: u64,
    /// The second of the last boot.
    booted: u64,
    down_until: u64,
    /// Time after which clients renew, in seconds.
    t1: u64,
    /// The maximum deviation from `t1`, in seconds.
    jitter: u64,
}

impl<S: LeaseStore> Simulation<'_, S> {
    fn clock(&self, now: u64) -> Clock {
        Clock {
            wall: WALL_AT_START + now as i64,
            mono: MONO_AT_START + now as i64 - self.booted as i64,
        }
    }

    fn schedule(&mut self, second: u64, id: u32) {
        if second < NEVER {
            self.queue.push(second, id);
        }
    }

    /// Boots the router and schedules the first event of every device and of the router.
    fn start(&mut self) -> Result<(), SimulationError> {
        // The first call may leave a sleeping program behind, which must sleep by the simulated clock.
        self.store.set_time(0, self.clock(0));
        self.boot(0)?;
        let Household { clients, phones, .. } = *self.household;
        for number in 0..clients + phones {
            let is_phone = number >= clients;
            let name = if is_phone {
                format!("phone-{}", number - clients + 1)
            } else {
                format!("pc-{}", number + 1)
            };
            self.devices.push(Device {
                client: client(0xaa, u64::from(number) + 1, &name),
                addr: Ipv4Addr::UNSPECIFIED,
                lease_ends: 0,
                leaves: NEVER,
                home: false,
                kind: if is_phone { DeviceKind::Phone } else { DeviceKind::Resident },
            });
            // Arrivals are spread over T1. Otherwise all clients would always renew at the same time.
            let arrives = 1 + self.rng.below(self.t1.min(u64::from(u32::MAX)));
            self.schedule(arrives, number);
        }
        for id in [REBOOT, SIGHUP, POWER_CUT, GUEST] {
            let first = self.next_router_event(id, 0);
            self.schedule(first, id);
        }
        Ok(())
    }

    /// Returns the second of the next event of this kind.
    fn next_router_event(&mut self, id: u32, now: u64) -> u64 {
        let (period, times) = match id {
            REBOOT => (MONTH, self.household.reboots),
            SIGHUP => (MONTH, self.household.sighups),
            GUEST => (MONTH, self.household.guests),
            _ => (YEAR, self.household.power_cuts),
        };
        if times == 0 { NEVER } else { now + self.rng.around(period / u64::from(times)) }
    }

    fn run(&mut self, seconds: u64) -> Result<(), SimulationError> {
        while let Some((now, id)) = self.queue.pop() {
            if now >= seconds {
                break;
            }
            self.store.set_time(now, self.clock(now));
            self.expire_leases(now);
            if id < BOOT {
                let next = self.device_event(id as usize, now);
                self.schedule(next, id);
            } else {
                self.router_event(id, now)?;
            }
        }
        let last = seconds.saturating_sub(1);
        self.store.set_time(last, self.clock(last));
        self.expire_leases(last);
        Ok(())
    }

    /// Runs dnsmasq's timers that are due.
    fn expire_leases(&mut self, now: u64) {
        let clock = self.clock(now);
        if self.server.engine().next_alarm_bound() <= clock.mono {
            self.server.engine_mut().advance_to(clock, self.store);
        }
    }

    fn boot(&mut self, now: u64) -> Result<(), SimulationError> {
        self.booted = now;
        let printed = self.store.init()?;
        let clock = self.clock(now);
        self.server.forget_declined();
        self.server
            .engine_mut()
            .start(clock, &InitResult::ok(printed), self.store)
            .map_err(SimulationError::Start)
    }

    fn router_event(&mut self, id: u32, now: u64) -> Result<(), SimulationError> {
        let is_up = now >= self.down_until;
        match id {
            BOOT => return self.boot(now),
            SIGHUP if is_up => {
                let clock = self.clock(now);
                self.server.engine_mut().sighup(clock, self.store);
            }
            REBOOT | POWER_CUT if is_up => {
                self.server.engine_mut().kill();
                self.store.power_off()?;
                self.down_until = now + u64::from(self.household.off);
                self.schedule(self.down_until, BOOT);
            }
            GUEST => self.add_guest(now),
            _ => {}
        }
        let next = self.next_router_event(id, now);
        self.schedule(next, id);
        Ok(())
    }

    fn add_guest(&mut self, now: u64) {
        self.guests += 1;
        let stay = self.rng.around(u64::from(self.household.guest_stay));
        let device = Device {
            client: client(0xbb, self.guests, &format!("guest-{}", self.guests)),
            addr: Ipv4Addr::UNSPECIFIED,
            lease_ends: 0,
            leaves: now + stay,
            home: true,
            kind: DeviceKind::Guest,
        };
        let slot = match self.free_slots.pop() {
            Some(slot) => {
                self.devices[slot] = device;
                slot
            }
            None => {
                self.devices.push(device);
                self.devices.len() - 1
            }
        };
        self.schedule(now, slot as u32);
    }

    /// Performs the due event of a device and returns the second of its next event.
    fn device_event(&mut self, slot: usize, now: u64) -> u64 {
        if now < self.down_until {
            return self.down_until + 1 + self.rng.below(60);
        }
        let clock = self.clock(now);
        let device = &mut self.devices[slot];
        if device.home && now >= device.leaves {
            device.home = false;
            if device.kind == DeviceKind::Guest {
                self.free_slots.push(slot);
                return NEVER;
            }
            return now + self.rng.around(u64::from(self.household.phone_away));
        }
        let returns = !device.home;
        if returns {
            device.home = true;
            if device.kind == DeviceKind::Phone {
                if self.household.random_macs {
                    self.random_macs += 1;
                    let name = device.client.hostname.take();
                    device.client = client(0xcc, self.random_macs, "");
                    device.client.hostname = name;
                    device.lease_ends = 0;
                }
                device.leaves = now + self.rng.around(u64::from(self.household.phone_home));
            }
        }
        let has_lease = now < device.lease_ends;
        let mut granted = None;
        if has_lease {
            // The server keeps the lease for at least as long as the client does, so it grants the same address again.
            let lease_time = self.household.lease_time;
            let reply = Reply4::Ack { addr: device.addr, lease_time };
            let kind = if returns { Kind4::InitReboot } else { Kind4::Renew };
            let message = Message4 { kind, client: &device.client, addr: device.addr };
            self.server.engine_mut().dhcp4(message, reply, clock, self.store);
            granted = Some((device.addr, lease_time));
        }
        if granted.is_none()
            && let Reply4::Ack { addr, lease_time } =
                self.server.join(&device.client, None, clock, self.store)
        {
            granted = Some((addr, lease_time));
        }
        let Some((addr, lease_time)) = granted else {
            device.lease_ends = 0;
            self.unserved += 1;
            return now + RETRY;
        };
        device.addr = addr;
        device.lease_ends = now + u64::from(lease_time);
        let renews = now + self.t1 - self.jitter + self.rng.below(2 * self.jitter + 1);
        renews.max(now + 1).min(device.leaves.max(now + 1))
    }
}
