//! What `/metrics` tells, in OpenMetrics text.

use super::App;
use crate::queue::QueueMetrics;
use bonafide_core::verdict::Verdict;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// The content type of OpenMetrics text.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabel {
    verdict: &'static str,
}

/// All counters, and the registry that names them.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabel, Histogram>,
    blocks: Family<VerdictLabel, Counter>,
    cache_bytes: Gauge,
    cache_reports: Gauge,
    resident: Gauge,
    ready: Gauge,
    /// Requests whose caller left before the answer.
    pub(super) gone: Counter,
    /// Blocks answered from the cache.
    pub(super) cache_hits: Counter,
    /// Blocks that had to be scored.
    pub(super) cache_misses: Counter,
    /// What the queue counts.
    pub(super) queue: QueueMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds = || Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0]);
        let mut metrics = Self {
            registry: Registry::with_prefix("bonafide"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            blocks: Family::default(),
            cache_bytes: Gauge::default(),
            cache_reports: Gauge::default(),
            resident: Gauge::default(),
            ready: Gauge::default(),
            gone: Counter::default(),
            cache_hits: Counter::default(),
            cache_misses: Counter::default(),
            queue: QueueMetrics::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("requests", "Requests answered", self.requests.clone());
        registry.register_with_unit("request", "Time to the answer", Unit::Seconds, self.seconds.clone());
        registry.register("requests_gone", "Requests whose caller left before the answer", self.gone.clone());
        registry.register("blocks", "Blocks judged, by verdict", self.blocks.clone());
        registry.register("cache_hits", "Blocks answered from the cache", self.cache_hits.clone());
        registry.register("cache_misses", "Blocks that had to be scored", self.cache_misses.clone());
        registry.register_with_unit("cache", "Reports held, about", Unit::Bytes, self.cache_bytes.clone());
        registry.register("cache_reports", "Reports held", self.cache_reports.clone());
        registry.register_with_unit("resident_memory", "Resident memory", Unit::Bytes, self.resident.clone());
        registry.register("model_ready", "1 once the model is loaded", self.ready.clone());
        let queue = registry.sub_registry_with_prefix("queue");
        queue.register("batches", "Forward passes", self.queue.batches.clone());
        queue.register("tokens", "Tokens scored", self.queue.tokens.clone());
        queue.register("abandoned", "Callers gone before their work was done", self.queue.abandoned.clone());
        queue.register("refused", "Callers turned away", self.queue.refused.clone());
        queue.register("waiting_tokens", "Tokens waiting", self.queue.waiting_tokens.clone());
        queue.register("waiting_callers", "Callers waiting", self.queue.waiting_callers.clone());
        queue.register("batch_tokens", "Tokens a forward pass", self.queue.batch_tokens.clone());
        queue.register("batch_callers", "Callers a forward pass", self.queue.batch_callers.clone());
        let seconds = self.queue.batch_seconds.clone();
        queue.register_with_unit("batch", "Time of a forward pass", Unit::Seconds, seconds);
    }

    pub(super) fn request(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let route = route.to_owned();
        self.requests.get_or_create(&RequestLabels { method, route: route.clone(), status }).inc();
        self.seconds.get_or_create(&RouteLabel { route }).observe(took.as_secs_f64());
    }

    pub(super) fn block(&self, verdict: Verdict) {
        let verdict = match verdict {
            Verdict::HumanSigned => "human_signed",
            Verdict::LikelyHuman => "likely_human",
            Verdict::Unclear => "unclear",
            Verdict::Mixed => "mixed",
            Verdict::LikelyAi => "likely_ai",
            Verdict::DeclaredAi => "declared_ai",
        };
        self.blocks.get_or_create(&VerdictLabel { verdict }).inc();
    }
}

/// All values as they are now.
pub(super) fn text(app: &App) -> Result<String, std::fmt::Error> {
    let metrics = &app.metrics;
    metrics.cache_bytes.set(app.cache.bytes() as i64);
    metrics.cache_reports.set(app.cache.len() as i64);
    metrics.resident.set(resident_bytes().unwrap_or(0));
    metrics.ready.set(i64::from(app.ready.get().is_some()));
    let mut buffer = String::new();
    text::encode(&mut buffer, &metrics.registry)?;
    Ok(buffer)
}

/// Linux tells it in kilobytes; elsewhere there is no such file and the gauge stays 0.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
