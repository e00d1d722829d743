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
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    lock,
    seat::Seat,
    turn::{Answer, Job, Lane, Piece, Progress, Turn, refuse},
};

/// A turn is about this long, so that is what an interactive digest waits for at least where every session is busy.
pub(crate) const TURN: Duration = Duration::from_millis(20);
const LONGEST_TURN: usize = 64;
/// What is shorter than this is not spread over sessions: waking a second one would take about as long.
const WORTH_WAKING: f64 = 0.001;

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
mod tests;
