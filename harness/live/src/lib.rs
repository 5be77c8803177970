//! A back end that runs a real dnsmasq. dnsmasq runs in its own namespaces, receives packets from simulated clients, and
//! reads a clock that the harness sets.
//!
//! The dnsmasq model runs in parallel and predicts each script call. The actual calls are compared with the predictions.
//! dnsmasq's helper process starts the script proxy ([`script_proxy`]) instead of the script under test. The proxy sends
//! the arguments and environment of the call to the harness, waits for the programs that the harness sends, and runs them
//! as children, so that the script is a descendant of dnsmasq as on a router.

mod binary;
mod event_loop;
mod network;
mod router;
pub mod script_proxy;

pub use binary::{Binaries, Binary, find, inspect};
pub use network::enter;
pub use router::{Live, LiveSettings, unsupported_option};
