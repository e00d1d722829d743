//! What waits for a session: two lanes of jobs, handed out turn by turn.
//!
//! A job is one caller's batch. A turn is what one session signs at a stretch: a few digests of a large job, or several
//! small jobs for the same key at once. Between turns the next job is chosen anew, so a large batch spreads over all
//! sessions and never holds up a small one for longer than a turn:
//!
//! - interactive goes before bulk, but while both wait every `bulk_share`-th turn is bulk's;
//! - within a lane the jobs take turns in a ring.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    ops::Range,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{lock, seat::Seat};

/// A turn is about this long, so that is what an interactive digest waits for at least where every session is busy.
pub(crate) const TURN: Duration = Duration::from_millis(20);
const LONGEST_TURN: usize = 64;
/// What is shorter than this is not spread over sessions: waking a second one would take about as long.
const WORTH_WAKING: f64 = 0.001;

/// Who waits: a person or a single call before a bulk stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A person, or a single call.
    Interactive,
    /// A stream.
    Bulk,
}

/// What came of one digest.
#[derive(Clone, Debug)]
pub enum Answer<E> {
    /// The signature, as the token made it.
    Signature(Vec<u8>),
    /// Why there is none.
    Error(E),
}

/// What came of a batch, in order.
#[derive(Debug)]
pub struct Answers<E> {
    /// An answer for each digest; None only where the caller's time was over first.
    pub answers: Vec<Option<Answer<E>>>,
    /// Where the caller's time was over first: the places that no session had begun.
    pub not_begun: Option<Vec<usize>>,
}

/// Why a batch was not taken in.
#[derive(Debug)]
pub enum NotTaken<E> {
    /// The lanes are closed, for this reason.
    Closed(E),
    /// So many digests wait in the lane already.
    Full(usize),
}

/// How many may wait, and how they share the sessions.
#[derive(Debug)]
pub struct Limits {
    /// Digests that may wait in each lane; a batch that finds its lane empty is taken whatever its size.
    pub waiting: usize,
    /// While both lanes wait, one turn in so many is bulk's.
    pub bulk_share: u32,
    /// How many sessions take turns.
    pub sessions: usize,
    /// For a signer that takes many digests in one request: how many for each key. A turn then holds so many.
    pub fill: HashMap<String, usize>,
}

/// What was observed since somebody asked last, in seconds.
#[derive(Debug, Default)]
pub struct Observed {
    /// How long each signature took, by key.
    pub signed: HashMap<Arc<str>, Vec<f64>>,
    /// How long each batch waited for its first session, in each lane.
    pub waited: [Vec<f64>; 2],
}

/// One caller's digests, all for one key.
#[derive(Debug)]
struct Job<E> {
    key: Arc<str>,
    data: Vec<Vec<u8>>,
    lane: Lane,
    queued: Instant,
    begun: AtomicBool,
    progress: Mutex<Progress<E>>,
    finished: Condvar,
}

#[derive(Debug)]
struct Progress<E> {
    answers: Vec<Option<Answer<E>>>,
    left: usize,
    /// Nobody waits any more.
    gone: bool,
}

/// Places of a job: those that wait, or those that a turn has.
#[derive(Debug)]
struct Piece<E> {
    job: Arc<Job<E>>,
    places: Range<usize>,
}

impl<E> Clone for Piece<E> {
    fn clone(&self) -> Self {
        Self { job: Arc::clone(&self.job), places: self.places.clone() }
    }
}

impl<E> Piece<E> {
    /// Answer the first places; those that are left over.
    fn answer(mut self, answers: &mut impl ExactSizeIterator<Item = Answer<E>>) -> Option<Self> {
        let mut progress = lock(&self.job.progress);
        while !self.places.is_empty() && answers.len() > 0 {
            progress.answers[self.places.start] = answers.next();
            progress.left -= 1;
            self.places.start += 1;
        }
        let finished = progress.left == 0;
        drop(progress);
        if finished {
            self.job.finished.notify_one();
        }
        (!self.places.is_empty()).then_some(self)
    }
}

/// What one session signs at a stretch, all with one key.
#[derive(Debug)]
pub struct Turn<E> {
    key: Arc<str>,
    pieces: Vec<Piece<E>>,
    began: Instant,
}

