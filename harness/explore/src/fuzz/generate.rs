//! Generates a random household: a router, a server, clients, and events.

use std::num::NonZeroU32;

use dnsmasq_model::{Release, hex_text};
use nvram_emu::Dialect;
use nvram_emu::dialect::FreeSpaceSource;

use super::HouseholdId;
use super::hostile_inputs::{CALLS, HOST_NAMES, VALUES};
use scenario::{
    Action, Boot, BootClock, Bytes, CallDisturbance, ClientEvent, ClientMessage, DaemonAction,
    Damage, DeterministicRng, Disturbance, Forgiven, Join, LeaseTime, LongIds, Memory, Moment,
    Point, RawCall, Router, Scenario, Script, Seconds, Server, Side, Step, V6, unspanned,
};

/// Maximum number of events of a household.
pub(super) const MAX_EVENTS: u32 = 10_000;

/// Number of DHCPv4 clients, named `pc-1` and so on.
const CLIENTS: u64 = 8;
/// Number of DHCPv6 clients, named `six-1` and so on.
const CLIENTS6: u64 = 3;

/// Sizes of the store and of its erase blocks, in bytes. There are only a few, so that a session can reuse filled stores.
const SIZES: [(u64, u64); 4] = [(4096, 4096), (8192, 65_536), (16_384, 16_384), (32_768, 65_536)];
const HARDENED_SIZES: [(u64, u64); 4] =
    [(32_768, 32_768), (32_768, 65_536), (32_768, 4096), (65_536, 65_536)];

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Generates the household of an id.
pub fn generate(id: &HouseholdId) -> Scenario {
    let mut generator = Generator {
        rng: DeterministicRng::new(id.seed.rotate_left(32) ^ id.case),
        file_faults: id.file_faults,
        steps: Vec::new(),
        joined: Vec::new(),
    };
    let router = generator.router(id);
    let server = generator.server(id);
    let script = generator.script(id);
    generator.push(Action::Boot(Boot::default()));
    let count = id.events as usize;
    while generator.steps.len() < count {
        generator.event(&server);
    }
    generator.steps.truncate(count);
    Scenario {
        journal: None,
        title: format!("A random household: seed {}, case {}", id.seed, id.case),
        story: String::new(),
        tags: vec!["fuzz".to_owned()],
        parameters: std::collections::BTreeMap::default(),
        except: Vec::new(),
        group: None,
        claim: None,
        router,
        server,
        networks: Vec::new(),
        bound: Vec::new(),
        script,
        breaks: Vec::new(),
        forgive: vec![Forgiven::TornWrite, Forgiven::RepeatedCommit],
        steps: generator.steps.into_iter().map(unspanned).collect(),
    }
}

struct Generator {
    rng: DeterministicRng,
    file_faults: bool,
    steps: Vec<Step>,
    /// Names of the clients that have joined.
    joined: Vec<String>,
}

