//! Connections: how many, how long one may take to say what it wants, and how they end.
//!
//! axum's own loop sets no timer, so a client that sends its headers a byte a minute would hold a connection
//! for ever; this one is hyper's HTTP/1 with bounds.

use super::{App, router};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// From a connection's start, or its last answer, to the end of the next request's headers.
const HEADERS: Duration = Duration::from_secs(30);
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// How long requests may go on after the wish to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until `stop` is done, then lets requests finish, for a while.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()>) {
    let slots = Arc::new(Semaphore::new(app.limits.connections));
    let router = router(app);
    let (stopping, watcher) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        // With all slots taken, newcomers wait in the system's backlog.
        let accepted = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, listener.accept().await)
        };
        tokio::select! {
            () = &mut stop => break,
            (slot, accepted) = accepted => match accepted {
                Ok((stream, _)) => {
                    let connection = connection(stream, router.clone(), watcher.clone());
                    tokio::spawn(async move {
                        let _slot = slot;
                        connection.await;
                    });
                }
                // Out of file descriptors, most often: others must close first.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    drop((listener, watcher));
    tracing::info!("stopping: waiting for requests that are under way");
    stopping.send_replace(());
    if tokio::time::timeout(GRACE, stopping.closed()).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
}

async fn connection(stream: TcpStream, router: Router, mut stopping: watch::Receiver<()>) {
    // Answers are small and the client waits for them.
    let _ = stream.set_nodelay(true);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_BYTES);
    let mut connection =
        pin!(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    // Errors are the client's: it left, or did not speak HTTP. They may quote what it sent, so no log.
    tokio::select! {
        _ = &mut connection => return,
        _ = stopping.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
