//! REST on loopback, and the web page. The only module that knows HTTP and JSON shapes.

mod auth;
mod body;
mod desk;
mod docs;
mod drain;
mod error;
mod facts;
mod guard;
mod judge;
mod keys;
mod metrics;
mod observe;
mod page;
mod pair;
mod routes;
mod scam;
mod score;
mod server;
mod sign;
mod verify;
mod waiting;

pub use desk::{Desk, Source, Trouble};
pub use error::{ApiError, ErrorBody, Failure};
pub use facts::{FactsOfKey, FactsReply, FactsRequest, KeyOfStatement};
pub use guard::Names;
pub use judge::{Judge, Planned};
pub use pair::{
    AnswerRequest, EndReply, PairReply, PairRequest, PairState, PairStateRequest, PairStatus, PairingReply,
    PairingRequest,
};
pub use routes::{
    API, Health, Link, LinkReply, ModelReply, ModelsReply, SessionReply, SessionRequest, StatusReply,
    StatusRequest,
};
pub use scam::{ScamRequest, SettingInput, TurnInput};
pub use score::{BlockInput, BlockReply, ScoreReply, ScoreRequest};
pub use server::serve;
pub use sign::{
    ConfirmRequest, RefuseRequest, SignReply, SignRequest, SignState, SignStatus, SignStatusRequest,
    WaitingReply, WaitingRequest,
};
pub use verify::VerifyRequest;

use crate::access::{Links, Pairings, Scope, Sessions, TokenStore};
use crate::cache::Cache;
use crate::config::{Config, Limits};
use crate::paths::Paths;
use crate::queue::{Queue, Scorer};
use crate::signatures::Signatures;
use axum::Router;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use bonafide_core::verdict::{CalibrationIdentity, ModelIdentity};
use metrics::Metrics;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use waiting::Waiting;

/// KiB of bodies that may be read or parsed at once.
const BODY_BUDGET_KIB: usize = 64 * 1024;
/// Texts whose signatures are checked or made at once.
const DESKS: usize = 8;

/// All that requests share.
pub struct App {
    names: Names,
    extensions: Vec<HeaderValue>,
    limits: Limits,
    tokens: TokenStore,
    links: Links,
    sessions: Sessions,
    pairings: Pairings,
    cache: Cache,
    metrics: Metrics,
    body_budget: Semaphore,
    /// Parsing, tokenising and judging at once: more than the cores would only take memory.
    cpu: Arc<Semaphore>,
    ready: OnceLock<Ready>,
    desk: Arc<dyn Desk>,
    /// Checking and preparing signatures at once.
    desks: Arc<Semaphore>,
    waiting: Waiting,
    started: Instant,
}

/// What there is once the model is loaded.
struct Ready {
    judge: Arc<dyn Judge>,
    queue: Queue,
    model: ModelIdentity,
    calibrations: Vec<CalibrationIdentity>,
    /// Model, calibrations and version in one string: what a cached report depends on.
    identity: String,
}

