//! Converts a site's lease databases of ISC dhcpd or Kea into DHCP events with their original times.
//!
//! ```text
//! file(s), folder of generations -> declarations -> head | appended -> events -> engine's messages
//!                                                     rewrites, bytes
//! ```
//!
//! A generation of the file begins with the *head*: the whole database, as the server wrote it when it last rewrote the
//! file. It is followed by one record for each commit. Only these records are events. If the previous generation is
//! known, the head ends with the last record that repeats a record of it. Otherwise, the head is the longest prefix of
//! the file in the order in which `write_leases4` of dhcpd's server/mdb.c writes leases.
//!
//! | journal | event |
//! |---|---|
//! | active, and no client or another client had the address | grant |
//! | active again for the same client | renewal |
//! | free, with an earlier end than before | release |
//! | free at its end, or expired | expiry |
//! | abandoned, while a client had it | decline |
//! | abandoned, while no client had it | abandoned (another host answered a ping) |
//! | free or active after abandoned | reclaim, and a grant |

mod generations;
mod history;
mod replay;
mod site_events;
mod split;
mod stimuli;

pub use generations::{Generation, generations};
pub use history::{SiteHistory, WriteCost, from_journal};
pub use replay::{message, server_of, workload};
pub use site_events::{SiteClient, SiteEvent, SiteEventKind};
pub use stimuli::stimuli;
