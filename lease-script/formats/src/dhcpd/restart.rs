//! The changes that dhcpd makes to leases when it starts, before it writes them again: `expire_all_pools` and
//! `write_leases4` of server/mdb.c, `write_lease` of server/db.c.

use std::collections::BTreeMap;
use std::io::Read;

use super::config::{Config, Peer, Role};
use super::declaration::{PeerState, set_variable};
use super::expression::{Expression, Operator};
use super::ia::Ia;
use super::input::Input;
use super::keyword::Keyword;
use super::lease::{BindingState, Date, Lease, SetValue};
use super::lexer::Lexer;
use super::statement::Statement;

/// A failover peer with its state from the lease file.
#[derive(Debug, Clone)]
pub(crate) struct Failover {
    role: Role,
    mine: Keyword,
    since: i64,
    mclt: i64,
}

impl Failover {
    pub(crate) fn new(peer: &Peer, states: &BTreeMap<Vec<u8>, PeerState>) -> Self {
        let state = states.get(&peer.name);
        Self {
            role: peer.role,
            mine: state.map_or(Keyword::Recover, |state| state.mine),
            since: state.map_or(0, |state| state.since.0),
            mclt: state.and_then(|state| state.mclt).unwrap_or(peer.mclt),
        }
    }

    fn is_partner_down(&self) -> bool {
        self.mine == Keyword::PartnerDown
    }
}

/// The state of the server when it starts.
#[derive(Debug)]
pub(crate) struct Restart<'a> {
    pub(crate) now: i64,
    pub(crate) config: Option<&'a Config>,
    pub(crate) failover: Vec<Failover>,
}

/// Returns whether dhcpd accepts all characters in a host name (`db_printable` of server/db.c).
pub(crate) fn printable(name: &[u8]) -> bool {
    name.iter().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
}

impl Restart<'_> {
    /// Returns the lease as the server writes it, or `None` if the server does not write it.
    pub(crate) fn lease(&self, mut lease: Lease) -> Option<Lease> {
        let peer = self
            .config
            .and_then(|config| config.pool(u32::from(lease.address)).flatten())
            .and_then(|peer| self.failover.get(peer));
        if lease.state == BindingState::Backup && peer.is_none() {
            lease.state = BindingState::Free;
            lease.next_state = Some(BindingState::Free);
            lease.rewind_state = Some(BindingState::Free);
        }
        self.expire(&mut lease, peer);
        Self::written(lease)
    }

    /// Returns whether the server finds that the lease has no state, and drops it with a line in its log.
    pub(crate) fn is_bogus(&self, lease: &Lease) -> bool {
        let mut lease = lease.clone();
        self.expire(&mut lease, None);
        lease.state == BindingState::Bogus
    }

    /// Returns whether the server cannot write one of the dates, so that the rewrite fails.
    pub(crate) fn breaks_rewrite(lease: &Lease) -> bool {
        [lease.starts, lease.ends, lease.tstp, lease.tsfp, lease.atsfp, lease.cltt]
            .iter()
            .any(|date| date.0 < 0)
    }

    /// Does the same as [`Self::breaks_rewrite`] for an identity association.
    pub(crate) fn breaks_rewrite_of(ia: &Ia) -> bool {
        ia.cltt.0 < 0 || ia.addresses.iter().any(|address| address.ends.0 < 0)
    }

    /// Expires a lease (`pool_timer`). The queues are processed in the order free, active, expired, abandoned, backup,
    /// reserved, so a lease may change its state twice.
    fn expire(&self, lease: &mut Lease, peer: Option<&Failover>) {
        let mut passed = 0;
        loop {
            let queue = match lease.state {
                BindingState::Free | BindingState::Backup if lease.reserved => 5,
                BindingState::Free => 0,
                BindingState::Active => 1,
                BindingState::Expired | BindingState::Released | BindingState::Reset => 2,
                BindingState::Abandoned => 3,
                BindingState::Backup => 4,
                BindingState::Bogus => return,
            };
            let next = lease.next_state.unwrap_or(lease.state);
            if queue < passed || next == lease.state {
                return;
            }
            let mut due = lease.ends.0;
            if let Some(peer) = peer {
                if !peer.is_partner_down() {
                    let waits =
                        queue == 1 && peer.role == Role::Secondary && peer.mine == Keyword::Normal;
                    if waits || queue == 2 {
                        return;
                    }
                } else if queue == 2 {
                    due = due.max(lease.tsfp.0);
                }
            }
            if due > self.now {
                return;
            }
            Self::step(lease, next, peer);
            passed = queue;
        }
    }

    /// Changes the state of a lease (`make_binding_state_transition`), after the changes that `supersede_lease` makes to
    /// every lease.
    fn step(lease: &mut Lease, next: BindingState, peer: Option<&Failover>) {
        use BindingState::{Abandoned, Active, Backup, Bogus, Expired, Free, Released, Reset};
        lease.atsfp = Date::ABSENT;
        let given_up = matches!(next, Free | Backup);
        let expires = match peer {
            Some(_) => matches!(lease.state, Expired | Active) && given_up,
            None => lease.state == Active && next != Released,
        };
        let is_released = match peer {
            Some(_) => lease.state == Released && given_up,
            None => lease.state == Active && next == Released,
        };
        if expires || is_released {
            let block = if expires { lease.on_expiry.take() } else { lease.on_release.take() };
            if let Some(block) = block {
                run(lease, &block);
            }
            lease.on_expiry = None;
            lease.on_release = None;
            lease.agent.clear();
            lease.billing = None;
            lease.hostname = None;
            lease.tstp = lease.ends;
        }
        lease.state = next;
        lease.next_state = Some(match next {
            Active if peer.is_some() => Expired,
            Active => Free,
            Expired | Released | Abandoned | Reset => {
                if let Some(peer) = peer.filter(|peer| peer.is_partner_down()) {
                    lease.tsfp = Date(peer.since + peer.mclt);
                }
                Free
            }
            Free | Backup | Bogus => next,
        });
    }

    /// Returns what remains of a lease in the file that the server writes, or `None` if the server does not write it.
    fn written(mut lease: Lease) -> Option<Lease> {
        let owned = lease.hardware.is_some() || !lease.uid.is_empty();
        let is_unowned = lease.state == BindingState::Free && !owned && lease.tsfp.is_absent();
        if is_unowned || lease.state == BindingState::Bogus {
            return None;
        }
        lease.next_state = Some(lease.next_state.unwrap_or(lease.state));
        lease.rewind_state = Some(lease.rewind_state.unwrap_or(lease.state));
        lease.hostname = lease.hostname.filter(|name| printable(name));
        for (code, value) in &mut lease.agent {
            // Text is written without a NUL at its end.
            if !matches!(code, 3..=5)
                && let [text @ .., 0] = &value[..]
                && text.iter().all(|byte| matches!(byte, b' '..=b'~'))
            {
                value.pop();
            }
        }
        Some(lease)
    }
}

