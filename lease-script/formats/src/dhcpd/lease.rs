//! A DHCPv4 lease.

use std::fmt;
use std::net::Ipv4Addr;

use crate::hex;

/// The last second that dhcpd can represent, which it treats as `never` (`MAX_TIME` of includes/dhcpd.h).
const MAX_TIME: i64 = 0x7fff_ffff;

/// A date in seconds since 1970, with 64 bits. As in dhcpd, 0 is an absent date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date(pub i64);

impl Date {
    /// An absent date.
    pub const ABSENT: Self = Self(0);
    /// `never`, later than any other date.
    pub const NEVER: Self = Self(i64::MAX);

    /// Creates a date from the 32 bits that dhcpd computes.
    pub(crate) fn of_dhcpd(seconds: i32) -> Self {
        if i64::from(seconds) == MAX_TIME { Self::NEVER } else { Self(i64::from(seconds)) }
    }

    /// Returns whether dhcpd can represent the date. It reads later dates as `never` or as dates before 1970.
    pub fn fits_dhcpd(self) -> bool {
        self.is_never() || self.0 < MAX_TIME
    }

    /// Returns whether this is [`Self::ABSENT`].
    pub fn is_absent(self) -> bool {
        self == Self::ABSENT
    }

    /// Returns whether this is [`Self::NEVER`].
    pub fn is_never(self) -> bool {
        self == Self::NEVER
    }
}

/// The state of a binding (`binding_state_names` of server/stables.c).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum BindingState {
    /// Not assigned to a client.
    Free = 1,
    /// Assigned to a client.
    Active = 2,
    /// Expired. The failover peer does not know yet.
    Expired = 3,
    /// Released by the client.
    Released = 4,
    /// In use by an unknown host.
    Abandoned = 5,
    /// Reset by an operator.
    Reset = 6,
    /// Reserved for the failover secondary.
    Backup = 7,
    /// No state: dhcpd counted a statement that should name one, but could not read it. dhcpd drops a lease in this state
    /// (`lease_enqueue`), and writes this next state as `abandoned` (`write_lease`).
    Bogus = 8,
}

impl BindingState {
    /// Returns the word for the state in a lease file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Released => "released",
            Self::Abandoned | Self::Bogus => "abandoned",
            Self::Reset => "reset",
            Self::Backup => "backup",
        }
    }

    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Free,
            2 => Self::Active,
            3 => Self::Expired,
            4 => Self::Released,
            5 => Self::Abandoned,
            6 => Self::Reset,
            7 => Self::Backup,
            8 => Self::Bogus,
            _ => return None,
        })
    }
}

impl fmt::Display for BindingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A hardware address: an ARP type and at most 20 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Hardware {
    /// ARP hardware type.
    pub kind: u8,
    /// The bytes of the address. Empty for IP over InfiniBand.
    pub bytes: Vec<u8>,
}

impl Hardware {
    /// Maximum length of an address that dhcpd accepts.
    pub const MAX: usize = 20;
}

impl fmt::Display for Hardware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            1 => f.write_str("ethernet")?,
            6 => f.write_str("token-ring")?,
            8 => f.write_str("fddi")?,
            32 => f.write_str("infiniband")?,
            other => write!(f, "unknown-{other}")?,
        }
        if self.bytes.is_empty() {
            return Ok(());
        }
        write!(f, " {}", String::from_utf8_lossy(&hex::encode(&self.bytes)))
    }
}

/// The value of a `set` statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetValue {
    /// A string or a list of bytes.
    Data(Vec<u8>),
    /// A number, written as `%N`.
    Number(i64),
    /// `true` or `false`.
    Boolean(bool),
}

/// Returns the name of a relay agent option (`agent_options` of server/stables.c).
pub fn agent_option_name(code: u8) -> String {
    match code {
        1 => "circuit-id".to_owned(),
        2 => "remote-id".to_owned(),
        3 => "agent-id".to_owned(),
        4 => "DOCSIS-device-class".to_owned(),
        5 => "link-selection".to_owned(),
        19 => "relay-port".to_owned(),
        other => format!("unknown-{other}"),
    }
}

/// A DHCPv4 lease as a declaration describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The address.
    pub address: Ipv4Addr,
    /// The start of the lease.
    pub starts: Date,
    /// The end of the lease.
    pub ends: Date,
    /// The expiry that was sent to the failover peer.
    pub tstp: Date,
    /// The expiry that the failover peer sent.
    pub tsfp: Date,
    /// The expiry that the failover peer acknowledged.
    pub atsfp: Date,
    /// The time of the last transaction of the client.
    pub cltt: Date,
    /// The binding state.
    pub state: BindingState,
    /// The state after this one. `None` if no statement set it (old format).
    pub next_state: Option<BindingState>,
    /// The state to which a failover peer may return.
    pub rewind_state: Option<BindingState>,
    /// The hardware address of the client.
    pub hardware: Option<Hardware>,
    /// The client identifier. Empty if there is none.
    pub uid: Vec<u8>,
    /// The host name that the client sent.
    pub hostname: Option<Vec<u8>>,
    /// Whether the lease is reserved for its client.
    pub reserved: bool,
    /// Whether the lease was given to a BOOTP client.
    pub bootp: bool,
    /// The variables of `set` statements, in the order of the file.
    pub set: Vec<(String, SetValue)>,
    /// The relay agent options, by code.
    pub agent: Vec<(u8, Vec<u8>)>,
    /// The text after `billing`: the class to which the lease is billed.
    pub billing: Option<Vec<u8>>,
    /// The statements of `on expiry`, as text.
    pub on_expiry: Option<Vec<u8>>,
    /// The statements of `on release`, as text.
    pub on_release: Option<Vec<u8>>,
}

impl Lease {
    /// Returns the dates with their names in the file, in the order in which dhcpd writes them (`write_lease` of
    /// server/db.c).
    pub fn dates(&self) -> [(&'static str, Date); 6] {
        [
            ("starts", self.starts),
            ("ends", self.ends),
            ("tstp", self.tstp),
            ("tsfp", self.tsfp),
            ("atsfp", self.atsfp),
            ("cltt", self.cltt),
        ]
    }

    /// Creates a free lease without a client and without dates.
    pub fn new(address: Ipv4Addr) -> Self {
        Self {
            address,
            starts: Date::ABSENT,
            ends: Date::ABSENT,
            tstp: Date::ABSENT,
            tsfp: Date::ABSENT,
            atsfp: Date::ABSENT,
            cltt: Date::ABSENT,
            state: BindingState::Free,
            next_state: None,
            rewind_state: None,
            hardware: None,
            uid: Vec::new(),
            hostname: None,
            reserved: false,
            bootp: false,
            set: Vec::new(),
            agent: Vec::new(),
            billing: None,
            on_expiry: None,
            on_release: None,
        }
    }
}
