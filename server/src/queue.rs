//! Work that waits for the model: windows of many callers, packed into one forward pass after another.
//!
//! One thread owns the model's time. Each time it is free it takes from every caller in turn (deficit-free
//! round robin: one window, then more while they fit a quantum) until a batch's token budget is full, so a
//! short text never waits for the whole of a book, only for its share of each pass. What goes into a batch is
//! chosen at the last moment rather than one batch ahead: choosing costs microseconds and an early choice
//! would make a newcomer wait a pass longer and would keep work whose caller has already gone.
//!
//! Overload is answered at once: a newcomer is turned away if what stands before it, shared fairly, takes
//! longer than `max_wait`, or if it would not be done within `patience`. Those who wait have no say in it: a
//! long text that could keep short ones out until its own end would be the starvation that turns prevent.

use crate::engine::{EngineError, Window};
use bonafide_kernels::backend::TokenStats;
use prometheus_client::metrics::{counter::Counter, gauge::Gauge, histogram::Histogram};
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// What the queue feeds: anything that scores windows in one pass.
pub trait Scorer: Send + Sync + 'static {
    /// One list of statistics a window, in order.
    fn score(&self, windows: &[&Window]) -> Result<Vec<Vec<TokenStats>>, EngineError>;
}

/// Windows by text.
pub type Work = Vec<Vec<Window>>;

/// Statistics by text, by window, by token: the shape of what was submitted.
pub type Scores = Vec<Vec<Vec<TokenStats>>>;

/// How much may wait, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueueLimits {
    /// Tokens in one forward pass: room for a full window and some short texts. A window longer than this gets a pass of its own.
    pub batch_tokens: usize,
    /// Tokens that a caller may take in its turn beyond its first window.
    pub quantum_tokens: usize,
    /// Callers that may wait at once.
    pub max_callers: usize,
    /// Tokens that may wait at once.
    pub max_tokens: usize,
    /// How long a newcomer may have to wait for others.
    pub max_wait: Duration,
    /// How long a caller may take from its arrival to its answer.
    pub patience: Duration,
    /// Tokens a second to count with until the first batch has been timed.
    pub assumed_rate: f64,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            batch_tokens: 1280,
            quantum_tokens: 256,
            max_callers: 256,
            max_tokens: 262_144,
            max_wait: Duration::from_secs(20),
            patience: Duration::from_secs(96),
            assumed_rate: 200.0,
        }
    }
}

/// Why work did not get its answer from the queue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// Too much is waiting.
    #[error("too much is waiting for the model; try again in {} s", retry_after.as_secs())]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// Even alone it would take too long on this machine.
    #[error("scoring this would take about {} s, and at most {} s are allowed", takes.as_secs(), allowed.as_secs())]
    TooLong {
        /// Expected time.
        takes: Duration,
        /// Time that a request may take.
        allowed: Duration,
    },
    /// The queue has stopped.
    #[error("the program is stopping")]
    Stopped,
    /// The scorer said no.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The scorer panicked, or its answer has the wrong shape.
    #[error("the scorer failed: {0}")]
    Broken(&'static str),
}

/// What the queue tells Prometheus.
#[derive(Debug, Clone)]
pub struct QueueMetrics {
    /// Forward passes.
    pub batches: Counter,
    /// Tokens scored.
    pub tokens: Counter,
    /// Callers that had gone before their work was done.
    pub abandoned: Counter,
    /// Callers turned away.
    pub refused: Counter,
    /// Tokens waiting.
    pub waiting_tokens: Gauge,
    /// Callers waiting.
    pub waiting_callers: Gauge,
    /// Tokens a batch.
    pub batch_tokens: Histogram,
    /// Callers a batch.
    pub batch_callers: Histogram,
    /// Seconds a batch.
    pub batch_seconds: Histogram,
}

impl Default for QueueMetrics {
    fn default() -> Self {
        let powers = |from: u32, to: u32| (from..=to).map(|power| f64::from(1_u32 << power));
        Self {
            batches: Counter::default(),
            tokens: Counter::default(),
            abandoned: Counter::default(),
            refused: Counter::default(),
            waiting_tokens: Gauge::default(),
            waiting_callers: Gauge::default(),
            batch_tokens: Histogram::new(powers(4, 12)),
            batch_callers: Histogram::new(powers(0, 6)),
            batch_seconds: Histogram::new([0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0]),
        }
    }
}

