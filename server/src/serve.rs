//! Listening: from a socket to its routes, until told to stop.

mod patience;
mod unreadable;

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use self::patience::PatientStream;
use self::unreadable::ExplainingStream;
use crate::gateway::Gateway;
use crate::routes::Routes;

/// A connection without a request is closed after this long, and so is one whose request's head is
/// not there by then.
const IDLE: Duration = Duration::from_secs(75);
/// While draining, a connection on which nothing is being answered is closed after this long.
const DRAIN_GRACE: Duration = Duration::from_millis(500);
/// After a failed accept, usually for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How listeners are told to end.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// No new connections and requests; those under way go on.
    drain: CancellationToken,
    /// No more patience.
    abort: CancellationToken,
    connections: TaskTracker,
}

impl Stop {
    /// Lets what is under way finish, for as long as `patience`. Returns whether all of it did.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.drain.cancel();
        self.connections.close();
        if tokio::time::timeout(patience, self.connections.wait())
            .await
            .is_ok()
        {
            return true;
        }
        self.abort.cancel();
        self.connections.wait().await;
        false
    }
}

/// What a listener serves, and how patiently.
#[derive(Clone, Debug)]
pub struct Service {
    pub routes: Routes,
    /// Whose operator may have paths of its own.
    pub gateway: Option<Arc<Gateway>>,
    /// More connections wait to be accepted.
    pub max_connections: usize,
    /// A client that takes nothing of its answer for this long is cut off.
    pub write_timeout: Duration,
}

/// The connection that a request came over: an extension of every request.
#[derive(Clone, Debug)]
pub struct ClientConnection {
    pub address: IpAddr,
    /// Whoever answers the request keeps this until the answer is out.
    pub in_service: Arc<()>,
}

/// Accepts connections for a service, until `stop` says otherwise.
pub async fn serve(listener: TcpListener, service: Service, stop: Stop) {
    let mut draining = pin!(stop.drain.cancelled());
    let places = Arc::new(Semaphore::new(
        service.max_connections.min(Semaphore::MAX_PERMITS),
    ));
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = &mut draining => return,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut draining => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = connection(stream, peer, service.clone(), stop.clone());
                stop.connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::error!(%error, "Could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, service: Service, stop: Stop) {
    // A small write must not wait for the client's acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "The client was gone before it was served");
        return;
    }
    let client = ClientConnection {
        address: peer.ip(),
        in_service: Arc::default(),
    };
    let in_service = client.in_service.clone();
    let routes = service.routes;
    let gateway = service.gateway;
    let told = gateway.clone().map(|gateway| (gateway, peer.ip()));
    let answer = service_fn(move |mut request| {
        // Before routing, which goes by the path.
        if let Some(gateway) = &gateway {
            gateway.policies().own_paths.redirect(&mut request);
        }
        answer(routes.clone(), client.clone(), request)
    });
    let stream = PatientStream::new(stream, service.write_timeout);
    let stream = TokioIo::new(ExplainingStream::new(stream, told));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(stream, answer);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.drain.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                // Half a request's head, perhaps, but nothing that is being answered.
                () = idle(&in_service) => return,
                () = stop.abort.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "A client's connection broke");
    }
}

/// Returns when no request has been in service for a while.
async fn idle(in_service: &Arc<()>) {
    loop {
        tokio::time::sleep(DRAIN_GRACE).await;
        // One is the connection's own, one its service's.
        if Arc::strong_count(in_service) <= 2 {
            return;
        }
    }
}

fn answer(
    mut routes: Routes,
    client: ClientConnection,
    mut request: http::Request<Incoming>,
) -> impl Future<Output = Result<Response, Infallible>> {
    request.extensions_mut().insert(client);
    // They are always ready.
    routes.call(request.map(Body::new))
}