/// Runs the statements of an `on` block with the variables of the lease.
fn run(lease: &mut Lease, block: &[u8]) {
    let mut lexer = Lexer::new(Input::new(block, 0));
    if let Some(statements) = parse(&mut lexer) {
        for statement in &statements {
            execute(lease, statement);
        }
    }
}

fn parse<R: Read>(lexer: &mut Lexer<R>) -> Option<Vec<Statement>> {
    lexer.statements(0)
}

fn execute(lease: &mut Lease, statement: &Statement) {
    match statement {
        Statement::Set(name, expression) => {
            if let Some(value) = value(lease, expression) {
                // dhcpd inserts a new variable at the front.
                let before = lease.set.len();
                set_variable(&mut lease.set, name, value);
                if lease.set.len() > before {
                    lease.set.rotate_right(1);
                }
            } else {
                lease.set.retain(|(held, _)| !held.as_bytes().eq_ignore_ascii_case(name));
            }
        }
        Statement::Unset(name) => {
            lease.set.retain(|(held, _)| !held.as_bytes().eq_ignore_ascii_case(name));
        }
        Statement::If(condition, yes, no) => {
            let branch = if truth(lease, condition) == Some(true) { yes } else { no };
            for statement in branch {
                execute(lease, statement);
            }
        }
        Statement::Other => {}
    }
}

fn value(lease: &Lease, expression: &Expression) -> Option<SetValue> {
    match expression {
        Expression::Binary(Operator::Arithmetic(_), ..) => {
            number(lease, expression).map(SetValue::Number)
        }
        Expression::Binary(..) | Expression::Not(_) => {
            truth(lease, expression).map(SetValue::Boolean)
        }
        Expression::Call(Keyword::Defined, _) => truth(lease, expression).map(SetValue::Boolean),
        Expression::Call(Keyword::ExtractInt, _) => number(lease, expression).map(SetValue::Number),
        Expression::Variable(name) => variable(lease, name).cloned(),
        _ => data(lease, expression).map(SetValue::Data),
    }
}