/// The queue; its thread ends when it is dropped.
#[derive(Debug)]
pub struct Queue {
    shared: Arc<Shared>,
}

/// A place in the queue. Dropping it takes the work out.
#[derive(Debug)]
pub struct Ticket(oneshot::Receiver<Result<Scores, QueueError>>);

impl Ticket {
    /// Waits for the answer.
    pub async fn wait(self) -> Result<Scores, QueueError> {
        self.0.await.unwrap_or(Err(QueueError::Stopped))
    }
}

impl Queue {
    /// Starts the queue's thread.
    pub fn start(
        scorer: Arc<dyn Scorer>,
        limits: QueueLimits,
        metrics: QueueMetrics,
    ) -> std::io::Result<Self> {
        let state = State { rate: None, ..State::default() };
        let shared = Arc::new(Shared { state: Mutex::new(state), wake: Condvar::new(), limits, metrics });
        let of_thread = Arc::clone(&shared);
        std::thread::Builder::new().name("scorer".into()).spawn(move || of_thread.work(scorer.as_ref()))?;
        Ok(Self { shared })
    }

    /// Queues all windows of some texts. Answers at once if there is no room.
    pub fn submit(&self, work: Work) -> Result<Ticket, QueueError> {
        let (answer, ticket) = oneshot::channel();
        let caller = Caller::new(work, answer);
        let mut state = self.shared.lock();
        if state.stopping {
            return Err(QueueError::Stopped);
        }
        if caller.pending.is_empty() {
            caller.finish();
            return Ok(Ticket(ticket));
        }
        self.admit(&mut state, caller.waiting)?;
        let id = state.next_id;
        state.next_id += 1;
        state.callers.insert(id, caller);
        state.ring.push_back(id);
        self.shared.gauge(&state);
        drop(state);
        self.shared.wake.notify_one();
        Ok(Ticket(ticket))
    }

    /// Whether work of about so many tokens would be let in now: lets a caller skip the tokenizer.
    pub fn has_room(&self, tokens: usize) -> Result<(), QueueError> {
        self.admit(&mut self.shared.lock(), tokens)
    }

    fn admit(&self, state: &mut State, tokens: usize) -> Result<(), QueueError> {
        let admitted = state.admit(tokens, &self.shared.limits).or_else(|first| {
            // Those who have gone take no more room, but are only noticed when their turn comes.
            let gone = state.drop_gone();
            self.shared.metrics.abandoned.inc_by(gone);
            if gone == 0 { Err(first) } else { state.admit(tokens, &self.shared.limits) }
        });
        if admitted.is_err() {
            self.shared.metrics.refused.inc();
        }
        admitted
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.wake.notify_all();
    }
}

#[derive(Debug)]
struct Caller {
    work: Arc<Work>,
    /// (text, window) not yet in a batch.
    pending: VecDeque<(usize, usize)>,
    /// Tokens of `pending`.
    waiting: usize,
    /// Windows that have no scores yet, in a batch or not.
    open: usize,
    scores: Scores,
    answer: oneshot::Sender<Result<Scores, QueueError>>,
}

impl Caller {
    fn new(work: Work, answer: oneshot::Sender<Result<Scores, QueueError>>) -> Self {
        let pending: VecDeque<_> = work
            .iter()
            .enumerate()
            .flat_map(|(text, windows)| (0..windows.len()).map(move |window| (text, window)))
            .collect();
        let waiting = work.iter().flatten().map(cost).sum();
        let scores = work.iter().map(|windows| vec![Vec::new(); windows.len()]).collect();
        let work = Arc::new(work);
        Self { open: pending.len(), pending, waiting, scores, work, answer }
    }

    fn finish(self) {
        // The receiver may have gone in this very moment; nobody is left to be told.
        let _ = self.answer.send(Ok(self.scores));
    }
}

/// A window of one caller in a batch.
#[derive(Debug)]
struct Piece {
    caller: u64,
    work: Arc<Work>,
    text: usize,
    window: usize,
}

impl Piece {
    fn window(&self) -> &Window {
        &self.work[self.text][self.window]
    }
}