impl<E> Turn<E> {
    /// The key's label.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What is to be signed.
    pub fn data(&self) -> Vec<&[u8]> {
        self.pieces.iter().flat_map(|Piece { job, places }| &job.data[places.clone()]).map(Vec::as_slice).collect()
    }

    pub(crate) fn refuse(self, error: &E)
    where
        E: Clone,
    {
        refuse(self.pieces, error);
    }

    /// Divide it before the digest at `place`.
    pub(crate) fn split(&self, mut place: usize) -> (Self, Self) {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for piece in &self.pieces {
            let middle = piece.places.start + place.min(piece.places.len());
            place -= middle - piece.places.start;
            for (half, places) in [(&mut before, piece.places.start..middle), (&mut after, middle..piece.places.end)] {
                if !places.is_empty() {
                    half.push(Piece { job: Arc::clone(&piece.job), places });
                }
            }
        }
        (
            Self { key: Arc::clone(&self.key), pieces: before, began: self.began },
            Self { key: Arc::clone(&self.key), pieces: after, began: Instant::now() },
        )
    }
}

/// The two lanes of one pool. Every method may be called from any thread; `E` is why there is no signature.
#[derive(Debug)]
pub struct Lanes<E> {
    limits: Limits,
    queue: Mutex<Queue<E>>,
    /// Rings for threads without work; those who wait for it hold `queue` when they look whether they must.
    work: Condvar,
}

#[derive(Debug)]
struct Queue<E> {
    lanes: [VecDeque<Piece<E>>; 2],
    depths: [usize; 2],
    since_bulk: u32,
    seconds_each: f64,
    closed: Option<E>,
    idle: usize,
    observed: Observed,
}

impl<E: Clone> Lanes<E> {
    /// Empty lanes, open.
    pub fn new(limits: Limits) -> Self {
        let queue = Queue {
            lanes: [VecDeque::new(), VecDeque::new()],
            depths: [0, 0],
            since_bulk: 0,
            seconds_each: 0.001,
            closed: None,
            idle: 0,
            observed: Observed::default(),
        };
        Self { limits, queue: Mutex::new(queue), work: Condvar::new() }
    }

    /// Queue a batch and wait until all of it is answered, for no longer than `within`.
    pub fn sign(&self, key: &str, data: Vec<Vec<u8>>, lane: Lane, within: Duration) -> Result<Answers<E>, NotTaken<E>> {
        let size = data.len();
        let progress = Progress { answers: (0..size).map(|_| None).collect(), left: size, gone: false };
        let job = Arc::new(Job {
            key: key.into(),
            data,
            lane,
            queued: Instant::now(),
            begun: AtomicBool::new(false),
            progress: Mutex::new(progress),
            finished: Condvar::new(),
        });
        self.put(&job)?;
        let waiting = lock(&job.progress);
        let (mut progress, _) = job
            .finished
            .wait_timeout_while(waiting, within, |progress| progress.left > 0)
            .unwrap_or_else(PoisonError::into_inner);
        if progress.left == 0 {
            return Ok(Answers { answers: mem::take(&mut progress.answers), not_begun: None });
        }
        progress.gone = true;
        drop(progress);
        // In this order: what a session gives back from now on is dropped, and what it gave back before is found here.
        let not_begun = self.withdraw(&job);
        // What comes of the others later is for nobody, so what there is now is copied.
        let answers = lock(&job.progress).answers.clone();
        Ok(Answers { answers, not_begun: Some(not_begun) })
    }

    /// The next turn. None where nothing waits.
    pub fn take(&self) -> Option<Turn<E>> {
        lock(&self.queue).take(&self.limits)
    }