fn variable<'a>(lease: &'a Lease, name: &[u8]) -> Option<&'a SetValue> {
    let found = lease.set.iter().find(|(held, _)| held.as_bytes().eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

fn truth(lease: &Lease, expression: &Expression) -> Option<bool> {
    match expression {
        Expression::Binary(operator, left, right) => match operator {
            Operator::And => Some(truth(lease, left)? && truth(lease, right)?),
            Operator::Or => Some(truth(lease, left)? || truth(lease, right)?),
            Operator::Equal => Some(value(lease, left) == value(lease, right)),
            Operator::NotEqual => Some(value(lease, left) != value(lease, right)),
            _ => None,
        },
        Expression::Not(inner) => truth(lease, inner).map(|truth| !truth),
        Expression::Variable(name) => match variable(lease, name)? {
            SetValue::Boolean(boolean) => Some(*boolean),
            _ => None,
        },
        Expression::Call(Keyword::Defined, arguments) => match arguments.first()? {
            Expression::Variable(name) => Some(variable(lease, name).is_some()),
            _ => None,
        },
        // Without a packet, no option exists.
        Expression::Unknown | Expression::UnknownTruth => Some(false),
        _ => None,
    }
}

fn number(lease: &Lease, expression: &Expression) -> Option<i64> {
    match expression {
        Expression::Number(number) => Some(*number),
        Expression::Variable(name) => match variable(lease, name)? {
            SetValue::Number(number) => Some(*number),
            _ => None,
        },
        Expression::Binary(Operator::Arithmetic(sign), left, right) => {
            let (left, right) = (number(lease, left)?, number(lease, right)?);
            match sign {
                b'+' => left.checked_add(right),
                b'*' => left.checked_mul(right),
                b'/' => left.checked_div(right),
                b'%' => left.checked_rem(right),
                b'&' => Some(left & right),
                b'|' => Some(left | right),
                _ => Some(left ^ right),
            }
        }
        Expression::Call(Keyword::ExtractInt, arguments) => {
            let width = number(lease, arguments.get(1)?)? / 8;
            let bytes = data(lease, arguments.first()?)?;
            let bytes = bytes.get(..usize::try_from(width).ok()?)?;
            Some(bytes.iter().fold(0, |number, byte| number << 8 | i64::from(*byte)))
        }
        _ => None,
    }
}

fn data(lease: &Lease, expression: &Expression) -> Option<Vec<u8>> {
    match expression {
        Expression::Data(bytes) => Some(bytes.clone()),
        // A number that is used as data is a list of one hexadecimal byte.
        Expression::Number(number) => {
            Some(vec![u64::from_str_radix(&number.to_string(), 16).ok()? as u8])
        }
        Expression::Variable(name) => match variable(lease, name)? {
            SetValue::Data(bytes) => Some(bytes.clone()),
            _ => None,
        },
        Expression::Call(keyword, arguments) => call(lease, *keyword, arguments),
        _ => None,
    }
}

fn call(lease: &Lease, keyword: Keyword, arguments: &[Expression]) -> Option<Vec<u8>> {
    let data_at = |at: usize| data(lease, arguments.get(at)?);
    let number_at = |at: usize| usize::try_from(number(lease, arguments.get(at)?)?).ok();
    match keyword {
        Keyword::Concat => {
            let parts: Option<Vec<_>> =
                arguments.iter().map(|argument| data(lease, argument)).collect();
            Some(parts?.concat())
        }
        Keyword::Substring => {
            let bytes = data_at(0)?;
            let rest = bytes.get(number_at(1)?..).unwrap_or_default();
            Some(rest[..rest.len().min(number_at(2)?)].to_vec())
        }
        Keyword::Suffix => {
            let bytes = data_at(0)?;
            Some(bytes[bytes.len().saturating_sub(number_at(1)?)..].to_vec())
        }
        Keyword::Lcase => Some(data_at(0)?.to_ascii_lowercase()),
        Keyword::Ucase => Some(data_at(0)?.to_ascii_uppercase()),
        Keyword::Pick | Keyword::PickFirstValue => {
            arguments.iter().find_map(|argument| data(lease, argument))
        }
        Keyword::EncodeInt => {
            let bytes = (number(lease, arguments.first()?)? as u32).to_be_bytes();
            bytes.get(4usize.checked_sub(number_at(1)? / 8)?..).map(<[u8]>::to_vec)
        }
        Keyword::Reverse => {
            let (width, bytes) = (number_at(0)?, data_at(1)?);
            if width == 0 || bytes.len() % width != 0 {
                return None;
            }
            Some(bytes.chunks(width).rev().flatten().copied().collect())
        }
        Keyword::BinaryToAscii => {
            let (base, width) = (number_at(0)?, number_at(1)? / 8);
            let (separator, bytes) = (data_at(2)?, data_at(3)?);
            if width == 0 || bytes.len() % width != 0 {
                return None;
            }
            let words: Vec<Vec<u8>> = bytes
                .chunks(width)
                .map(|chunk| chunk.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte)))
                .map(|word| match base {
                    8 => format!("{word:o}").into_bytes(),
                    16 => format!("{word:x}").into_bytes(),
                    _ => word.to_string().into_bytes(),
                })
                .collect();
            Some(words.join(&separator[..]))
        }
        Keyword::LeasedAddress => Some(lease.address.octets().to_vec()),
        Keyword::Hardware => {
            let hardware = lease.hardware.as_ref()?;
            Some([&[hardware.kind][..], &hardware.bytes].concat())
        }
        _ => None,
    }
}
