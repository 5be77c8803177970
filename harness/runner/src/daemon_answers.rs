//! A real dnsmasq as the server of a client's exchange.

use std::net::Ipv4Addr;

use super::exchange::Answers;
use backend::{BackendError, Daemon};
use dnsmasq_model::{
    Client4, Client6, Clock, Ia, IaKind, Kind4, Kind6, Renewal6, Reply4, Reply6, Return6,
};

/// Sends a client's messages to a real dnsmasq.
pub(super) struct DaemonAnswers<'a> {
    daemon: &'a mut dyn Daemon,
    clock: Clock,
    error: Option<BackendError>,
}

impl<'a> DaemonAnswers<'a> {
    pub(super) fn new(daemon: &'a mut dyn Daemon, clock: Clock) -> Self {
        Self { daemon, clock, error: None }
    }

    /// The first error of the daemon, if there was one: the answers after it mean nothing.
    pub(super) fn finish(self) -> Result<(), BackendError> {
        self.error.map_or(Ok(()), Err)
    }

    fn message6(&mut self, kind: Kind6, client: &Client6, asked: &[Ia]) -> Reply6 {
        let reply = self.daemon.message6(kind, client, asked, self.clock);
        reply.unwrap_or_else(|error| {
            self.error.get_or_insert(error);
            Reply6::Silent
        })
    }
}

impl Answers for DaemonAnswers<'_> {
    fn message4(&mut self, kind: Kind4, client: &Client4, addr: Ipv4Addr) -> Reply4 {
        let reply = self.daemon.message4(kind, client, addr, self.clock);
        reply.unwrap_or_else(|error| {
            self.error.get_or_insert(error);
            Reply4::Silent
        })
    }

    fn join6(&mut self, client: &Client6, kind: IaKind, iaid: u32) -> Reply6 {
        let wanted = Ia { kind, iaid, addrs: Vec::new(), valid: 0 };
        match self.message6(Kind6::Solicit, client, &[wanted]) {
            Reply6::Reply(mut offered) if !offered.is_empty() => {
                for ia in &mut offered {
                    // The client leaves the time to the server.
                    ia.valid = 0;
                }
                self.message6(Kind6::Request, client, &offered)
            }
            other => other,
        }
    }

    fn renew6(&mut self, client: &Client6, renewal: Renewal6, asked: &[Ia]) -> Reply6 {
        self.message6(renewal.into(), client, asked)
    }

    fn server_duid(&self) -> Vec<u8> {
        // dnsmasq itself compares the DUID in a message with its own.
        Vec::new()
    }

    fn release6(&mut self, client: &Client6, message: Return6, asked: &[Ia]) -> Reply6 {
        match self.message6(message.into(), client, asked) {
            // The answer gives no address.
            Reply6::Reply(_) => Reply6::Reply(Vec::new()),
            other => other,
        }
    }
}
