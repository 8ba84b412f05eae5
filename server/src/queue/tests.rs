#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::sync::mpsc;

/// A token of this value makes the pass that holds it fail.
const POISON: u32 = 666;
/// And of this value: panic.
const BOMB: u32 = 667;

/// Shows every pass to the test and waits for its leave; each token's statistics carry its id as rank.
struct Gate {
    seen: Mutex<mpsc::Sender<Vec<Vec<u32>>>>,
    leave: Mutex<mpsc::Receiver<()>>,
}

impl Scorer for Gate {
    fn score(&self, windows: &[&Window]) -> Result<Vec<Vec<TokenStats>>, EngineError> {
        self.seen.lock().unwrap().send(windows.iter().map(|window| window.tokens.clone()).collect()).unwrap();
        self.leave.lock().unwrap().recv().map_err(|_| EngineError::Tokenize("the test is over".into()))?;
        let has = |token| windows.iter().any(|window| window.tokens.contains(&token));
        assert!(!has(BOMB), "a bomb");
        if has(POISON) {
            return Err(EngineError::Tokenize("poison".into()));
        }
        let stats = |token: &u32| TokenStats { rank: *token, ..TokenStats::default() };
        Ok(windows.iter().map(|window| window.tokens.iter().map(stats).collect()).collect())
    }
}

struct Bench {
    queue: Queue,
    seen: mpsc::Receiver<Vec<Vec<u32>>>,
    leave: mpsc::Sender<()>,
    metrics: QueueMetrics,
}

fn bench(limits: QueueLimits) -> Bench {
    let (seen_to, seen) = mpsc::channel();
    let (leave, leave_from) = mpsc::channel();
    let gate = Gate { seen: Mutex::new(seen_to), leave: Mutex::new(leave_from) };
    let metrics = QueueMetrics::default();
    let queue = Queue::start(Arc::new(gate), limits, metrics.clone()).unwrap();
    Bench { queue, seen, leave, metrics }
}

impl Bench {
    /// Submits one text with windows of the given tokens.
    fn submit(&self, windows: &[&[u32]]) -> Result<Ticket, QueueError> {
        self.queue.submit(vec![text(windows)])
    }

    /// The next pass, which is still running.
    fn pass(&self) -> Vec<Vec<u32>> {
        self.seen.recv_timeout(Duration::from_secs(10)).expect("a pass")
    }

    /// Puts a caller of one token in the scorer's hands, so that what comes next waits.
    fn block(&self) -> Ticket {
        let ticket = self.submit(&[&[1]]).unwrap();
        assert_eq!(self.pass(), [[1]]);
        ticket
    }

    fn let_go(&self) {
        self.leave.send(()).unwrap();
    }
}

fn text(windows: &[&[u32]]) -> Vec<Window> {
    windows.iter().map(|tokens| Window { tokens: tokens.to_vec(), skip: 0, lens: 0 }).collect()
}

fn ranks(scores: &Scores) -> Vec<Vec<u32>> {
    scores.iter().flatten().map(|window| window.iter().map(|stats| stats.rank).collect()).collect()
}

fn wait(ticket: Ticket) -> Result<Scores, QueueError> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(ticket.wait())
}

fn small() -> QueueLimits {
    QueueLimits { batch_tokens: 8, quantum_tokens: 4, ..QueueLimits::default() }
}

#[test]
fn callers_share_a_pass_and_each_gets_its_own_scores() {
    let bench = bench(small());
    let first = bench.block();
    let a = bench.submit(&[&[10, 11], &[12]]).unwrap();
    let b = bench.submit(&[&[20, 21, 22]]).unwrap();
    bench.let_go();
    assert_eq!(ranks(&wait(first).unwrap()), [[1]]);
    assert_eq!(bench.pass(), [vec![10, 11], vec![12], vec![20, 21, 22]]);
    bench.let_go();
    assert_eq!(ranks(&wait(a).unwrap()), [vec![10, 11], vec![12]]);
    assert_eq!(ranks(&wait(b).unwrap()), [vec![20, 21, 22]]);
    assert_eq!(bench.metrics.batches.get(), 2);
    assert_eq!(bench.metrics.tokens.get(), 7);
}

