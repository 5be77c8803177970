//! The vocabulary of the engine: builds, clocks, addresses and identifiers.

use std::fmt;
use std::sync::Arc;

/// Bytes that a client chose: a client identifier, a host name. Cheap to clone.
pub type Text = Arc<[u8]>;

/// Which clock dnsmasq was compiled to trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Build {
    /// The default build: leases end at an absolute wall-clock time.
    Rtc,
    /// Built with `HAVE_BROKEN_RTC`: leases have a length, time is `CLOCK_MONOTONIC`.
    NoRtc,
}

impl Build {
    /// What `dnsmasq_time()` (util.c) returns in this build, in seconds.
    #[must_use]
    pub fn now(self, clock: Clock) -> i64 {
        match self {
            Build::Rtc => clock.wall,
            Build::NoRtc => clock.mono,
        }
    }
}

/// Both clocks of the machine, in whole seconds. They move independently: a warp changes only `wall`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Clock {
    /// `CLOCK_REALTIME`, seconds since 1970.
    pub wall: i64,
    /// `CLOCK_MONOTONIC`, seconds since boot.
    pub mono: i64,
}

impl Clock {
    /// Both clocks moved on by `seconds`.
    #[must_use]
    pub fn after(self, seconds: i64) -> Clock {
        Clock { wall: self.wall.wrapping_add(seconds), mono: self.mono.wrapping_add(seconds) }
    }
}

/// `ARPHRD_ETHER`.
pub const ETHER: u16 = 1;
/// `DHCP_CHADDR_MAX`: the most bytes a hardware address can have.
pub const CHADDR_MAX: usize = 16;

/// A hardware address with its ARP type, as `hwaddr`, `hwaddr_len` and `hwaddr_type` of a lease.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HwAddr {
    bytes: [u8; CHADDR_MAX],
    len: u16,
    /// ARP hardware type, 1 for ethernet.
    pub kind: u16,
}

impl HwAddr {
    /// An address of the given ARP type; bytes beyond 16 are cut off.
    #[must_use]
    pub fn new(kind: u16, bytes: &[u8]) -> HwAddr {
        let len = bytes.len().min(CHADDR_MAX);
        let mut own = [0; CHADDR_MAX];
        own[..len].copy_from_slice(&bytes[..len]);
        HwAddr { bytes: own, len: len as u16, kind }
    }

    /// A six-byte ethernet address.
    #[must_use]
    pub fn ethernet(bytes: [u8; 6]) -> HwAddr {
        HwAddr::new(ETHER, &bytes)
    }

    /// The "illegal value" of a lease that never got one: length 256 (lease.c, `lease_allocate`).
    pub(crate) fn illegal() -> HwAddr {
        HwAddr { bytes: [0; CHADDR_MAX], len: 256, kind: 0 }
    }

    /// The address bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len).min(CHADDR_MAX)]
    }

    /// Whether there is no address at all (IEEE1394, InfiniBand).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// As helper.c (`create_helper`) and lease.c (`lease_update_file`) print it: lower case with colons, a type
    /// prefix unless it is a non-empty ethernet address.
    #[must_use]
    pub fn text(&self) -> String {
        use fmt::Write as _;
        let mut out = String::with_capacity(20);
        if self.kind != ETHER || self.len == 0 {
            let _ = write!(out, "{:02x}-", self.kind);
        }
        out.push_str(&hex_text(self.bytes()));
        out
    }
}

impl fmt::Debug for HwAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// Bytes as lower-case hex with colons between: client identifiers and DUIDs.
#[must_use]
pub fn hex_text(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 3);
    for (i, byte) in bytes.iter().enumerate() {
        if i != 0 {
            out.push(':');
        }
        for half in [byte >> 4, byte & 15] {
            out.push(char::from(DIGITS[usize::from(half)]));
        }
    }
    out
}

/// Takes over an equal text, so that the two are known as the same by where they lie.
pub fn adopt(own: &mut Option<Text>, equal: Option<&Text>) {
    if let (Some(own), Some(equal)) = (own, equal)
        && !Arc::ptr_eq(own, equal)
    {
        *own = Arc::clone(equal);
    }
}

/// What kind of lease it is; the flags `LEASE_NA` and `LEASE_TA` of dnsmasq.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeaseKind {
    /// DHCPv4.
    V4,
    /// DHCPv6, non-temporary address.
    Na,
    /// DHCPv6, temporary address.
    Ta,
}

impl LeaseKind {
    /// Whether this is a DHCPv6 lease.
    #[must_use]
    pub fn is_v6(self) -> bool {
        self != LeaseKind::V4
    }
}

/// How the `init` call of the script ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitStatus {
    /// Exit code of the shell that ran it (128 + n for a script killed by signal n).
    Code(u8),
    /// The shell itself was killed by this signal.
    Signal(u8),
}

/// What `init` printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitResult {
    /// Standard output, to be read by `read_leases`.
    pub stdout: Vec<u8>,
    /// How it ended.
    pub status: InitStatus,
}

impl InitResult {
    /// `init` printed `stdout` and returned 0.
    #[must_use]
    pub fn ok(stdout: impl Into<Vec<u8>>) -> InitResult {
        InitResult { stdout: stdout.into(), status: InitStatus::Code(0) }
    }
}

/// Why dnsmasq ended instead of starting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartFailure {
    /// dnsmasq left with this exit code and message.
    Exit {
        /// Exit code: 3 script not runnable, 5 too many stored leases, 10 + r for an `init` that returned r.
        code: u8,
        /// The line it logs.
        message: String,
    },
    /// dnsmasq crashed with this signal: a hardware address in `init`'s output was not hexadecimal.
    Crash {
        /// Signal number (6, SIGABRT).
        signal: u8,
    },
}

impl StartFailure {
    /// The exit status as a shell-less parent sees it: the code, or minus the signal.
    #[must_use]
    pub fn status(&self) -> i32 {
        match self {
            StartFailure::Exit { code, .. } => i32::from(*code),
            StartFailure::Crash { signal } => -i32::from(*signal),
        }
    }
}
