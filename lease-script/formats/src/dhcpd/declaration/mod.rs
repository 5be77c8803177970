//! The declarations of a lease file as dhcpd 4.4 reads them (server/confpars.c), including its recovery from
//! errors.

mod agent_option;
mod class;
mod contents;
mod declarations;
mod failover;
mod ia;
mod lease;
mod server;
mod value;

pub use contents::{ByteOrder, Counts, Family};

pub(crate) use contents::{Contents, PeerState, Subject};
pub(crate) use declarations::{Declarations, ParseRules, ReadEnd};
pub(crate) use value::set_variable;