#[test]
fn a_small_request_does_not_wait_for_all_of_a_large_one() {
    let bench = bench(small());
    let _first = bench.block();
    let many: Vec<&[u32]> = vec![&[9, 9, 9, 9]; 50];
    let large = bench.submit(&many).unwrap();
    let one = bench.submit(&[&[5]]).unwrap();
    bench.let_go();
    let pass = bench.pass();
    assert_eq!(pass, [vec![9, 9, 9, 9], vec![5]], "one turn of the large one, then the small one");
    bench.let_go();
    assert_eq!(ranks(&wait(one).unwrap()), [[5]]);
    (0..49).for_each(|_| bench.let_go());
    assert_eq!(wait(large).unwrap()[0].len(), 50);
}

#[test]
fn short_windows_get_as_many_tokens_a_turn_as_long_ones() {
    let bench = bench(QueueLimits { batch_tokens: 8, quantum_tokens: 4, ..QueueLimits::default() });
    let _first = bench.block();
    let short: Vec<&[u32]> = vec![&[1]; 8];
    let _short = bench.submit(&short).unwrap();
    let _long = bench.submit(&[&[2, 2, 2, 2], &[2, 2, 2, 2]]).unwrap();
    bench.let_go();
    assert_eq!(bench.pass().concat(), [1, 1, 1, 1, 2, 2, 2, 2]);
    bench.let_go();
    assert_eq!(bench.pass().concat(), [1, 1, 1, 1, 2, 2, 2, 2]);
}

#[test]
fn a_window_larger_than_the_budget_gets_a_pass_of_its_own() {
    let bench = bench(small());
    let _first = bench.block();
    let long = [3; 20];
    let _a = bench.submit(&[&[2]]).unwrap();
    let b = bench.submit(&[&long]).unwrap();
    bench.let_go();
    assert_eq!(bench.pass(), [[2]]);
    bench.let_go();
    assert_eq!(bench.pass(), [long]);
    bench.let_go();
    assert_eq!(wait(b).unwrap()[0][0].len(), 20);
}

#[test]
fn work_whose_caller_has_gone_is_dropped() {
    let bench = bench(small());
    let first = bench.block();
    let gone = bench.submit(&[&[7], &[7]]).unwrap();
    let stays = bench.submit(&[&[8]]).unwrap();
    drop(gone);
    bench.let_go();
    wait(first).unwrap();
    assert_eq!(bench.pass(), [[8]]);
    bench.let_go();
    wait(stays).unwrap();
    assert_eq!(bench.metrics.abandoned.get(), 1);
}

#[test]
fn a_caller_that_goes_during_its_pass_harms_nobody() {
    let bench = bench(small());
    let gone = bench.block();
    drop(gone);
    let stays = bench.submit(&[&[8]]).unwrap();
    bench.let_go();
    assert_eq!(bench.pass(), [[8]]);
    bench.let_go();
    assert_eq!(ranks(&wait(stays).unwrap()), [[8]]);
}

#[test]
fn overload_is_answered_at_once_and_room_comes_back() {
    let bench = bench(QueueLimits { max_callers: 2, ..small() });
    let _first = bench.block();
    let second = bench.submit(&[&[2]]).unwrap();
    let refused = bench.submit(&[&[3]]).unwrap_err();
    assert!(
        matches!(refused, QueueError::Overloaded { retry_after } if retry_after >= Duration::from_secs(1)),
        "{refused}"
    );
    assert!(bench.queue.has_room(1).is_err());
    drop(second);
    bench.submit(&[&[4]]).expect("the one who went made room");
    assert_eq!(bench.metrics.refused.get(), 2);
}

