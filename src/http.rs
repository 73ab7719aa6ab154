//! The door to the street: REST over the gate.
//!
//! Handlers read what came, ask the gate, and show what it answers; they judge nothing. Every
//! error is a problem (RFC 9457), every time is shown in the jurisdiction's zone, every id of an
//! instance is opaque.

mod account;
mod alarm;
mod audit;
mod bounds;
mod caller;
mod catalogue;
mod change;
mod channel;
mod client;
mod contact;
mod definition;
mod directory;
mod document;
mod doubles;
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

use futures_util::future::{join_all, try_join_all};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};

use crate::gate::Gate;
use crate::identity::Provider;
use bounds::Heavy;
use meter::Meter;
use metrics::Traffic;
use route::Face;
use throttle::Throttle;

pub use crate::gate::PublicIds;
pub use bounds::Limits;
pub use post::{Declined, Postbox, Postboxes, Posted};
pub use rehearsal::shown as rehearsal_shown;
pub use route::{demands, heavy, managed, routes};

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
    /// The places of heavy requests.
    heavy: web::Data<Heavy>,
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
    /// How long is waited for what, and how many heavy requests are answered at once.
    pub limits: Limits,
    /// Where those who run the service ask, `127.0.0.1:8111`; none: where everybody does.
    pub management: Option<String>,
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
            limits: Limits::default(),
            management: None,
            provider: None,
            postboxes: Postboxes::new(),
        }
    }
}

/// A service that listens.
pub struct Server {
    address: SocketAddr,
    management: Option<SocketAddr>,
    running: Vec<actix_web::dev::Server>,
    stopper: Stopper,
}

/// Stops a server from elsewhere. Cheap to clone.
#[derive(Clone)]
pub struct Stopper {
    handles: Vec<ServerHandle>,
    closing: Arc<tokio::sync::watch::Sender<bool>>,
}

/// Why an address cannot be listened at.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Deaf {
    /// Whether it is that of management.
    pub management: bool,
    /// What the system says.
    pub error: io::Error,
}

impl Server {
    /// Listens at `address` (port 0: any free one). Must be called within a tokio runtime. Signals
    /// are left to the caller.
    ///
    /// # Errors
    /// When an address cannot be listened at.
    pub fn bind(address: impl ToSocketAddrs, gate: Gate, options: Options) -> Result<Self, Deaf> {
        let (closing, watched) = tokio::sync::watch::channel(false);
        let ids = gate.public_ids();
        let traffic = Traffic::default();
        let guesses = Throttle::default();
        let Options { workers, per_second, trusted, tls, strict, provider, postboxes, .. } =
            options;
        let (limits, management) = (options.limits, options.management);
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
            heavy: web::Data::new(Heavy::new(limits.heavy_at_once)),
        });
        let face = if management.is_some() { Face::Public } else { Face::Whole };
        let deaf = |management| move |error| Deaf { management, error };
        let first = listen(address, (&house, face, limits), workers.max(1), tls.clone());
        let (address, first) = first.map_err(deaf(false))?;
        let mut running = vec![first];
        let mut apart = None;
        if let Some(address) = management {
            let house = (&house, Face::Management, limits);
            let (address, second) = listen(address, house, 1, tls).map_err(deaf(true))?;
            running.push(second);
            apart = Some(address);
        }
        let handles = running.iter().map(actix_web::dev::Server::handle).collect();
        let stopper = Stopper { handles, closing: Arc::new(closing) };
        Ok(Self { address, management: apart, running, stopper })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for those who run it, if that is elsewhere.
    #[must_use]
    pub fn management_addr(&self) -> Option<SocketAddr> {
        self.management
    }

    /// What stops it.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// When the system takes a listener away.
    pub async fn run(self) -> io::Result<()> {
        try_join_all(self.running).await.map(drop)
    }
}

/// Listens at one address; answers which it is.
fn listen(
    address: impl ToSocketAddrs,
    (house, face, limits): (&web::Data<House>, Face, Limits),
    workers: usize,
    tls: Option<rustls::ServerConfig>,
) -> io::Result<(SocketAddr, actix_web::dev::Server)> {
    let served = house.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(served.clone())
            .app_data(limits)
            .app_data(served.heavy.clone())
            .app_data(web::PayloadConfig::new(receive::BODY_MAX))
            .configure(|config| route::configure(config, face))
            .default_service(web::to(route::nowhere))
            .wrap(actix_web::middleware::from_fn(watch::watched))
    });
    let server = server
        .workers(workers)
        .client_request_timeout(limits.head)
        .client_disconnect_timeout(limits.head)
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
    Ok((address, server.run()))
}

impl Stopper {
    /// Takes no new connections, ends streams of changes, waits for requests under way (at most
    /// 30 seconds), and returns when the server has stopped.
    pub async fn stop(&self) {
        // Fails only when no worker is left to tell.
        self.closing.send_replace(true);
        join_all(self.handles.iter().map(|handle| handle.stop(true))).await;
    }
}
