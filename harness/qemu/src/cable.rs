//! The cable in front of a guest. A thread keeps it, so that clients answer ARP whenever the guest asks, and not
//! only while somebody waits for an answer.

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

use packets::wire::{Datagram, Envelope, Wire};

/// A cable with clients at one end. Dropped, it is pulled out.
#[derive(Debug)]
pub(super) struct Cable {
    wire: Arc<Mutex<Wire>>,
    datagrams: Receiver<Datagram>,
    socket: Socket,
    pulled: Arc<AtomicBool>,
    keeper: Option<JoinHandle<()>>,
}

impl Cable {
    /// Over a socket whose messages are frames.
    ///
    /// # Errors
    /// When the socket cannot be shared with the thread.
    pub(super) fn new(socket: Socket) -> io::Result<Self> {
        let wire = Arc::new(Mutex::new(Wire::over(socket.try_clone()?)?));
        let (send, datagrams) = channel();
        let pulled = Arc::new(AtomicBool::new(false));
        let (own, told, eyes) = (Arc::clone(&wire), Arc::clone(&pulled), socket.try_clone()?);
        let keeper = thread::spawn(move || keep(&own, &told, &eyes, &send));
        Ok(Self { wire, datagrams, socket, pulled, keeper: Some(keeper) })
    }

    /// Somebody answers for this address from now on.
    pub(super) fn own(&self, address: IpAddr, mac: [u8; 6]) {
        lock(&self.wire).own(address, mac);
    }

    /// Sends a UDP packet; what came before it is forgotten.
    ///
    /// # Errors
    /// When nobody is at the other end.
    pub(super) fn send(&self, envelope: &Envelope, payload: &[u8]) -> io::Result<()> {
        for _ in self.datagrams.try_iter() {}
        lock(&self.wire).send(envelope, payload)
    }

    /// The next UDP packet of the guest; `None`: none came for so long.
    ///
    /// # Errors
    /// When the cable has gone.
    pub(super) fn receive(&self, limit: Duration) -> io::Result<Option<Datagram>> {
        match self.datagrams.recv_timeout(limit) {
            Ok(datagram) => Ok(Some(datagram)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.pulled.store(true, Ordering::Relaxed);
        // Wakes the keeper. A socket that refuses has no keeper any more.
        _ = self.socket.shutdown(Shutdown::Both);
        if let Some(keeper) = self.keeper.take() {
            _ = keeper.join();
        }
    }
}

fn lock(wire: &Mutex<Wire>) -> MutexGuard<'_, Wire> {
    wire.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep(wire: &Mutex<Wire>, pulled: &AtomicBool, eyes: &Socket, send: &Sender<Datagram>) {
    loop {
        match poll(&mut [PollFd::new(eyes, PollFlags::IN)], None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        if pulled.load(Ordering::Relaxed) {
            return;
        }
        let Ok(datagrams) = lock(wire).receive() else { return };
        for datagram in datagrams {
            if send.send(datagram).is_err() {
                return;
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

    /// A guest asks for a client's hardware address while nobody waits for anything.
    #[test]
    fn arp_is_answered_whenever_it_comes() {
        let (ours, guest) = Socket::pair(Domain::UNIX, Type::DGRAM, None).expect("two sockets");
        let cable = Cable::new(ours).expect("a cable");
        cable.own(IpAddr::V4(Ipv4Addr::new(192, 168, 1, 123)), CLIENT);
        let question = [
            &[0xff; 6][..],
            &ROUTER,
            &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
            &ROUTER,
            &[192, 168, 1, 1],
            &[0; 6],
            &[192, 168, 1, 123],
        ]
        .concat();
        guest.send(&question).expect("a frame");
        let mut answer = [0; 64];
        guest.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
        let length = io::Read::read(&mut &guest, &mut answer).expect("an answer");
        assert_eq!(answer[..12], [ROUTER, CLIENT].concat());
        assert_eq!(answer[20..28], [&[0, 2][..], &CLIENT].concat());
        assert_eq!((length, &answer[28..32]), (42, &[192, 168, 1, 123][..]));
    }
}
