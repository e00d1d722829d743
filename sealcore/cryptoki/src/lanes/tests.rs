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
                    let data: Vec<_> = (0..size).map(|place| vec![caller as u8, round as u8, place as u8]).collect();
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