    /// Wait until there may be a turn to take, or `seat` is wanted for something else.
    pub fn wait(&self, seat: &Seat<E>) {
        let mut queue = lock(&self.queue);
        if queue.is_empty() && !seat.is_called() {
            queue.idle += 1;
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }

    /// The next turn for `seat`, once there is one. None where it is wanted for something else first.
    pub(crate) fn next(&self, seat: &Seat<E>) -> Option<Turn<E>> {
        let mut queue = lock(&self.queue);
        loop {
            if seat.is_wanted() {
                if !queue.is_empty() {
                    // Whoever rang for work rang for somebody who does it.
                    self.work.notify_one();
                }
                return None;
            }
            if let Some(turn) = queue.take(&self.limits) {
                return Some(turn);
            }
            queue.idle += 1;
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }

    /// Let every thread that waits for work look whether it is wanted for something else.
    pub fn ring(&self) {
        drop(lock(&self.queue));
        self.work.notify_all();
    }

    /// Answer the first places of `turn`, and let others have those that are left over.
    ///
    /// `took` is how many seconds each signature took, for whoever asks what was `observed`.
    pub fn settle(&self, turn: Turn<E>, answers: Vec<Answer<E>>, took: &[Duration]) {
        let (answered, seconds) = (answers.len(), turn.began.elapsed().as_secs_f64());
        let mut answers = answers.into_iter();
        let mut left: Vec<_> = turn.pieces.into_iter().filter_map(|piece| piece.answer(&mut answers)).collect();
        let mut queue = lock(&self.queue);
        if answered > 0 {
            #[allow(clippy::cast_precision_loss)] // a turn is short
            let each = seconds / answered as f64;
            queue.seconds_each += 0.05 * (each - queue.seconds_each);
        }
        if !took.is_empty() {
            queue.observed.signed.entry(turn.key).or_default().extend(took.iter().map(Duration::as_secs_f64));
        }
        if let Some(error) = queue.closed.clone() {
            drop(queue);
            refuse(left, &error);
            return;
        }
        left.retain(|piece| !lock(&piece.job.progress).gone);
        let woken = left.len().min(queue.idle);
        for piece in left.into_iter().rev() {
            let lane = piece.job.lane as usize;
            queue.depths[lane] += piece.places.len();
            // A job keeps its place in the ring while other places of it wait there: what is given back gains it nothing.
            match queue.lanes[lane].iter().position(|other| Arc::ptr_eq(&other.job, &piece.job)) {
                Some(place) => queue.lanes[lane].insert(place, piece),
                None => queue.lanes[lane].push_front(piece),
            }
        }
        drop(queue);
        self.wake(woken);
    }

    /// Take nothing in any more, and answer all that waits with `error`.
    pub fn close(&self, error: &E) {
        let mut queue = lock(&self.queue);
        queue.closed = Some(error.clone());
        queue.depths = [0, 0];
        let waiting: Vec<_> = queue.lanes.iter_mut().flat_map(mem::take).collect();
        drop(queue);
        refuse(waiting, error);
    }

    /// Take jobs in again.
    pub fn open(&self) {
        lock(&self.queue).closed = None;
    }

    /// Why nothing is taken in now, or None.
    pub fn closed(&self) -> Option<E> {
        lock(&self.queue).closed.clone()
    }

    /// How many digests wait in `lane`.
    pub fn depth(&self, lane: Lane) -> usize {
        lock(&self.queue).depths[lane as usize]
    }

    /// How long what waits in `lane` will take, by the signatures of late; between 0.1 and 60 seconds.
    #[allow(clippy::cast_precision_loss)]
    pub fn drain_seconds(&self, lane: Lane) -> f64 {
        let queue = lock(&self.queue);
        let seconds = queue.depths[lane as usize] as f64 * queue.seconds_each / self.limits.sessions as f64;
        seconds.clamp(0.1, 60.0)
    }

    /// What was observed since the last time.
    pub fn observed(&self) -> Observed {
        mem::take(&mut lock(&self.queue).observed)
    }

    fn put(&self, job: &Arc<Job<E>>) -> Result<(), NotTaken<E>> {
        let (lane, size) = (job.lane as usize, job.data.len());
        let mut queue = lock(&self.queue);
        if let Some(error) = &queue.closed {
            return Err(NotTaken::Closed(error.clone()));
        }
        let depth = queue.depths[lane];
        if depth > 0 && depth + size > self.limits.waiting {
            return Err(NotTaken::Full(depth));
        }
        queue.depths[lane] = depth + size;
        queue.lanes[lane].push_back(Piece { job: Arc::clone(job), places: 0..size });
        let woken =
            if queue.idle == 0 { 0 } else { size.div_ceil(queue.turn_length(job, &self.limits)).min(queue.idle) };
        drop(queue);
        self.wake(woken);
        Ok(())
    }

    fn wake(&self, sessions: usize) {
        for _ in 0..sessions {
            self.work.notify_one();
        }
    }

    /// Take back what no session has begun of `job`: those places.
    fn withdraw(&self, job: &Arc<Job<E>>) -> Vec<usize> {
        let mut queue = lock(&self.queue);
        let mut places = Vec::new();
        queue.lanes[job.lane as usize].retain(|piece| {
            let other = !Arc::ptr_eq(&piece.job, job);
            if !other {
                places.extend(piece.places.clone());
            }
            other
        });
        queue.depths[job.lane as usize] -= places.len();
        places
    }
}

/// Answer all of `pieces` with the same error.
fn refuse<E: Clone>(pieces: Vec<Piece<E>>, error: &E) {
    for piece in pieces {
        let same = vec![Answer::Error(error.clone()); piece.places.len()];
        piece.answer(&mut same.into_iter());
    }
}

impl<E> Queue<E> {
    fn is_empty(&self) -> bool {
        self.lanes.iter().all(VecDeque::is_empty)
    }

    fn take(&mut self, limits: &Limits) -> Option<Turn<E>> {
        let lane = self.next_lane(limits.bulk_share)? as usize;
        let first = Arc::clone(&self.lanes[lane].front()?.job);
        let began = Instant::now();
        let mut length = self.turn_length(&first, limits);
        let mut pieces = Vec::new();
        while length > 0 && self.lanes[lane].front().is_some_and(|piece| piece.job.key == first.key) {
            let Some(Piece { job, places }) = self.lanes[lane].pop_front() else { break };
            let middle = places.end.min(places.start + length);
            if middle < places.end {
                self.lanes[lane].push_back(Piece { job: Arc::clone(&job), places: middle..places.end });
            }
            if !job.begun.swap(true, Ordering::Relaxed) {
                self.observed.waited[lane].push((began - job.queued).as_secs_f64());
            }
            length -= middle - places.start;
            self.depths[lane] -= middle - places.start;
            pieces.push(Piece { job, places: places.start..middle });
        }
        Some(Turn { key: Arc::clone(&first.key), pieces, began })
    }

    /// Whose turn it is.
    fn next_lane(&mut self, bulk_share: u32) -> Option<Lane> {
        match self.lanes.each_ref().map(VecDeque::is_empty) {
            [true, true] => return None,
            [false, false] => {
                self.since_bulk += 1;
                if self.since_bulk < bulk_share {
                    return Some(Lane::Interactive);
                }
                self.since_bulk = 0;
                return Some(Lane::Bulk);
            }
            [true, false] => self.since_bulk = 0,
            [false, true] => {
                self.since_bulk = 0;
                return Some(Lane::Interactive);
            }
        }
        Some(Lane::Bulk)
    }

    /// Long enough to be worth a wake-up, short enough to be fair, and none idle while others have two.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // both are small and positive
    fn turn_length(&self, job: &Job<E>, limits: &Limits) -> usize {
        if let Some(fill) = limits.fill.get(&*job.key) {
            return (*fill).max(1);
        }
        let share = self.depths[job.lane as usize].div_ceil(limits.sessions);
        let least = (WORTH_WAKING / self.seconds_each) as usize;
        let most = ((TURN.as_secs_f64() / self.seconds_each) as usize).min(LONGEST_TURN);
        share.max(least).min(most).max(1)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicUsize, thread};

    use super::*;

    type Plain = Lanes<&'static str>;

    fn lanes(waiting: usize, sessions: usize) -> Plain {
        Lanes::new(Limits { waiting, bulk_share: 4, sessions, fill: HashMap::new() })
    }

    /// A batch that waits in the lanes, without its caller.
    fn put(lanes: &Plain, key: &str, size: usize, lane: Lane) -> Arc<Job<&'static str>> {
        let job = Arc::new(Job {
            key: key.into(),
            data: (0..size).map(|place| vec![place as u8]).collect(),
            lane,
            queued: Instant::now(),
            begun: AtomicBool::new(false),
            progress: Mutex::new(Progress { answers: vec![None; size], left: size, gone: false }),
            finished: Condvar::new(),
        });
        lanes.put(&job).unwrap();
        job
    }

    fn echo(turn: &Turn<&'static str>) -> Vec<Answer<&'static str>> {
        turn.data().into_iter().map(|item| Answer::Signature(item.to_vec())).collect()
    }

    fn answers(job: &Job<&'static str>) -> Vec<Option<Result<Vec<u8>, &'static str>>> {
        let progress = lock(&job.progress);
        let said = |answer: &Answer<_>| match answer {
            Answer::Signature(signature) => Ok(signature.clone()),
            Answer::Error(error) => Err(*error),
        };
        progress.answers.iter().map(|answer| answer.as_ref().map(said)).collect()
    }

    /// What is signed is handed to its own caller, in order, also where turns cut across jobs and come back in part.
    #[test]
    fn every_place_gets_its_own_answer() {
        let lanes = lanes(1000, 3);
        let jobs: Vec<_> = (1..40).map(|size| put(&lanes, "k", size, Lane::Bulk)).collect();
        let mut made = 0;
        while let Some(turn) = lanes.take() {
            let mut some = echo(&turn);
            made += 1;
            some.truncate(if made % 3 == 0 { some.len() / 2 } else { some.len() });
            lanes.settle(turn, some, &[]);
        }
        for job in jobs {
            let expected: Vec<_> = (0..job.data.len()).map(|place| Some(Ok(vec![place as u8]))).collect();
            assert_eq!(expected, answers(&job));
            assert_eq!(0, lock(&job.progress).left);
        }
        assert_eq!(0, lanes.depth(Lane::Bulk));
    }

    /// Small jobs for one key share a turn; another key waits for its own.
    #[test]
    fn a_turn_has_one_key() {
        let lanes = lanes(1000, 1);
        for key in ["a", "a", "b", "a"] {
            put(&lanes, key, 2, Lane::Interactive);
        }
        let turns = std::iter::from_fn(|| lanes.take());
        let taken: Vec<_> = turns.map(|turn| (turn.key().to_owned(), turn.data().len())).collect();
        let expected = [("a", 4), ("b", 2), ("a", 2)].map(|(key, size)| (key.to_owned(), size));
        assert_eq!(expected.to_vec(), taken);
    }

    /// While both lanes wait, interactive goes first and every fourth turn is bulk's.
    #[test]
    fn bulk_is_slow_but_not_starved() {
        let lanes = lanes(10_000, 1);
        lock(&lanes.queue).seconds_each = 1.0; // Turns of one digest.
        let (bulk, interactive) = (put(&lanes, "k", 100, Lane::Bulk), put(&lanes, "k", 100, Lane::Interactive));
        let mut turns = [0, 0];
        for _ in 0..40 {
            let turn = lanes.take().unwrap();
            turns[turn.pieces[0].job.lane as usize] += 1;
        }
        assert_eq!([30, 10], turns);
        drop((bulk, interactive));
    }

    /// A turn that is cut short, because its key is slow, does not let its job pass before the others of the ring.
    #[test]
    fn what_is_given_back_waits_with_its_job() {
        let lanes = lanes(10_000, 1);
        let (large, small) = (put(&lanes, "k", 256, Lane::Bulk), put(&lanes, "k", 1, Lane::Bulk));
        for turns in 1.. {
            assert!(turns < 4, "the small job waits for the large one");
            let turn = lanes.take().unwrap();
            let mut some = echo(&turn);
            some.truncate(1);
            lanes.settle(turn, some, &[]);
            if lock(&small.progress).left == 0 {
                break;
            }
        }
        assert!(lock(&large.progress).left > 200);
    }

    /// A lane that holds something takes no more than its limit; an empty one takes a batch of any size.
    #[test]
    fn a_full_lane_refuses() {
        let lanes = lanes(10, 1);
        put(&lanes, "k", 50, Lane::Bulk);
        let refused = lanes.sign("k", vec![vec![0]], Lane::Bulk, Duration::ZERO);
        assert!(matches!(refused, Err(NotTaken::Full(50))));
        put(&lanes, "k", 1, Lane::Interactive);
    }

    /// Whose time is over has the answers that are there and the places that nobody began; nothing of it stays.
    #[test]
    fn late_callers_take_their_digests_back() {
        let lanes = Arc::new(lanes(1000, 1));
        lock(&lanes.queue).seconds_each = 1.0;
        let server = Arc::clone(&lanes);
        let serving = thread::spawn(move || {
            let seat = Seat::default();
            server.wait(&seat);
            let first = server.take().unwrap();
            let said = echo(&first);
            server.settle(first, said, &[]);
            server.take().unwrap() // Begun, and never finished in time.
        });
        let late = lanes.sign("k", vec![vec![7], vec![8], vec![9]], Lane::Interactive, Duration::from_millis(200));
        let Answers { answers, not_begun } = late.unwrap();
        assert!(matches!(&answers[..], [Some(Answer::Signature(one)), None, None] if *one == [7]));
        assert_eq!(Some(vec![2]), not_begun);
        assert_eq!(0, lanes.depth(Lane::Interactive));
        // What is given back of it afterwards is for nobody.
        lanes.settle(serving.join().unwrap(), Vec::new(), &[]);
        assert!(lanes.take().is_none());
    }

    /// Closing answers what waits, at once; what is given back later is answered too, and nothing is taken in until opened.
    #[test]
    fn closed_lanes_answer() {
        let lanes = lanes(1000, 1);
        lock(&lanes.queue).seconds_each = 1.0;
        let job = put(&lanes, "k", 3, Lane::Bulk);
        let turn = lanes.take().unwrap();
        lanes.close(&"away");
        assert_eq!(vec![None, Some(Err("away")), Some(Err("away"))], answers(&job));
        lanes.settle(turn, Vec::new(), &[]);
        assert_eq!(vec![Some(Err("away")); 3], answers(&job));
        assert!(matches!(lanes.sign("k", vec![vec![0]], Lane::Bulk, Duration::MAX), Err(NotTaken::Closed("away"))));
        lanes.open();
        put(&lanes, "k", 1, Lane::Bulk);
        assert_eq!(1, lanes.depth(Lane::Bulk));
    }

    /// Many callers, many servers that stop and give back at random: each caller has its own answers.
    #[test]
    fn nothing_is_lost_among_threads() {
        const CALLERS: usize = 16;
        let lanes = lanes(100_000, 4);
        let busy = AtomicUsize::new(CALLERS);
        thread::scope(|scope| {
            for server in 0..4 {
                let (lanes, busy) = (&lanes, &busy);
                scope.spawn(move || {
                    let seat = Seat::default();
                    let mut count = server;
                    while busy.load(Ordering::SeqCst) > 0 {
                        lanes.wait(&seat);
                        let Some(turn) = lanes.take() else { continue };
                        let mut some = echo(&turn);
                        count += 1;
                        some.truncate(if count % 5 == 0 { 0 } else { some.len() });
                        lanes.settle(turn, some, &[]);
                    }
                });
            }
            for caller in 0..CALLERS {
                let (lanes, busy) = (&lanes, &busy);
                scope.spawn(move || {
                    for round in 0..500_usize {
                        let size = 1 + (caller * 7 + round) % 9;
                        let data: Vec<_> =
                            (0..size).map(|place| vec![caller as u8, round as u8, place as u8]).collect();
                        let lane = if caller % 2 == 0 { Lane::Bulk } else { Lane::Interactive };
                        let Answers { answers, not_begun } =
                            lanes.sign("k", data.clone(), lane, Duration::from_secs(60)).unwrap();
                        assert_eq!(None, not_begun);
                        for (item, answer) in data.into_iter().zip(answers) {
                            assert!(matches!(answer, Some(Answer::Signature(signature)) if signature == item));
                        }
                    }
                    busy.fetch_sub(1, Ordering::SeqCst);
                    lanes.ring();
                });
            }
        });
        let observed = lanes.observed();
        assert_eq!(CALLERS / 2 * 500, observed.waited[0].len());
    }
}