/// What a window costs; an empty one still takes a slot.
fn cost(window: &Window) -> usize {
    window.tokens.len().max(1)
}

#[derive(Debug, Default)]
struct State {
    callers: HashMap<u64, Caller>,
    /// Callers that have windows pending, next turn first.
    ring: VecDeque<u64>,
    next_id: u64,
    in_flight: usize,
    /// Tokens a second, measured, smoothed.
    rate: Option<f64>,
    stopping: bool,
}

impl State {
    fn waiting(&self) -> usize {
        self.callers.values().map(|caller| caller.waiting).sum()
    }

    /// Tokens that are scored before work of `tokens` is done if everyone gets the same share, without itself.
    fn before(&self, tokens: usize) -> usize {
        self.in_flight + self.callers.values().map(|caller| caller.waiting.min(tokens)).sum::<usize>()
    }

    fn admit(&self, tokens: usize, limits: &QueueLimits) -> Result<(), QueueError> {
        let rate = self.rate.unwrap_or(limits.assumed_rate).max(1.0);
        let seconds = |tokens: usize| Duration::from_secs_f64(tokens as f64 / rate);
        let alone = seconds(tokens);
        if self.rate.is_some() && alone > limits.patience {
            return Err(QueueError::TooLong { takes: alone, allowed: limits.patience });
        }
        if self.callers.is_empty() {
            return Ok(());
        }
        let wait = seconds(self.before(tokens));
        let full = self.callers.len() >= limits.max_callers || self.waiting() + tokens > limits.max_tokens;
        if full || wait > limits.max_wait || wait + alone > limits.patience {
            let excess = wait.saturating_sub(limits.max_wait).as_secs();
            return Err(QueueError::Overloaded { retry_after: Duration::from_secs(excess.clamp(1, 60)) });
        }
        Ok(())
    }

    /// Takes out those whose ticket was dropped, and counts them.
    fn drop_gone(&mut self) -> u64 {
        let before = self.callers.len();
        self.callers.retain(|_, caller| !caller.answer.is_closed());
        self.ring.retain(|id| self.callers.contains_key(id));
        (before - self.callers.len()) as u64
    }

    fn next_batch(&mut self, limits: &QueueLimits) -> Vec<Piece> {
        let mut batch = Vec::new();
        let mut used = 0;
        while let Some(id) = self.ring.pop_front() {
            let Some(caller) = self.callers.get_mut(&id) else { continue };
            let mut turn = 0;
            while let Some(&(text, window)) = caller.pending.front() {
                let tokens = cost(&caller.work[text][window]);
                if turn > 0 && turn + tokens > limits.quantum_tokens {
                    break;
                }
                if !batch.is_empty() && used + tokens > limits.batch_tokens {
                    if turn == 0 {
                        // It had nothing yet: it opens the next batch.
                        self.ring.push_front(id);
                    } else {
                        self.ring.push_back(id);
                    }
                    return self.taken(batch, used);
                }
                caller.pending.pop_front();
                caller.waiting -= tokens;
                batch.push(Piece { caller: id, work: Arc::clone(&caller.work), text, window });
                used += tokens;
                turn += tokens;
            }
            if !caller.pending.is_empty() {
                self.ring.push_back(id);
            }
        }
        self.taken(batch, used)
    }

    fn taken(&mut self, batch: Vec<Piece>, used: usize) -> Vec<Piece> {
        self.in_flight = used;
        batch
    }

    fn time(&mut self, tokens: usize, took: Duration) {
        // Tiny batches say nothing about the rate: their fixed cost dominates.
        if tokens >= 16 {
            let now = tokens as f64 / took.as_secs_f64().max(1e-6);
            self.rate = Some(self.rate.map_or(now, |rate| 0.7 * rate + 0.3 * now));
        }
    }

    fn store(&mut self, piece: &Piece, stats: Vec<TokenStats>) {
        let Some(caller) = self.callers.get_mut(&piece.caller) else { return };
        caller.scores[piece.text][piece.window] = stats;
        caller.open -= 1;
        if caller.open == 0
            && let Some(caller) = self.callers.remove(&piece.caller)
        {
            caller.finish();
        }
    }

