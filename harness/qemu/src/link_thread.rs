//! Serves the clients' end of the link to a guest in a thread, so that clients answer ARP requests at any time, not only
//! while the harness waits for a reply.

use std::io;
use std::net::{IpAddr, Shutdown};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use socket2::Socket;

use packets::link::{Datagram, Link, UdpEndpoints};

/// A link that is served by a thread. Dropping it closes the link.
#[derive(Debug)]
pub(super) struct LinkThread {
    link: Arc<Mutex<Link>>,
    datagrams: Receiver<Datagram>,
    socket: Socket,
    closed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl LinkThread {
    /// Serves a socket each of whose messages is one frame.
    ///
    /// # Errors
    /// When the socket cannot be duplicated.
    pub(super) fn new(socket: Socket) -> io::Result<Self> {
        let link = Arc::new(Mutex::new(Link::from_socket(socket.try_clone()?)?));
        let (send, datagrams) = channel();
        let closed = Arc::new(AtomicBool::new(false));
        let serve = Serve {
            link: Arc::clone(&link),
            closed: Arc::clone(&closed),
            socket: socket.try_clone()?,
            datagrams: send,
        };
        let thread = thread::spawn(move || serve.run());
        Ok(Self { link, datagrams, socket, closed, thread: Some(thread) })
    }

    /// From now on, answers requests for `address` with `mac`.
    pub(super) fn add_host(&self, address: IpAddr, mac: [u8; 6]) {
        lock(&self.link).add_host(address, mac);
    }

    /// Sends a UDP datagram. Discards the datagrams that were received before.
    ///
    /// # Errors
    /// When the other end is closed.
    pub(super) fn send(&self, endpoints: &UdpEndpoints, payload: &[u8]) -> io::Result<()> {
        for _ in self.datagrams.try_iter() {}
        lock(&self.link).send(endpoints, payload)
    }

    /// The next UDP datagram of the guest; `None` if there is none within `limit`.
    ///
    /// # Errors
    /// When the link is closed.
    pub(super) fn receive(&self, limit: Duration) -> io::Result<Option<Datagram>> {
        match self.datagrams.recv_timeout(limit) {
            Ok(datagram) => Ok(Some(datagram)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Drop for LinkThread {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        // Wakes the thread. If that fails, the thread has already ended.
        _ = self.socket.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

fn lock(link: &Mutex<Link>) -> MutexGuard<'_, Link> {
    link.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the thread needs.
struct Serve {
    link: Arc<Mutex<Link>>,
    closed: Arc<AtomicBool>,
    socket: Socket,
    datagrams: Sender<Datagram>,
}

impl Serve {
    fn run(self) {
        loop {
            match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return,
            }
            if self.closed.load(Ordering::Relaxed) {
                return;
            }
            let Ok(datagrams) = lock(&self.link).receive() else { return };
            for datagram in datagrams {
                if self.datagrams.send(datagram).is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use socket2::{Domain, Type};

    use super::*;

    const CLIENT: [u8; 6] = [2, 0xaa, 0, 0, 0, 1];
    const ROUTER: [u8; 6] = [2, 0, 0, 0, 0, 1];

    #[test]
    fn arp_requests_are_answered_while_no_datagram_is_awaited() {
        let (ours, guest) = Socket::pair(Domain::UNIX, Type::DGRAM, None).expect("two sockets");
        let link = LinkThread::new(ours).expect("a thread");
        link.add_host(IpAddr::V4(Ipv4Addr::new(192, 168, 1, 123)), CLIENT);
        let request = [
            &[0xff; 6][..],
            &ROUTER,
            &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
            &ROUTER,
            &[192, 168, 1, 1],
            &[0; 6],
            &[192, 168, 1, 123],
        ]
        .concat();
        guest.send(&request).expect("a frame");
        let mut answer = [0; 64];
        let length = io::Read::read(&mut &guest, &mut answer).expect("an answer");
        assert_eq!(answer[..12], [ROUTER, CLIENT].concat());
        assert_eq!(answer[20..28], [&[0, 2][..], &CLIENT].concat());
        assert_eq!((length, &answer[28..32]), (42, &[192, 168, 1, 123][..]));
    }
}
