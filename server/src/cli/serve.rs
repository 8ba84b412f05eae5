//! `bonafide serve`: the daemon.

use super::Error;
use crate::access::{CODE_LIFE, FirstToken};
use crate::config::Config;
use crate::engine::{Engine, EngineOptions};
use crate::http::{App, serve};
use crate::model::adapter::AdapterArgs;
use crate::model::compute::Compute;
use crate::paths::Paths;
use crate::signatures::Signatures;
use crate::watermark;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal;
use tracing_subscriber::EnvFilter;

/// Serve REST and a web page to this machine alone.
///
/// The settings are in config.toml in bonafide's config folder; options here go before it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Loopback address and port to listen on; port 0 takes any free one [default: 127.0.0.1:8017]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// A model's name, or a GGUF file
    #[arg(long, value_name = "NAME|FILE")]
    model: Option<String>,
    #[command(flatten)]
    compute: Compute,
    /// A calibration file instead of the one built in
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    #[command(flatten)]
    adapter: AdapterArgs,
}

pub(super) fn run(args: Args) -> Result<(), Error> {
    let paths = Paths::from_env()?;
    let mut config = Config::load(&paths.config)?;
    config.listen = args.listen.unwrap_or(config.listen);
    config.check()?;
    let options = EngineOptions {
        model: args.model.or_else(|| config.model.clone()),
        compute: args.compute.or(config.compute()),
        adapter: args.adapter.choice(config.adapter),
        calibration: args.calibration.or_else(|| config.calibration.clone()),
        observer: config.observer.clone(),
        watermarks: watermark::configured(&paths)?,
    };
    log_to_stderr();
    hush_panics();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(daemon(&paths, &config, options));
    // A download or a forward pass that still runs must not hold the process.
    runtime.shutdown_timeout(Duration::from_millis(100));
    done
}

async fn daemon(paths: &Paths, config: &Config, options: EngineOptions) -> Result<(), Error> {
    let listener =
        TcpListener::bind(config.listen).await.map_err(|error| cannot_listen(config.listen, &error))?;
    let signatures = Arc::new(Signatures::new(paths, true));
    let app = Arc::new(App::new(listener.local_addr()?, config, &paths.config)?.with_desk(signatures));
    greet(&app, listener.local_addr()?)?;

    let (loading, loaded) = tokio::sync::oneshot::channel();
    let of_loader = Arc::clone(&app);
    tokio::task::spawn_blocking(move || {
        // Nobody listens any more if the daemon is stopping.
        let _ = loading.send(load(&of_loader, &options));
    });
    let (failed, failure) = tokio::sync::oneshot::channel();
    let stop = async {
        let stop = stop_signal();
        tokio::pin!(stop);
        tokio::select! {
            () = &mut stop => {}
            outcome = loaded => match outcome {
                Ok(Ok(())) => stop.await,
                Ok(Err(error)) => { let _ = failed.send(error); }
                Err(_) => { let _ = failed.send("loading the model failed".into()); }
            }
        }
    };
    serve(listener, app, stop).await;
    failure.await.map_or(Ok(()), Err)
}

fn load(app: &App, options: &EngineOptions) -> Result<(), Error> {
    let engine = Engine::load(options)?;
    for problem in engine.watermarks().problems() {
        anstream::eprintln!("warning: {problem}");
    }
    let name = engine.model().name;
    let rate = rate(&engine);
    app.load(Arc::new(engine), rate)?;
    anstream::eprintln!("model {name} is loaded: ready");
    Ok(())
}

/// Tokens a second, seen on a short text: the queue promises times from its first caller on.
fn rate(engine: &Engine) -> Option<f64> {
    const TEXT: &str =
        "The river was high that spring, and the old bridge had been closed since the new year. ";
    let plan = engine.plan(&TEXT.repeat(6)).ok()?;
    let window = plan.windows.first()?;
    // The first pass touches all of the model's memory and is no measure.
    engine.score_windows(&[window]).ok()?;
    let started = Instant::now();
    engine.score_windows(&[window]).ok()?;
    Some(window.tokens.len() as f64 / started.elapsed().as_secs_f64().max(1e-3))
}

fn greet(app: &App, address: SocketAddr) -> Result<(), Error> {
    let first = app.tokens().ensure_first()?;
    let token = app.tokens().first_token_path();
    anstream::println!("bonafide {} listens on http://{address}", env!("CARGO_PKG_VERSION"));
    let minutes = CODE_LIFE.as_secs() / 60;
    anstream::println!("open {} (works once, within {minutes} minutes)", app.make_link()?);
    match first {
        FirstToken::Made => anstream::println!("a token for programs is in {}", token.display()),
        FirstToken::Was if token.exists() => {
            anstream::println!("the token for programs is in {}", token.display());
        }
        FirstToken::Was => anstream::println!("`bonafide token list` names the tokens for programs"),
    }
    Ok(())
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Error {
    let fix = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            ": another program has this port, perhaps a bonafide that runs already; choose another with --listen"
        }
        std::io::ErrorKind::PermissionDenied => ": choose a port above 1023 with --listen",
        _ => "",
    };
    format!("can't listen on {address} ({error}){fix}").into()
}

/// Done at the first SIGINT or SIGTERM; a second one ends the process at once.
async fn stop_signal() {
    one_signal().await;
    tokio::spawn(async {
        one_signal().await;
        std::process::exit(130);
    });
}

#[cfg(unix)]
async fn one_signal() {
    use signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else {
        let _ = signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
}

#[cfg(not(unix))]
async fn one_signal() {
    let _ = signal::ctrl_c().await;
}

fn log_to_stderr() {
    let filter =
        EnvFilter::try_from_env("BONAFIDE_LOG").unwrap_or_else(|_| EnvFilter::new("bonafide=info,warn"));
    // An error means that a log is set up already.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// A panic's message may quote the text that was being read; its place in the program never does.
fn hush_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "the program panicked");
    }));
}
