//! Threads that go through a forward pass together.
//!
//! A pass has hundreds of short steps, each over pieces that are independent of one another. Handing every step
//! to a thread pool would cost more than some of the steps; instead all workers run the whole pass and meet at
//! one barrier a step. Each worker begins with its own share of a step's pieces, in all steps the same share, so that
//! the rows it works on stay in its caches; who is done takes pieces from the others, so that a core that the system
//! has taken away for a moment holds nobody up for longer than one piece.

use crate::backend::{BackendError, OperationTime};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What a step does, for the table of where the time goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Embed,
    Norm,
    QueryKeyValue,
    Rotary,
    Attention,
    AttentionOutput,
    GateUp,
    Down,
    Head,
    Pool,
}

impl Operation {
    const ALL: [Self; 10] = [
        Self::Embed,
        Self::Norm,
        Self::QueryKeyValue,
        Self::Rotary,
        Self::Attention,
        Self::AttentionOutput,
        Self::GateUp,
        Self::Down,
        Self::Head,
        Self::Pool,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Embed => "embedding",
            Self::Norm => "norms, quantising",
            Self::QueryKeyValue => "query, key, value",
            Self::Rotary => "rotary",
            Self::Attention => "attention",
            Self::AttentionOutput => "attention output",
            Self::GateUp => "gate, up, activation",
            Self::Down => "down",
            Self::Head => "head and statistics",
            Self::Pool => "pooled hidden states",
        }
    }
}

/// A fixed number of threads.
pub(crate) struct Team {
    pool: rayon::ThreadPool,
    /// Two passes at once would each wait for workers that the other holds.
    turn: Mutex<()>,
    times: [AtomicU64; Operation::ALL.len()],
}

/// One thread's view of a pass.
pub(crate) struct Worker<'a> {
    pub(crate) index: usize,
    workers: usize,
    meeting: &'a Meeting,
    times: &'a [AtomicU64; Operation::ALL.len()],
}

struct Meeting {
    arrived: AtomicUsize,
    round: AtomicUsize,
    /// How many pieces of each worker's share are taken.
    taken: Vec<Taken>,
    broken: AtomicBool,
}

/// On a cache line of its own.
#[derive(Default)]
#[repr(align(128))]
struct Taken(AtomicUsize);

/// Another worker has panicked.
struct Broken;

impl Team {
    pub(crate) fn new(threads: usize) -> Result<Self, BackendError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(|index| format!("score-{index}"))
            .build()
            .map_err(|error| BackendError::Device(format!("no threads for arithmetic: {error}")))?;
        Ok(Self { pool, turn: Mutex::new(()), times: Default::default() })
    }

    pub(crate) fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Runs a pass: `work` once on each thread. All of them must take the same steps in the same order.
    pub(crate) fn run(&self, work: impl Fn(&Worker<'_>) + Sync) -> Result<(), BackendError> {
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let meeting = Meeting {
            arrived: AtomicUsize::new(0),
            round: AtomicUsize::new(0),
            taken: std::iter::repeat_with(Taken::default).take(self.threads()).collect(),
            broken: AtomicBool::new(false),
        };
        self.pool.broadcast(|context| {
            let worker = Worker {
                index: context.index(),
                workers: context.num_threads(),
                meeting: &meeting,
                times: &self.times,
            };
            if catch_unwind(AssertUnwindSafe(|| work(&worker))).is_err() {
                meeting.broken.store(true, Ordering::Release);
            }
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            super::product::amx::off();
        });
        if meeting.broken.load(Ordering::Acquire) {
            return Err(BackendError::Forward("a worker failed".to_owned()));
        }
        Ok(())
    }

    /// Time spent so far in each operation, as the first worker saw it.
    pub(crate) fn times(&self) -> Vec<OperationTime> {
        Operation::ALL
            .iter()
            .zip(&self.times)
            .map(|(operation, time)| OperationTime {
                name: operation.name(),
                time: Duration::from_nanos(time.load(Ordering::Relaxed)),
            })
            .collect()
    }
}

impl Worker<'_> {
    pub(crate) fn workers(&self) -> usize {
        self.workers
    }

    /// Does `piece` for every number below `pieces`, shared out among the workers; returns when all are done.
    pub(crate) fn each(&self, operation: Operation, pieces: usize, mut piece: impl FnMut(usize)) {
        let start = (self.index == 0).then(Instant::now);
        for share in (self.index..self.workers).chain(0..self.index) {
            let (first, end) = (pieces * share / self.workers, pieces * (share + 1) / self.workers);
            loop {
                let at = first + self.meeting.taken[share].0.fetch_add(1, Ordering::Relaxed);
                if at >= end {
                    break;
                }
                piece(at);
            }
        }
        self.meet();
        if let Some(start) = start {
            let nanoseconds = start.elapsed().as_nanos() as u64;
            self.times[operation as usize].fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }

    fn meet(&self) {
        // A worker waits for microseconds as a rule; longer if the system took a core away.
        const SPINS: u32 = 1_000;
        let meeting = self.meeting;
        let round = meeting.round.load(Ordering::Acquire);
        if meeting.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.workers {
            meeting.arrived.store(0, Ordering::Relaxed);
            for taken in &meeting.taken {
                taken.0.store(0, Ordering::Relaxed);
            }
            meeting.round.store(round + 1, Ordering::Release);
            return;
        }
        let mut spins = 0;
        while meeting.round.load(Ordering::Acquire) == round {
            if meeting.broken.load(Ordering::Acquire) {
                // Without the panic hook: the first worker's panic has been told already.
                resume_unwind(Box::new(Broken));
            }
            spins += 1;
            if spins < SPINS {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn every_piece_is_done_once_and_steps_follow_one_another() {
        let team = Team::new(3).unwrap();
        let counts: Vec<AtomicUsize> = (0..100).map(|_| AtomicUsize::new(0)).collect();
        team.run(|worker| {
            for step in 0..50 {
                worker.each(Operation::Norm, counts.len(), |piece| {
                    assert_eq!(counts[piece].fetch_add(1, Ordering::Relaxed), step);
                });
            }
        })
        .unwrap();
        assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 50));
        assert!(team.times()[Operation::Norm as usize].time > Duration::ZERO);
    }

    #[test]
    fn a_panic_ends_the_pass_for_all() {
        let team = Team::new(2).unwrap();
        let failed = team.run(|worker| {
            worker.each(Operation::Norm, 8, |piece| assert!(piece < 7, "on purpose"));
            worker.each(Operation::Norm, 8, |_| {});
        });
        assert!(failed.is_err());
        assert!(team.run(|worker| worker.each(Operation::Norm, 1, |_| {})).is_ok());
    }
}
