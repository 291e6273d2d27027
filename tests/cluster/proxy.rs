//! A proxy between a replica and the API server, in either direction: it delays, holds back or cuts what goes through it.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Result;

/// How often a stalled connection looks whether it may go on.
const LOOK: Duration = Duration::from_millis(50);

/// A running proxy; its threads end with the process.
#[derive(Clone)]
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    streams: Mutex<Vec<TcpStream>>,
    /// Connections made before this one's number swallow everything.
    stalled_before: AtomicU64,
    next: AtomicU64,
    quality: Mutex<Quality>,
    /// How many chunks have been passed on, in both directions.
    chunks: AtomicU64,
}

/// How a network passes on bytes. TCP hides a lost packet: its bytes arrive when it was sent again.
#[derive(Clone, Copy, Default)]
pub(crate) struct Quality {
    /// The time from one end to the other.
    pub(crate) delay: Duration,
    /// Of so many chunks, one is lost once, and sent again after Linux' shortest timeout; 0: none is lost.
    pub(crate) lost_of: u64,
}

/// The shortest time after which Linux sends a packet again.
const RETRANSMISSION: Duration = Duration::from_millis(200);

impl Proxy {
    /// Listens at `address` and hands everything on to `to`.
    pub(crate) fn start(address: SocketAddr, to: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address)?;
        let proxy = Self {
            address: listener.local_addr()?,
            shared: Arc::new(Shared {
                streams: Mutex::default(),
                stalled_before: AtomicU64::new(0),
                next: AtomicU64::new(0),
                quality: Mutex::default(),
                chunks: AtomicU64::new(0),
            }),
        };
        let shared = Arc::clone(&proxy.shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let number = shared.next.fetch_add(1, Ordering::SeqCst);
                // Where the server is away, the client's connection ends at once, as without a proxy.
                if let Ok(server) = TcpStream::connect(to) {
                    let _ = shared.join(number, &client, &server);
                }
            }
        });
        Ok(proxy)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection.
    pub(crate) fn close_all(&self) {
        for stream in self.shared.streams().drain(..) {
            let _ = stream.shutdown(Shutdown::Both); // it may be closed already
        }
    }

    /// Drops all further bytes of the open connections, in both directions, and keeps the connections open. New connections
    /// work.
    pub(crate) fn silence_open_connections(&self) {
        let next = self.shared.next.load(Ordering::SeqCst);
        self.shared.stalled_before.store(next, Ordering::SeqCst);
    }

    /// Drops all further bytes of every connection, of new ones too, and keeps the connections open.
    pub(crate) fn silence_all_connections(&self) {
        self.shared.stalled_before.store(u64::MAX, Ordering::SeqCst);
    }

    /// Passes on everything again, what was held back first.
    pub(crate) fn resume(&self) {
        self.shared.stalled_before.store(0, Ordering::SeqCst);
    }

    /// Changes how bytes are passed on.
    pub(crate) fn set(&self, quality: Quality) {
        *self.shared.quality() = quality;
    }
}

impl Shared {
    fn join(self: &Arc<Self>, number: u64, client: &TcpStream, server: &TcpStream) -> Result<()> {
        self.streams()
            .extend([client.try_clone()?, server.try_clone()?]);
        for (from, to) in [(client, server), (server, client)] {
            let (shared, mut from, mut to) = (Arc::clone(self), from.try_clone()?, to.try_clone()?);
            thread::spawn(move || {
                let mut buffer = [0; 16 * 1024];
                while let Ok(read @ 1..) = from.read(&mut buffer) {
                    while number < shared.stalled_before.load(Ordering::SeqCst) {
                        thread::sleep(LOOK);
                    }
                    thread::sleep(shared.duration_of_chunk());
                    if to.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(Shutdown::Write);
            });
        }
        Ok(())
    }

    /// How long the next chunk is under way.
    fn duration_of_chunk(&self) -> Duration {
        let Quality { delay, lost_of } = *self.quality();
        let number = self.chunks.fetch_add(1, Ordering::Relaxed);
        let is_lost = lost_of > 0 && number.is_multiple_of(lost_of);
        if is_lost {
            delay + RETRANSMISSION
        } else {
            delay
        }
    }

    fn quality(&self) -> MutexGuard<'_, Quality> {
        self.quality.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn streams(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
