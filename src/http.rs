//! The door to the street: REST over the gate.
//!
//! Handlers read what came, ask the gate, and show what it answers; they judge nothing. Every
//! error is a problem (RFC 9457), every time is shown in the jurisdiction's zone, every id of an
//! instance is opaque.

mod alarm;
mod audit;
mod caller;
mod change;
mod channel;
mod contact;
mod definition;
mod directory;
mod document;
mod due;
mod filter;
mod history;
mod instance;
mod link;
mod message;
mod metrics;
mod mute;
mod names;
mod page;
mod post;
mod problem;
mod receive;
mod recount;
mod rehearsal;
mod request_id;
mod roster;
mod route;
mod subscription;
mod suggest;
mod template;
mod throttle;
mod token;
mod view;
mod watch;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};

use crate::gate::Gate;
use metrics::Traffic;
use throttle::Throttle;

pub use crate::gate::PublicIds;
pub use post::{Declined, Postbox, Postboxes, Posted};
pub use rehearsal::shown as rehearsal_shown;
pub use route::routes;

/// The head of a request must be here within this time.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// A connection is kept open for the next request so long.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Requests under way are waited for so many seconds when the house is left.
const SHUTDOWN_SECONDS: u64 = 30;

/// Everything that handlers need.
struct House {
    gate: Gate,
    ids: PublicIds,
    traffic: Traffic,
    /// Where gateways post to.
    postboxes: Postboxes,
    /// Who guesses links and proofs.
    guesses: Throttle,
    closing: tokio::sync::watch::Receiver<bool>,
}

/// A service that listens.
pub struct Server {
    address: SocketAddr,
    running: actix_web::dev::Server,
    stopper: Stopper,
}

/// Stops a server from elsewhere. Cheap to clone.
#[derive(Clone)]
pub struct Stopper {
    handle: ServerHandle,
    closing: Arc<tokio::sync::watch::Sender<bool>>,
}

impl Server {
    /// Listens at `address` (port 0: any free one) with `workers` threads. Must be called within a
    /// tokio runtime. Signals are left to the caller.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    pub fn bind(address: impl ToSocketAddrs, gate: Gate, workers: usize) -> io::Result<Self> {
        Self::with_post(address, gate, workers, Postboxes::new())
    }

    /// The same, and takes what gateways post for their channels.
    ///
    /// # Errors
    /// As for [`Server::bind`].
    pub fn with_post(
        address: impl ToSocketAddrs,
        gate: Gate,
        workers: usize,
        postboxes: Postboxes,
    ) -> io::Result<Self> {
        let (closing, watched) = tokio::sync::watch::channel(false);
        let ids = gate.public_ids();
        let traffic = Traffic::default();
        let guesses = Throttle::default();
        let house = House { gate, ids, traffic, postboxes, guesses, closing: watched };
        let house = web::Data::new(house);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(house.clone())
                .app_data(web::PayloadConfig::new(receive::BODY_MAX))
                .configure(route::configure)
                .default_service(web::to(route::nowhere))
                .wrap(actix_web::middleware::from_fn(watch::watched))
        });
        let server = server
            .workers(workers.max(1))
            .client_request_timeout(HEAD_TIME)
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(SHUTDOWN_SECONDS)
            .disable_signals()
            .bind(address)?;
        let address = server.addrs().first().copied();
        let address = address.ok_or_else(|| io::Error::other("nothing is listened at"))?;
        let running = server.run();
        let stopper = Stopper { handle: running.handle(), closing: Arc::new(closing) };
        Ok(Self { address, running, stopper })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What stops it.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// When the system takes the listener away.
    pub async fn run(self) -> io::Result<()> {
        self.running.await
    }
}

impl Stopper {
    /// Takes no new connections, ends streams of changes, waits for requests under way (at most
    /// 30 seconds), and returns when the server has stopped.
    pub async fn stop(&self) {
        // Fails only when no worker is left to tell.
        self.closing.send_replace(true);
        self.handle.stop(true).await;
    }
}