    fn fail(&mut self, caller: u64, error: QueueError) {
        self.ring.retain(|id| *id != caller);
        if let Some(caller) = self.callers.remove(&caller) {
            let _ = caller.answer.send(Err(error));
        }
    }
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    limits: QueueLimits,
    metrics: QueueMetrics,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs between related changes, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gauge(&self, state: &State) {
        self.metrics.waiting_callers.set(state.callers.len() as i64);
        self.metrics.waiting_tokens.set(state.waiting() as i64);
    }

    fn work(&self, scorer: &dyn Scorer) {
        while let Some(batch) = self.wait_for_batch() {
            let tokens: usize = batch.iter().map(|piece| cost(piece.window())).sum();
            let started = Instant::now();
            let outcomes = score(scorer, &batch);
            let took = started.elapsed();
            let mut state = self.lock();
            state.in_flight = 0;
            if outcomes.iter().all(|outcome| outcome.result.is_ok()) {
                state.time(tokens, took);
            }
            self.observe(tokens, outcomes.len(), took);
            for Outcome { caller, pieces, result } in outcomes {
                match result {
                    Ok(scores) => {
                        pieces.iter().zip(scores).for_each(|(piece, stats)| state.store(piece, stats));
                    }
                    Err(error) => state.fail(caller, error),
                }
            }
            self.gauge(&state);
        }
    }

    fn observe(&self, tokens: usize, callers: usize, took: Duration) {
        self.metrics.batches.inc();
        self.metrics.tokens.inc_by(tokens as u64);
        self.metrics.batch_tokens.observe(tokens as f64);
        self.metrics.batch_callers.observe(callers as f64);
        self.metrics.batch_seconds.observe(took.as_secs_f64());
    }

    fn wait_for_batch(&self) -> Option<Vec<Piece>> {
        let mut state = self.lock();
        loop {
            if state.stopping {
                state.ring.clear();
                state.callers.clear();
                return None;
            }
            self.metrics.abandoned.inc_by(state.drop_gone());
            let batch = state.next_batch(&self.limits);
            if !batch.is_empty() {
                return Some(batch);
            }
            self.gauge(&state);
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// One caller's part of a batch, scored or not.
struct Outcome<'a> {
    caller: u64,
    pieces: Vec<&'a Piece>,
    result: Result<Vec<Vec<TokenStats>>, QueueError>,
}

/// Scores a batch in one pass; if that fails, each caller's part by itself, so that only the one whose text
/// brings the scorer down gets the error.
fn score<'a>(scorer: &dyn Scorer, batch: &'a [Piece]) -> Vec<Outcome<'a>> {
    let mut order: Vec<u64> = Vec::new();
    let mut parts: HashMap<u64, Vec<&Piece>> = HashMap::new();
    for piece in batch {
        parts.entry(piece.caller).or_insert_with(|| {
            order.push(piece.caller);
            Vec::new()
        });
        if let Some(part) = parts.get_mut(&piece.caller) {
            part.push(piece);
        }
    }
    let mut parts: Vec<_> =
        order.into_iter().filter_map(|id| parts.remove(&id).map(|part| (id, part))).collect();
    if parts.len() > 1 {
        let together: Vec<&Piece> = parts.iter().flat_map(|(_, part)| part.iter().copied()).collect();
        if let Ok(scores) = score_once(scorer, &together) {
            let mut scores = scores.into_iter();
            return parts
                .into_iter()
                .map(|(caller, pieces)| {
                    let result = Ok(scores.by_ref().take(pieces.len()).collect());
                    Outcome { caller, pieces, result }
                })
                .collect();
        }
    }
    parts
        .drain(..)
        .map(|(caller, pieces)| Outcome { caller, result: score_once(scorer, &pieces), pieces })
        .collect()
}

fn score_once(scorer: &dyn Scorer, pieces: &[&Piece]) -> Result<Vec<Vec<TokenStats>>, QueueError> {
    let windows: Vec<&Window> = pieces.iter().map(|piece| piece.window()).collect();
    let scores = catch_unwind(AssertUnwindSafe(|| scorer.score(&windows)))
        .map_err(|_| QueueError::Broken("it panicked"))??;
    if scores.len() == windows.len() {
        Ok(scores)
    } else {
        Err(QueueError::Broken("it did not answer for every window"))
    }
}

#[cfg(test)]
mod tests;
