//! The door to the street: REST over the gate.
//!
//! Handlers read what came, ask the gate, and show what it answers; they judge nothing. Every
//! error is a problem (RFC 9457), every time is shown in the jurisdiction's zone, every id of an
//! instance is opaque.

mod account;
mod alarm;
mod audit;
mod caller;
mod catalogue;
mod change;
mod channel;
mod client;
mod contact;
mod definition;
mod directory;
mod document;
mod due;
mod file;
mod filter;
mod history;
mod instance;
mod intake;
mod json;
mod link;
mod login;
mod message;
mod meter;
mod metrics;
mod mute;
mod names;
mod page;
mod person;
mod post;
mod problem;
mod proposal;
mod provider;
mod receive;
mod recount;
mod rehearsal;
mod request_id;
mod returns;
mod reveal;
mod roster;
mod route;
mod spoken;
mod spot;
mod style;
mod subscription;
mod suggest;
mod teaching;
mod template;
mod throttle;
mod token;
mod view;
mod watch;

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};

use crate::gate::Gate;
use crate::identity::Provider;
use meter::Meter;
use metrics::Traffic;
use throttle::Throttle;

pub use crate::gate::PublicIds;
pub use post::{Declined, Postbox, Postboxes, Posted};
pub use rehearsal::shown as rehearsal_shown;
pub use route::{demands, routes};

/// The head of a request must be here within this time.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// A connection is kept open for the next request so long.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Requests under way are waited for so many seconds when the house is left.
const SHUTDOWN_SECONDS: u64 = 30;

/// So many connections each thread keeps at a time; more wait.
const CONNECTIONS: usize = 4096;

/// So many passwords are compared at a time.
const SLOW_AT_ONCE: usize = 4;

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
    /// How often somebody may ask.
    meter: Meter,
    /// Proxies whose word about the client is believed.
    trusted: Vec<IpAddr>,
    /// Whether people reach it by TLS only.
    strict: bool,
    /// Where people may sign in besides.
    provider: Option<Arc<Provider>>,
    /// Passwords are compared a few at a time, so that a storm of sign-ins takes neither all the
    /// memory nor all the threads.
    slow: tokio::sync::Semaphore,
}

/// How a server is set up.
#[derive(Clone)]
pub struct Options {
    /// Threads that answer; at least one.
    pub workers: usize,
    /// Requests that one person may make in a second; 0: as many as come.
    pub per_second: u32,
    /// Proxies whose word about the client is believed.
    pub trusted: Vec<IpAddr>,
    /// With which certificate; none: in clear text.
    pub tls: Option<rustls::ServerConfig>,
    /// Whether people reach it by TLS only: browsers are told to remember that.
    pub strict: bool,
    /// The head of a request must be here within this time.
    pub head_time: Duration,
    /// Where people may sign in besides.
    pub provider: Option<Arc<Provider>>,
    /// Where gateways post to.
    pub postboxes: Postboxes,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: 1,
            per_second: 0,
            trusted: Vec::new(),
            tls: None,
            strict: false,
            head_time: HEAD_TIME,
            provider: None,
            postboxes: Postboxes::new(),
        }
    }
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
    /// Listens at `address` (port 0: any free one). Must be called within a tokio runtime. Signals
    /// are left to the caller.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    pub fn bind(address: impl ToSocketAddrs, gate: Gate, options: Options) -> io::Result<Self> {
        let (closing, watched) = tokio::sync::watch::channel(false);
        let ids = gate.public_ids();
        let traffic = Traffic::default();
        let guesses = Throttle::default();
        let Options { workers, per_second, trusted, tls, strict, head_time, provider, postboxes } =
            options;
        let house = web::Data::new(House {
            gate,
            ids,
            traffic,
            postboxes,
            guesses,
            closing: watched,
            meter: Meter::new(per_second),
            trusted,
            strict,
            provider,
            slow: tokio::sync::Semaphore::new(SLOW_AT_ONCE),
        });
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
            .client_request_timeout(head_time)
            .client_disconnect_timeout(head_time)
            .max_connections(CONNECTIONS)
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(SHUTDOWN_SECONDS)
            .disable_signals();
        let server = match tls {
            Some(tls) => server.bind_rustls_0_23(address, tls)?,
            None => server.bind(address)?,
        };
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