impl Generator {
    fn below(&mut self, n: u64) -> u64 {
        self.rng.below(n)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<'t, T: ?Sized>(&mut self, choices: &[&'t T]) -> &'t T {
        choices[self.below(choices.len() as u64) as usize]
    }

    fn number(&mut self, choices: &[u64]) -> u64 {
        choices[self.below(choices.len() as u64) as usize]
    }

    fn push(&mut self, step: impl Into<Step>) {
        self.steps.push(step.into());
    }

    fn router(&mut self, id: &HouseholdId) -> Router {
        let sizes = match id.dialect {
            // The tool supports no smaller store.
            Dialect::OpenWrtHardened => HARDENED_SIZES,
            _ => SIZES,
        };
        let (space, erase) = sizes[self.below(sizes.len() as u64) as usize];
        let nearly_full = self.one_in(5);
        let (neighbours, free) = match (nearly_full, id.dialect.info().free_space) {
            (false, _) => (self.number(&[120, 600]), None),
            (true, FreeSpaceSource::NotReported) => (space - self.number(&[900, 1300]), None),
            (true, _) => (0, Some(Bytes(self.number(&[150, 450])))),
        };
        Router {
            rtc: id.rtc,
            dialect: unspanned(id.dialect.to_string()),
            space: Bytes(space),
            erase: Bytes(erase),
            neighbours: Bytes(neighbours),
            free,
            clock: self.boot_clock(),
            drift: if self.one_in(4) { self.below(400) as i32 - 200 } else { 0 },
            ..Router::default()
        }
    }

    fn boot_clock(&mut self) -> BootClock {
        match self.below(6) {
            0 | 1 => BootClock::Epoch,
            2 => BootClock::Moment(Moment::At(1_700_000_000)),
            3 => BootClock::Moment(Moment::By(self.below(800) as i64 * 86_400 - 400 * 86_400)),
            _ => BootClock::Kept,
        }
    }

    fn server(&mut self, id: &HouseholdId) -> Server {
        let last = self.number(&[53, 57, 57, 99, 249]);
        let lease_time = match self.number(&[120, 600, HOUR, 12 * HOUR, 12 * HOUR, 7 * DAY, 0]) {
            0 => LeaseTime::Infinite,
            seconds => LeaseTime::Finite(Seconds(seconds)),
        };
        let mut options = Vec::new();
        if self.one_in(4) {
            options.push(unspanned("--dhcp-authoritative".to_owned()));
        }
        if self.one_in(6) {
            options.push(unspanned("--domain=lan".to_owned()));
        }
        let release = id.release;
        Server {
            dnsmasq: (release != Release::NEWEST).then(|| unspanned(release.to_string())),
            range: Some(unspanned(format!("192.168.1.50-192.168.1.{last}"))),
            lease_time,
            lease_limit: self.one_in(8).then_some(4),
            range6: (!self.one_in(3) && release.has_dhcpv6())
                .then(|| unspanned("fd00::100-fd00::1ff".to_owned())),
            long_ids: self.one_in(2).then_some(LongIds::Cut),
            options,
            ..Server::default()
        }
    }

    fn script(&mut self, id: &HouseholdId) -> Script {
        let slack = (id.script != "naive" && self.one_in(4))
            .then(|| Seconds(self.number(&[1, 30 * MINUTE, 12 * HOUR])));
        Script { program: unspanned(id.script.clone()), slack, ..Script::default() }
    }

    /// Adds one event, or a few related ones.
    fn event(&mut self, server: &Server) {
        let action = match self.below(100) {
            0..14 => self.join(server),
            14..22 => self.advance(server),
            22..34 => self.client_sends(ClientMessage::Renew),
            34..42 => self.client_sends(ClientMessage::Request),
            42..46 => self.client_sends(ClientMessage::Rebind),
            46..50 => self.client_sends(ClientMessage::InitReboot),
            50..58 => self.rename(),
            58..60 => self.client_sends(ClientMessage::Inform),
            60..66 => self.client_sends(ClientMessage::Release),
            66..68 => self.client_sends(ClientMessage::Decline),
            68..70 => Action::Silence(self.client()),
            70..73 => Action::Dnsmasq(DaemonAction::Sighup),
            73..75 => self.clock(),
            75..77 => Action::Ntp,
            77 => Action::Drift(self.below(400) as i32 - 200),
            78..82 => self.other_program_runs_nvram(),
            82 => self.raw_call(),
            83..85 => return self.restart(),
            85 => return self.power_cycle(Action::Shutdown),
            86..89 => return self.power_cycle(Action::PowerCut),
            89 if self.one_in(3) => return self.damage(),
            _ => return self.disturbed(server),
        };
        self.push(action);
    }

    fn client_name(&mut self) -> String {
        if self.one_in(5) {
            format!("six-{}", 1 + self.below(CLIENTS6))
        } else {
            format!("pc-{}", 1 + self.below(CLIENTS))
        }
    }

    /// A client that has joined, or any client if none has.
    fn joined_client(&mut self) -> String {
        match self.joined.len() as u64 {
            0 => self.client_name(),
            count => {
                let at = self.below(count) as usize;
                self.joined[at].clone()
            }
        }
    }

    fn client(&mut self) -> ClientEvent {
        ClientEvent {
            client: unspanned(self.joined_client()),
            hostname: None,
            client_id: None,
            mac: None,
            address: None,
            lease_time: None,
        }
    }

    fn client_sends(&mut self, message: ClientMessage) -> Action {
        Action::Client(message, self.client())
    }

    fn host_name(&mut self) -> String {
        match self.below(4) {
            0 => self.pick(&HOST_NAMES).to_owned(),
            1 => format!("pc-{}", 1 + self.below(CLIENTS)),
            2 => String::new(),
            _ => format!("name-{}", self.below(1000)),
        }
    }

    fn client_id(&mut self) -> String {
        let length = self.number(&[0, 1, 7, 7, 19, 255]);
        let bytes: Vec<u8> = (0..length).map(|_| self.below(256) as u8).collect();
        hex_text(&bytes)
    }

    fn join(&mut self, server: &Server) -> Action {
        let name = self.client_name();
        if !self.joined.contains(&name) {
            self.joined.push(name.clone());
        }
        let is_v6 = name.starts_with("six") && server.range6.is_some();
        let v6 = is_v6.then(|| if self.one_in(3) { V6::Ta } else { V6::Na });
        let hostile = self.one_in(4);
        let join = Join {
            client: unspanned(name),
            count: None,
            mac: self.one_in(20).then(|| unspanned("06-02:aa:00:00:00:00:01:02".to_owned())),
            hostname: hostile.then(|| self.host_name()),
            client_id: (!is_v6 && self.one_in(6)).then(|| unspanned(self.client_id())),
            address: (!is_v6 && self.one_in(5))
                .then(|| unspanned(format!("192.168.1.{}", 50 + self.below(8)))),
            lease_time: self.one_in(8).then(|| self.lease_time()),
            bootp: !is_v6 && self.one_in(30),
            v6,
            duid: None,
            iaid: (is_v6 && self.one_in(3)).then(|| self.below(1 << 32) as u32),
            network: None,
            vendor_class: None,
            user_class: None,
        };
        Action::Join(join)
    }

    fn lease_time(&mut self) -> LeaseTime {
        match self.below(4) {
            0 => LeaseTime::Infinite,
            _ => LeaseTime::Finite(Seconds(self.number(&[60, 300, HOUR, DAY, 40 * DAY]))),
        }
    }

    fn rename(&mut self) -> Action {
        let mut event = self.client();
        event.hostname = Some(self.host_name());
        if self.one_in(8) && event.client.get_ref().starts_with("pc") {
            event.client_id = Some(unspanned(self.client_id()));
        }
        Action::Client(ClientMessage::Rename, event)
    }

    fn advance(&mut self, server: &Server) -> Action {
        let lease = match server.lease_time {
            LeaseTime::Finite(seconds) => seconds.0,
            LeaseTime::Infinite => DAY,
        };
        let seconds = match self.below(4) {
            0 => 1 + self.below(MINUTE),
            1 | 2 => 1 + self.below(lease / 2),
            _ => 1 + self.below(lease + lease / 2),
        };
        Action::Advance(Seconds(seconds))
    }

    fn clock(&mut self) -> Action {
        let moment = match self.below(4) {
            0 => Moment::At(self.number(&[0, 1_700_000_000, 2_147_483_000, 4_000_000_000]) as i64),
            1 => Moment::By(-(self.below(DAY) as i64)),
            2 => Moment::By(self.below(DAY) as i64),
            _ => Moment::By(self.below(800 * DAY) as i64 - (400 * DAY) as i64),
        };
        Action::SetClock(moment)
    }

    fn other_program_runs_nvram(&mut self) -> Action {
        let name = self.pick(&["wl_ssid", "motd", "lan_ipaddr", "dnsmasq_lease", "wl0_cfg0001"]);
        let value = self.pick(&VALUES);
        let word = |word: &str| word.to_owned();
        let mut commands = match self.below(8) {
            0 => vec![vec![word("unset"), word(name)]],
            1 => vec![vec![word("show")]],
            2 => vec![vec![word("get"), word(name)]],
            3 => Vec::new(),
            _ => vec![vec![word("set"), format!("{name}={value}")]],
        };
        if commands.is_empty() || self.one_in(2) {
            commands.push(vec![word("commit")]);
        }
        Action::Nvram(commands)
    }

    fn raw_call(&mut self) -> Action {
        let arguments = self.pick(&CALLS).iter().map(|word| (*word).to_owned()).collect();
        let call = RawCall { arguments, environment: std::collections::BTreeMap::default() };
        Action::Call(call)
    }

    /// Restarts dnsmasq, sometimes with another clock.
    fn restart(&mut self) {
        let end = if self.one_in(2) { DaemonAction::Stop } else { DaemonAction::Kill };
        self.push(Action::Dnsmasq(end));
        if self.one_in(3) {
            let step = self.clock();
            self.push(step);
        }
        self.push(Action::Dnsmasq(DaemonAction::Start));
    }

    /// Adds a step that turns the router off, then a boot.
    fn power_cycle(&mut self, step: impl Into<Step>) {
        self.push(step);
        let boot = self.boot();
        self.push(boot);
    }

    fn boot(&mut self) -> Action {
        let boot = Boot {
            off: self.one_in(2).then(|| Seconds(self.number(&[1, MINUTE, HOUR, 3 * DAY]))),
            clock: self.one_in(4).then(|| self.boot_clock()),
            dnsmasq: None,
            rtc: None,
            dnsmasq_release: None,
            lease_limit: None,
        };
        Action::Boot(boot)
    }

    /// Changes a few bytes of the flash while the power is off.
    fn damage(&mut self) {
        self.push(Action::PowerCut);
        let bytes: Vec<String> =
            (0..=self.below(4)).map(|_| format!("{:02x}", self.below(256))).collect();
        let damage = Damage {
            memory: Memory::Flash,
            offset: Bytes(self.below(1500)),
            bytes: unspanned(bytes.join(" ")),
            repeat: None,
        };
        self.push(Action::Damage(damage));
        let boot = self.boot();
        self.push(boot);
    }

    /// Adds an event with script calls, and a fault in one of them.
    fn disturbed(&mut self, server: &Server) {
        let action = match self.below(8) {
            0 => self.client_sends(ClientMessage::Release),
            1 => self.rename(),
            2 => self.client_sends(ClientMessage::Request),
            3 => self.client_sends(ClientMessage::Renew),
            4 => Action::Dnsmasq(DaemonAction::Sighup),
            _ => self.join(server),
        };
        let call = if self.one_in(3) { 1 + self.below(3) as u32 } else { 1 };
        let call = NonZeroU32::new(call).unwrap_or(NonZeroU32::MIN);
        match self.below(20) {
            0..9 => {
                let point = self.file_change(true).unwrap_or_else(|| self.cut_point());
                let step = self.disturb(action, call, Disturbance::Cut(point));
                self.power_cycle(step);
            }
            9..14 => {
                let point = self.file_change(false);
                let point = point.unwrap_or_else(|| self.point_beside_command());
                let step = self.disturb(action, call, Disturbance::Kill(point));
                self.push(step);
            }
            14..18 => {
                // Not `get`: exit code 1 means both a failure to read and a variable that does not exist.
                let word = self.pick(&["set", "unset", "show", "commit", "commit"]);
                let step = self.disturb(action, call, Disturbance::Fail(word.to_owned()));
                self.push(step);
            }
            _ => self.push(Step { web_page: true, ..Step::new(action) }),
        }
    }

    /// A step with a fault in its call number `call`. A script unsets a variable only when a client leaves, so a fault at
    /// `unset` replaces the action with a release and applies to its first call.
    fn disturb(&mut self, action: Action, call: NonZeroU32, disturbance: Disturbance) -> Step {
        let command = match &disturbance {
            Disturbance::Cut(Point::Subcommand(_, name))
            | Disturbance::Kill(Point::Subcommand(_, name))
            | Disturbance::Fail(name) => name,
            _ => "",
        };
        if command == "unset" {
            let release = self.client_sends(ClientMessage::Release);
            Step::new(release).disturbed(CallDisturbance::first(disturbance))
        } else {
            Step::new(action).disturbed(CallDisturbance { call, disturbance })
        }
    }

    /// Sometimes a point at a change of a persistent file, if the household has such faults.
    fn file_change(&mut self, can_lose_changes: bool) -> Option<Point> {
        if !self.file_faults || !self.one_in(2) {
            return None;
        }
        let nth = 1 + self.below(6) as u32;
        let loses_changes = can_lose_changes && self.one_in(3);
        let state = if loses_changes { 1 + self.below(4) as u32 } else { 0 };
        Some(Point::FileChange { nth, state })
    }

    /// A point before or after an `nvram` command.
    fn point_beside_command(&mut self) -> Point {
        let side = if self.one_in(2) { Side::Before } else { Side::After };
        if self.one_in(4) {
            return Point::Command(side, 1 + self.below(7) as u32);
        }
        let names = ["set", "set", "commit", "commit", "unset", "get", "show"];
        Point::Subcommand(side, self.pick(&names).to_owned())
    }

    fn cut_point(&mut self) -> Point {
        match self.below(8) {
            0 => Point::Erase,
            1 => Point::Program,
            2 => Point::Operation { op: self.below(3) as u32, byte: self.number(&[0, 1, 20, 600]) },
            3 => Point::Within {
                nth: 3 + self.below(5) as u32,
                op: self.below(3) as u32,
                byte: self.number(&[0, 1, 512, 4000]) as u32,
            },
            _ => self.point_beside_command(),
        }
    }
}