impl App {
    /// The state of a daemon at a bound address, without its model. Its signatures stay in the config folder and
    /// away from the network, until [`App::with_desk`] gives it others.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn new(address: SocketAddr, config: &Config, config_folder: &Path) -> Result<Self, getrandom::Error> {
        let origins = config.allowed_extension_origins.iter();
        let paths = Paths {
            config: config_folder.to_owned(),
            cache: config_folder.join("cache"),
            data: config_folder.join("data"),
        };
        Ok(Self {
            names: Names::of(address),
            extensions: origins.filter_map(|origin| HeaderValue::from_str(origin).ok()).collect(),
            limits: config.limits,
            tokens: TokenStore::new(config_folder),
            links: Links::default(),
            sessions: Sessions::default(),
            pairings: Pairings::default(),
            cache: Cache::new(config.limits.cache_mib * 1024 * 1024)?,
            metrics: Metrics::default(),
            body_budget: Semaphore::new(BODY_BUDGET_KIB.max(config.limits.body_bytes.div_ceil(1024))),
            cpu: Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from))),
            ready: OnceLock::new(),
            desk: Arc::new(Signatures::new(&paths, false)),
            desks: Arc::new(Semaphore::new(DESKS)),
            waiting: Waiting::default(),
            started: Instant::now(),
        })
    }

    /// The same, with other signatures.
    #[must_use]
    pub fn with_desk(self, desk: Arc<dyn Desk>) -> Self {
        Self { desk, ..self }
    }

    /// Gives the daemon its model; from now on it scores. A second call changes nothing. `rate` is how many
    /// tokens a second the model has been seen to score, if it has.
    ///
    /// # Errors
    /// If the queue's thread can't be started.
    pub fn load<J: Judge>(&self, judge: Arc<J>, rate: Option<f64>) -> std::io::Result<()> {
        let (model, calibrations) = (judge.model(), judge.calibrations());
        let mut identity = vec![model.sha256.as_str(), &model.backend, env!("CARGO_PKG_VERSION")];
        identity.extend(calibrations.iter().map(|calibration| calibration.version.as_str()));
        let identity = identity.join("\n");
        let scorer: Arc<dyn Scorer> = Arc::<J>::clone(&judge);
        let mut limits = self.limits.queue();
        limits.assumed_rate = rate.unwrap_or(limits.assumed_rate);
        limits.batch_tokens = limits.batch_tokens.max(judge.batch_tokens());
        let queue = Queue::start(scorer, limits, self.metrics.queue.clone())?;
        // The loser of a race drops its queue, which ends its thread.
        let _ = self.ready.set(Ready { judge, queue, model, calibrations, identity });
        Ok(())
    }

    /// The access tokens.
    #[must_use]
    pub fn tokens(&self) -> &TokenStore {
        &self.tokens
    }

    /// Makes the address of a link to the web page that works once.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn make_link(&self) -> Result<String, getrandom::Error> {
        let code = self.links.make(Instant::now())?;
        Ok(format!("{}/?k={code}", self.names.base()))
    }

    fn ready(&self) -> Result<&Ready, ApiError> {
        self.ready.get().ok_or_else(|| {
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "loading", "the model is still being loaded")
                .retry_after(2)
        })
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "bonafide",
        description = "Who made this text? Scores text with a local language model; nothing leaves the machine."
    ),
    tags(
        (name = "score", description = "Texts in, verdicts with their evidence out."),
        (name = "scam", description = "Chats in, how dangerous they are out."),
        (name = "signatures", description = "Statements of authors about their texts: checked and made."),
        (name = "pairing", description = "How browser extensions get in."),
        (name = "daemon", description = "The daemon itself.")
    )
)]
struct Description;

/// All routes, and their description.
fn routes(app: &Arc<App>) -> (Router<Arc<App>>, utoipa::openapi::OpenApi) {
    let with = |scope: Scope| from_fn_with_state((Arc::clone(app), scope), auth::require);
    let score = OpenApiRouter::new()
        .routes(routes!(score::score))
        .routes(routes!(scam::scam))
        .routes(routes!(routes::models))
        .routes(routes!(routes::status))
        .routes(routes!(verify::verify))
        .routes(routes!(keys::keys))
        .routes(routes!(facts::facts))
        .routes(routes!(pair::end))
        .route_layer(with(Scope::Score));
    let metrics = OpenApiRouter::new().routes(routes!(routes::metrics)).route_layer(with(Scope::Metrics));
    let admin = OpenApiRouter::new().routes(routes!(routes::link)).route_layer(with(Scope::Admin));
    let sign = OpenApiRouter::new()
        .routes(routes!(sign::request))
        .routes(routes!(sign::status, sign::status_by_post))
        .route_layer(with(Scope::Sign));
    let page = OpenApiRouter::new()
        .routes(routes!(sign::list))
        .routes(routes!(sign::confirm))
        .routes(routes!(sign::refuse))
        .route_layer(from_fn_with_state(Arc::clone(app), auth::require_page));
    let pairing = OpenApiRouter::new()
        .routes(routes!(pair::list))
        .routes(routes!(pair::confirm))
        .routes(routes!(pair::refuse))
        .route_layer(from_fn_with_state(Arc::clone(app), auth::require_page_or_admin));
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(routes::health))
        .routes(routes!(routes::session))
        .routes(routes!(pair::ask))
        .routes(routes!(pair::state))
        .merge(score)
        .merge(metrics)
        .merge(admin)
        .merge(sign)
        .merge(page)
        .merge(pairing)
        .split_for_parts()
}

/// The whole service.
pub fn router(app: Arc<App>) -> Router {
    let (routes, mut description) = routes(&app);
    docs::add_security(&mut description);
    routes
        .merge(docs::routes(&description, &app))
        .merge(page::routes())
        .fallback(routes::not_found)
        .method_not_allowed_fallback(routes::method_not_allowed)
        .layer(from_fn(drain::drain))
        .layer(from_fn_with_state(Arc::clone(&app), guard::guard))
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(from_fn_with_state(Arc::clone(&app), observe::observe))
        .with_state(app)
}

#[cfg(test)]
mod tests;
