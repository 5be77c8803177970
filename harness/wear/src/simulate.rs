//! A household's life, event by event.

use std::net::Ipv4Addr;

use super::calendar_queue::CalendarQueue;
use super::household::{Household, MONTH, YEAR};
use backend::BackendError;
use dnsmasq_model::{
    Build, CallSink, Client4, Clock, Engine, HwAddr, InitResult, Kind4, Message4, Network, Reply4,
    Server, ServerConfig, StartFailure,
};
use scenario::DeterministicRng;

/// 2026-01-05T12:00:00Z, a Monday.
const BEGIN: i64 = 1_767_614_400;
/// `CLOCK_MONOTONIC` when dnsmasq starts.
pub(super) const MONO_AT_START: i64 = 20;
/// Ids of the router's own events, above those of people.
const REBOOT: u32 = u32::MAX - 1;
const SIGHUP: u32 = u32::MAX - 2;
const CUT: u32 = u32::MAX - 3;
const GUEST: u32 = u32::MAX - 4;
const BOOT: u32 = u32::MAX - 5;
const NEVER: u64 = u64::MAX;
/// A client without an answer tries again so much later.
const RETRY: u64 = 300;

/// Where the calls of a household go.
pub trait Store: CallSink {
    /// The simulated second of all that follows.
    fn at(&mut self, second: u64);

    /// The `init` call: what it prints.
    ///
    /// # Errors
    /// A store that fails.
    fn init(&mut self) -> Result<Vec<u8>, Broken>;

    /// Power goes, or the router reboots: RAM is empty.
    ///
    /// # Errors
    /// A store that fails.
    fn power_off(&mut self) -> Result<(), Broken>;
}

/// Why a life cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// dnsmasq does not start.
    #[error("dnsmasq does not start: {0:?}")]
    Start(StartFailure),
    /// The script failed.
    #[error("{0}")]
    Script(String),
    /// The target failed.
    #[error(transparent)]
    Target(#[from] BackendError),
}

/// Someone who has a lease, or wants one.
struct Person {
    client: Client4,
    addr: Ipv4Addr,
    /// When the lease ends by the client's own clock; 0: it has none.
    lease_ends: u64,
    /// When it goes away; [`NEVER`] for those who stay.
    leaves: u64,
    home: bool,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Resident,
    Phone,
    Guest,
}

/// The addresses that a household's router leases: first address and how many.
pub(super) fn addresses(household: &Household) -> (Ipv4Addr, u32) {
    let wanted = household.leases() * 5 / 4;
    if wanted <= 200 {
        (Ipv4Addr::new(192, 168, 1, 50), 200)
    } else {
        (Ipv4Addr::new(10, 0, 1, 0), wanted)
    }
}

fn server(household: &Household, build: Build) -> Server {
    let (first, count) = addresses(household);
    let last = Ipv4Addr::from_bits(first.to_bits() + count - 1);
    let (mask, prefix) = if count > 200 { ("255.255.0.0", 16) } else { ("255.255.255.0", 24) };
    let line = [
        "dnsmasq".to_owned(),
        "--leasefile-ro".to_owned(),
        "--dhcp-script=/etc/lease_update.sh".to_owned(),
        "--interface=br0".to_owned(),
        "--dhcp-authoritative".to_owned(),
        format!("--dhcp-lease-max={count}"),
        format!("--dhcp-range={first},{last},{mask},{}", household.lease_time),
    ];
    let config = ServerConfig::parse(&line).expect("a command line of our own");
    let own = if prefix == 16 { Ipv4Addr::new(10, 0, 0, 1) } else { Ipv4Addr::new(192, 168, 1, 1) };
    let network = Network { v4: vec![(own, prefix)], ..Network::default() };
    Server::new(Engine::on(build, config, network))
}

/// Lives through `seconds` of a household.
///
/// # Errors
/// What ends a life early.
pub fn live(
    household: &Household,
    build: Build,
    seed: u64,
    seconds: u64,
    store: &mut impl Store,
) -> Result<(), Broken> {
    let mut life = Simulation {
        household,
        server: server(household, build),
        store,
        dice: DeterministicRng::new(seed),
        calendar_queue: CalendarQueue::new(u64::from(household.lease_time)),
        people: Vec::new(),
        unused: Vec::new(),
        guests: 0,
        booted: 0,
        down_until: 0,
        t1: u64::from(household.lease_time / 2),
        fuzz: u64::from(household.lease_time / 2) * u64::from(household.jitter) / 1000,
    };
    life.move_in()?;
    life.run(seconds)
}

struct Simulation<'a, S> {
    household: &'a Household,
    server: Server,
    store: &'a mut S,
    dice: DeterministicRng,
    calendar_queue: CalendarQueue,
    people: Vec<Person>,
    unused: Vec<usize>,
    guests: u64,
    /// The second of the last boot.
    booted: u64,
    down_until: u64,
    t1: u64,
    fuzz: u64,
}