#[test]
fn a_long_queue_refuses_the_long_before_the_short() {
    let limits = QueueLimits { assumed_rate: 10.0, max_wait: Duration::from_secs(2), ..small() };
    let bench = bench(limits);
    let _first = bench.block();
    let _second = bench.submit(&[&[2; 30]]).unwrap();
    let long = bench.submit(&[&[3; 30]]).unwrap_err();
    assert!(matches!(long, QueueError::Overloaded { .. }), "{long}");
    bench.submit(&[&[4; 4]]).expect("a short one waits only for its share of the long one");
}

#[test]
fn only_what_can_be_done_in_time_is_let_in_and_a_long_text_keeps_no_short_one_out() {
    let limits = QueueLimits {
        assumed_rate: 10.0,
        max_wait: Duration::from_secs(1000),
        patience: Duration::from_secs(10),
        ..small()
    };
    let bench = bench(limits);
    let _first = bench.block();
    let _long = bench.submit(&[&[2; 80]]).expect("80 tokens and the one in flight are done in 8.1 s");
    let refused = bench.submit(&[&[3; 80]]).unwrap_err();
    assert!(matches!(refused, QueueError::Overloaded { .. }), "two of 80 take over 10 s: {refused}");
    let _short: Vec<_> =
        (0..4).map(|_| bench.submit(&[&[4; 10]]).expect("its share of the long one is 1 s")).collect();
}

#[test]
fn what_can_never_finish_in_time_is_told_so_once_the_rate_is_known() {
    let mut state = State::default();
    let limits = QueueLimits { patience: Duration::from_secs(10), ..small() };
    state.admit(100_000, &limits).expect("nothing is known yet");
    state.time(1000, Duration::from_secs(1));
    let refused = state.admit(100_000, &limits).unwrap_err();
    assert!(matches!(refused, QueueError::TooLong { takes, .. } if takes.as_secs() == 100), "{refused}");
}

#[test]
fn an_error_reaches_only_the_caller_whose_text_it_is() {
    let bench = bench(small());
    let _first = bench.block();
    let good = bench.submit(&[&[2]]).unwrap();
    let bad = bench.submit(&[&[POISON]]).unwrap();
    (0..4).for_each(|_| bench.let_go());
    assert_eq!(ranks(&wait(good).unwrap()), [[2]]);
    assert!(matches!(wait(bad).unwrap_err(), QueueError::Engine(EngineError::Tokenize(_))));
}

#[test]
fn a_panic_of_the_scorer_is_an_error_and_the_queue_lives_on() {
    let bench = bench(small());
    let bad = bench.submit(&[&[BOMB]]).unwrap();
    bench.let_go();
    assert!(matches!(wait(bad).unwrap_err(), QueueError::Broken(_)));
    let good = bench.submit(&[&[2]]).unwrap();
    bench.let_go();
    assert_eq!(ranks(&wait(good).unwrap()), [[2]]);
}

#[test]
fn an_answer_of_the_wrong_shape_is_an_error() {
    struct Silent;
    impl Scorer for Silent {
        fn score(&self, _: &[&Window]) -> Result<Vec<Vec<TokenStats>>, EngineError> {
            Ok(Vec::new())
        }
    }
    let queue = Queue::start(Arc::new(Silent), small(), QueueMetrics::default()).unwrap();
    let ticket = queue.submit(vec![text(&[&[1]])]).unwrap();
    assert!(matches!(wait(ticket).unwrap_err(), QueueError::Broken(_)));
}

#[test]
fn nothing_to_score_is_answered_without_a_pass() {
    let bench = bench(small());
    let ticket = bench.queue.submit(vec![text(&[]), text(&[])]).unwrap();
    assert_eq!(wait(ticket).unwrap(), vec![Vec::<Vec<TokenStats>>::new(); 2]);
    assert!(bench.seen.try_recv().is_err());
}

#[test]
fn those_who_wait_when_the_queue_stops_are_told() {
    let bench = bench(small());
    let _first = bench.block();
    let waiting = bench.submit(&[&[2]]).unwrap();
    bench.queue.shared.lock().stopping = true;
    assert!(matches!(bench.submit(&[&[3]]).unwrap_err(), QueueError::Stopped));
    bench.let_go();
    assert!(matches!(wait(waiting).unwrap_err(), QueueError::Stopped));
}
