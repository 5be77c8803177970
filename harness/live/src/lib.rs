//! A live dnsmasq: the real program in namespaces of its own, real packets of emulated clients, and a clock that the
//! laboratory moves.
//!
//! The engine still runs beside it: it predicts each call of the script, and what comes is held against that. The
//! script under test runs where dnsmasq starts it, below dnsmasq's own helper process; a script_proxy in between tells the
//! laboratory what it was called with, and waits for its turn.

mod binary;
mod event_loop;
mod network;
mod router;
pub mod script_proxy;

pub use binary::{Binaries, Binary, examine, find};
pub use network::enter;
pub use router::{Live, LiveSettings};
