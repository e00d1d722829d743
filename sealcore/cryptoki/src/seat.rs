//! A session's thread at work: turn after turn, until something goes wrong or it is wanted for something else.

use std::{
    collections::HashMap,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use cryptoki_sys::CK_RV;

use crate::{
    lanes::{Lanes, TURN},
    lock,
    signer::{Signed, Signer, Signing},
    turn::{Answer, Turn},
};

/// A session and what it can sign with. Session may be added while it is used.
#[derive(Debug)]
pub struct Session {
    signer: Signer,
    keys: Mutex<HashMap<String, Signing>>,
}

impl Session {
    /// A session of the signer's module, without keys.
    pub fn new(signer: Signer) -> Self {
        Self { signer, keys: Mutex::default() }
    }

    /// Sign with `signing` what is asked for `label` from now on.
    pub fn add(&self, label: String, signing: Signing) {
        lock(&self.keys).insert(label, signing);
    }

    /// Sign each of `data` with the key of this label; None where there is none. The session is the caller's alone.
    pub fn sign_many<T: AsRef<[u8]>>(&self, label: &str, data: &[T], within: Duration) -> Option<Signed> {
        let signing = *lock(&self.keys).get(label)?;
        Some(self.signer.sign_many(&signing, data, within))
    }
}

/// Where a session's thread sits. The thread is the only one that enters the module for it; others may keep it out.
#[derive(Debug)]
pub struct Seat<E> {
    door: Door,
    session: Mutex<Option<Arc<Session>>>,
    turn: Mutex<Option<Arc<Turn<E>>>>,
    wanted: AtomicBool,
    vacant: AtomicBool,
    made: Instant,
    /// Nanoseconds after `made`, and one more; 0 outside the module.
    entered: AtomicU64,
    /// Nanoseconds after `made`, and one more; 0 before the first.
    good: AtomicU64,
}

/// A turn that stopped at a digest, which `Lanes::resume` continues.
#[derive(Debug)]
pub struct Interrupted {
    /// The key's label.
    pub key: Arc<str>,
    /// The digest that it stopped at.
    pub data: Vec<u8>,
    /// How many are left, with that one.
    pub left: usize,
    /// The call that failed and its return value; None where the session has no such key.
    pub failure: Option<(&'static str, CK_RV)>,
}

impl<E> Default for Seat<E> {
    fn default() -> Self {
        Self {
            door: Door::default(),
            session: Mutex::new(None),
            turn: Mutex::new(None),
            wanted: AtomicBool::new(false),
            vacant: AtomicBool::new(true),
            made: Instant::now(),
            entered: AtomicU64::new(0),
            good: AtomicU64::new(0),
        }
    }
}

impl<E> Seat<E> {
    /// Keep the thread out of the module, once it is out; false where it did not come out within that time.
    pub fn hold(&self, within: Duration) -> bool {
        self.door.hold(within)
    }

    /// End what `hold` began.
    pub fn release(&self) {
        self.door.release();
    }

    /// Give the thread a session, or take it away. Whoever does so holds the seat.
    pub fn sit(&self, session: Option<Arc<Session>>) {
        self.vacant.store(session.is_none(), Ordering::SeqCst);
        *lock(&self.session) = session;
    }

    /// Ask the thread to come out of `Lanes::serve` and `Lanes::wait`, now and from now on; `Lanes::ring` tells it.
    pub fn want(&self) {
        self.wanted.store(true, Ordering::SeqCst);
    }

    /// Go into the module, for whatever is not `Lanes::serve`; waits for those who hold the seat.
    pub fn enter(&self) {
        self.door.hold(Duration::MAX);
        self.entered.store(self.now(), Ordering::SeqCst);
    }

    /// Come out of it, with a signature that is `good`, or without one.
    pub fn leave(&self, good: bool) {
        if good {
            self.good.store(self.entered.load(Ordering::SeqCst), Ordering::SeqCst);
        }
        self.entered.store(0, Ordering::SeqCst);
        self.door.release();
    }

    /// How long the thread has been inside the module by now; None while it is outside.
    pub fn inside(&self) -> Option<Duration> {
        self.since(&self.entered)
    }

    /// How long ago the last call began that brought a signature; None before the first.
    pub fn since_good(&self) -> Option<Duration> {
        self.since(&self.good)
    }

    pub(crate) fn is_called(&self) -> bool {
        self.wanted.load(Ordering::SeqCst)
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.is_called() || self.vacant.load(Ordering::SeqCst)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.made.elapsed().as_nanos()).unwrap_or(u64::MAX - 1) + 1
    }

    fn since(&self, moment: &AtomicU64) -> Option<Duration> {
        let then = moment.load(Ordering::SeqCst);
        (then > 0).then(|| Duration::from_nanos(self.now().saturating_sub(then)))
    }

    fn set_turn(&self, turn: Turn<E>) -> Arc<Turn<E>> {
        let turn = Arc::new(turn);
        *lock(&self.turn) = Some(Arc::clone(&turn));
        turn
    }

    /// Keep the turn for `Lanes::resume`.
    fn interrupted(&self, turn: Turn<E>, failure: Option<(&'static str, CK_RV)>) -> Interrupted {
        let turn = self.set_turn(turn);
        let data = turn.data();
        Interrupted { key: turn.key().into(), data: data[0].to_vec(), left: data.len(), failure }
    }

    /// Whoever takes the turn answers it: the thread itself, or the one who gave it up.
    fn take_turn(&self) -> Option<Turn<E>> {
        let turn = lock(&self.turn).take()?;
        Some(Arc::try_unwrap(turn).unwrap_or_else(|shared| shared.split(0).1))
    }
}

impl<E: Clone> Lanes<E> {
    /// Serve turns on the session in `seat`, whose thread this is, until one is interrupted.
    ///
    /// None where the seat has no session any more, is wanted, or was given up with `give_up`.
    pub fn serve(&self, seat: &Seat<E>) -> Option<Interrupted> {
        loop {
            let turn = seat.set_turn(self.next(seat)?);
            seat.enter();
            let session = lock(&seat.session).clone();
            let signed = session.map(|session| session.sign_many(turn.key(), &turn.data(), TURN));
            seat.leave(signed.iter().flatten().any(|signed| !signed.signatures.is_empty()));
            drop(turn);
            let turn = seat.take_turn()?;
            match signed {
                // The session was taken away before the thread could enter.
                None => self.settle(turn, Vec::new(), &[]),
                Some(None) => return Some(seat.interrupted(turn, None)),
                Some(Some(Signed { signatures, took, failure })) => {
                    let made = signatures.len();
                    let answers = signatures.into_iter().map(Answer::Signature).collect();
                    if failure.is_none() {
                        self.settle(turn, answers, &took);
                        continue;
                    }
                    let (done, rest) = turn.split(made);
                    let interrupted = seat.interrupted(rest, failure);
                    self.settle(done, answers, &took);
                    return Some(interrupted);
                }
            }
        }
    }

    /// Answer what the turn in `seat` stopped at, and as many after it as there are answers; others have the rest.
    ///
    /// Nothing where the turn was given up meanwhile.
    pub fn resume(&self, seat: &Seat<E>, answers: Vec<Answer<E>>) {
        if let Some(turn) = seat.take_turn() {
            self.settle(turn, answers, &[]);
        }
    }

    /// Answer the turn in `seat` with `error`: its thread will not come back in time.
    pub fn give_up(&self, seat: &Seat<E>, error: &E) {
        if let Some(turn) = seat.take_turn() {
            turn.refuse(error);
        }
    }
}

/// A lock that one may hold beyond a scope, and wait for with a limit.
#[derive(Debug, Default)]
struct Door {
    held: Mutex<bool>,
    released: Condvar,
}

impl Door {
    fn hold(&self, within: Duration) -> bool {
        let held = lock(&self.held);
        let (mut held, waited) =
            self.released.wait_timeout_while(held, within, |held| *held).unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return false;
        }
        *held = true;
        true
    }

    fn release(&self) {
        *lock(&self.held) = false;
        self.released.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use cryptoki_sys::CKR_DEVICE_ERROR;

    use super::*;
    use crate::{
        Answers, Lane, Limits,
        signer::tests::{ECHO, FAILS, SIGNING, SLOW},
    };

    type Plain = Lanes<&'static str>;

    fn lanes() -> Plain {
        Lanes::new(Limits { waiting: 1000, bulk_share: 4, sessions: 1, fill: HashMap::new() })
    }

    fn seated() -> Seat<&'static str> {
        let (seat, session) = (Seat::default(), Session::new(ECHO));
        session.add("k".to_owned(), SIGNING);
        seat.sit(Some(Arc::new(session)));
        seat
    }

    fn sign(lanes: &Plain, data: &[[u8; 2]]) -> Vec<Option<Result<Vec<u8>, &'static str>>> {
        let data = data.iter().map(|item| item.to_vec()).collect();
        let Ok(Answers { answers, .. }) = lanes.sign("k", data, Lane::Bulk, Duration::from_secs(30)) else {
            panic!("not taken")
        };
        let said = |answer| match answer {
            Answer::Signature(signature) => Ok(signature),
            Answer::Error(error) => Err(error),
        };
        answers.into_iter().map(|answer| answer.map(said)).collect()
    }

    fn until(condition: impl Fn() -> bool) {
        while !condition() {
            thread::yield_now();
        }
    }

    /// Turns are served until one fails; its answer may be another's, and the rest is served as before.
    #[test]
    fn resumes_after_a_failure() {
        let (lanes, seat) = (lanes(), seated());
        thread::scope(|scope| {
            let caller = scope.spawn(|| sign(&lanes, &[[1, 0], [FAILS, 1], [2, 0]]));
            let interrupted = lanes.serve(&seat).unwrap();
            assert_eq!(
                ("k", &[FAILS, 1][..], 2, Some(("C_Sign", CKR_DEVICE_ERROR))),
                (&*interrupted.key, &interrupted.data[..], interrupted.left, interrupted.failure)
            );
            lanes.resume(&seat, vec![Answer::Error("failed twice")]);
            scope.spawn(|| assert!(lanes.serve(&seat).is_none()));
            assert_eq!(
                vec![Some(Ok(vec![1, 0])), Some(Err("failed twice")), Some(Ok(vec![2, 0]))],
                caller.join().unwrap()
            );
            seat.want();
            lanes.ring();
        });
        assert!(seat.since_good().is_some());
        assert_eq!(2, lanes.observed().signed["k"].len());
    }

    /// A session without the key says so, and its turn is kept for an answer.
    #[test]
    fn misses_a_key() {
        let (lanes, seat) = (lanes(), Seat::default());
        seat.sit(Some(Arc::new(Session::new(ECHO))));
        thread::scope(|scope| {
            let caller = scope.spawn(|| sign(&lanes, &[[1, 0], [2, 0]]));
            let interrupted = lanes.serve(&seat).unwrap();
            assert_eq!((2, None), (interrupted.left, interrupted.failure));
            lanes.resume(&seat, vec![Answer::Error("refused"); 2]);
            assert_eq!(vec![Some(Err("refused")); 2], caller.join().unwrap());
        });
    }

    /// Who holds the seat keeps its thread out of the module; a session that is taken away leaves its turn to others.
    #[test]
    fn is_kept_out() {
        let (lanes, seat, other) = (lanes(), seated(), seated());
        assert!(seat.hold(Duration::ZERO));
        thread::scope(|scope| {
            let caller = scope.spawn(|| sign(&lanes, &[[1, 0]]));
            let kept_out = scope.spawn(|| lanes.serve(&seat));
            until(|| lock(&seat.turn).is_some());
            assert_eq!(None, seat.inside());
            seat.sit(None);
            seat.release();
            assert!(kept_out.join().unwrap().is_none());
            scope.spawn(|| assert!(lanes.serve(&other).is_none()));
            assert_eq!(vec![Some(Ok(vec![1, 0]))], caller.join().unwrap());
            other.want();
            lanes.ring();
        });
    }

    /// Who waits for the seat of a thread that stays inside the module is told so in time.
    #[test]
    fn holding_has_a_limit() {
        let (lanes, seat) = (lanes(), seated());
        thread::scope(|scope| {
            scope.spawn(|| lanes.serve(&seat));
            let caller = scope.spawn(|| sign(&lanes, &[[SLOW, 200]]));
            until(|| seat.inside().is_some());
            assert!(!seat.hold(Duration::from_millis(20)));
            assert!(seat.hold(Duration::MAX));
            seat.release();
            assert_eq!(vec![Some(Ok(vec![SLOW, 200]))], caller.join().unwrap());
            seat.want();
            lanes.ring();
        });
    }

    /// A turn that is given up is answered at once; its thread finds nothing to answer when it comes back, and ends.
    #[test]
    fn is_given_up() {
        let (lanes, seat) = (lanes(), seated());
        thread::scope(|scope| {
            let stuck = scope.spawn(|| lanes.serve(&seat));
            let caller = scope.spawn(|| sign(&lanes, &[[SLOW, 250], [1, 0]]));
            until(|| seat.inside().is_some_and(|inside| inside > Duration::from_millis(20)));
            seat.want();
            lanes.give_up(&seat, &"stuck");
            assert_eq!(vec![Some(Err("stuck")); 2], caller.join().unwrap());
            assert!(seat.inside().is_some());
            assert!(stuck.join().unwrap().is_none());
        });
        assert_eq!(0, lanes.depth(Lane::Bulk));
    }
}