impl<S: Store> Simulation<'_, S> {
    fn clock(&self, now: u64) -> Clock {
        Clock { wall: BEGIN + now as i64, mono: MONO_AT_START + now as i64 - self.booted as i64 }
    }

    fn push(&mut self, moment: u64, who: u32) {
        if moment < NEVER {
            self.calendar_queue.push(moment, who);
        }
    }

    /// The first boot, and everybody's first event.
    fn move_in(&mut self) -> Result<(), Broken> {
        self.boot(0)?;
        let Household { clients, phones, .. } = *self.household;
        for number in 0..clients + phones {
            let phone = number >= clients;
            let name = if phone {
                format!("phone-{}", number - clients + 1)
            } else {
                format!("pc-{}", number + 1)
            };
            self.people.push(Person {
                client: client(0xaa, u64::from(number) + 1, &name),
                addr: Ipv4Addr::UNSPECIFIED,
                lease_ends: 0,
                leaves: NEVER,
                home: false,
                kind: if phone { Kind::Phone } else { Kind::Resident },
            });
            // Not all at once: the first renewals would come in step for ever.
            let arrives = 1 + self.dice.below(self.t1.min(u64::from(u32::MAX)));
            self.push(arrives, number);
        }
        for who in [REBOOT, SIGHUP, CUT, GUEST] {
            let first = self.next_of(who, 0);
            self.push(first, who);
        }
        Ok(())
    }

    /// When an event of the router's own comes again.
    fn next_of(&mut self, who: u32, now: u64) -> u64 {
        let (every, times) = match who {
            REBOOT => (MONTH, self.household.reboots),
            SIGHUP => (MONTH, self.household.sighups),
            GUEST => (MONTH, self.household.guests),
            _ => (YEAR, self.household.power_cuts),
        };
        if times == 0 { NEVER } else { now + self.dice.around(every / u64::from(times)) }
    }

    fn run(&mut self, seconds: u64) -> Result<(), Broken> {
        while let Some((now, who)) = self.calendar_queue.pop() {
            if now >= seconds {
                break;
            }
            self.store.at(now);
            self.alarms(now);
            if who < BOOT {
                let next = self.person(who as usize, now);
                self.push(next, who);
            } else {
                self.router(who, now)?;
            }
        }
        self.store.at(seconds.saturating_sub(1));
        self.alarms(seconds.saturating_sub(1));
        Ok(())
    }

    /// The alarms that fall due on the way.
    fn alarms(&mut self, now: u64) {
        let clock = self.clock(now);
        if self.server.engine().no_alarm_before() <= clock.mono {
            self.server.engine_mut().advance_to(clock, self.store);
        }
    }

    fn boot(&mut self, now: u64) -> Result<(), Broken> {
        self.booted = now;
        let printed = self.store.init()?;
        let clock = self.clock(now);
        self.server.forget_declined();
        self.server
            .engine_mut()
            .start(clock, &InitResult::ok(printed), self.store)
            .map_err(Broken::Start)
    }

    /// Something that happens to the router.
    fn router(&mut self, who: u32, now: u64) -> Result<(), Broken> {
        let up = now >= self.down_until;
        match who {
            BOOT => return self.boot(now),
            SIGHUP if up => {
                let clock = self.clock(now);
                self.server.engine_mut().sighup(clock, self.store);
            }
            REBOOT | CUT if up => {
                self.server.engine_mut().kill();
                self.store.power_off()?;
                self.down_until = now + u64::from(self.household.off);
                self.push(self.down_until, BOOT);
            }
            GUEST => self.guest(now),
            _ => {}
        }
        let next = self.next_of(who, now);
        self.push(next, who);
        Ok(())
    }

    fn guest(&mut self, now: u64) {
        self.guests += 1;
        let stay = self.dice.around(u64::from(self.household.guest_stay));
        let person = Person {
            client: client(0xbb, self.guests, &format!("guest-{}", self.guests)),
            addr: Ipv4Addr::UNSPECIFIED,
            lease_ends: 0,
            leaves: now + stay,
            home: true,
            kind: Kind::Guest,
        };
        let place = match self.unused.pop() {
            Some(place) => {
                self.people[place] = person;
                place
            }
            None => {
                self.people.push(person);
                self.people.len() - 1
            }
        };
        self.push(now, place as u32);
    }

    /// The next thing that a person does; returns when it does something again.
    fn person(&mut self, at: usize, now: u64) -> u64 {
        if now < self.down_until {
            return self.down_until + 1 + self.dice.below(60);
        }
        let clock = self.clock(now);
        let person = &mut self.people[at];
        if person.home && now >= person.leaves {
            person.home = false;
            if person.kind == Kind::Guest {
                self.unused.push(at);
                return NEVER;
            }
            return now + self.dice.around(u64::from(self.household.phone_away));
        }
        let holds = now < person.lease_ends;
        let comes_back = !person.home;
        if comes_back {
            person.home = true;
            if person.kind == Kind::Phone {
                person.leaves = now + self.dice.around(u64::from(self.household.phone_home));
            }
        }
        let mut granted = None;
        if holds {
            // The server has the lease for at least as long as the client: it grants what it granted before.
            let lease_time = self.household.lease_time;
            let reply = Reply4::Ack { addr: person.addr, lease_time };
            let kind = if comes_back { Kind4::InitReboot } else { Kind4::Renew };
            let message = Message4 { kind, client: &person.client, addr: person.addr };
            self.server.engine_mut().dhcp4(message, reply, clock, self.store);
            granted = Some((person.addr, lease_time));
        }
        if granted.is_none()
            && let Reply4::Ack { addr, lease_time } =
                self.server.join(&person.client, None, clock, self.store)
        {
            granted = Some((addr, lease_time));
        }
        let Some((addr, lease_time)) = granted else {
            person.lease_ends = 0;
            return now + RETRY;
        };
        person.addr = addr;
        person.lease_ends = now + u64::from(lease_time);
        let renews = now + self.t1 - self.fuzz + self.dice.below(2 * self.fuzz + 1);
        renews.max(now + 1).min(person.leaves.max(now + 1))
    }
}

/// A device: its name, and a client-id that is its hardware address, as most send it.
fn client(kind: u8, number: u64, name: &str) -> Client4 {
    let n = (number as u32).to_be_bytes();
    let mac = [2, kind, n[0], n[1], n[2], n[3]];
    let mut client = Client4::new(HwAddr::ethernet(mac));
    client.clid = Some([&[1][..], &mac].concat().into());
    client.hostname = Some(name.as_bytes().into());
    client
}
