//! Contestants measured side by side: rounds interleaved, so that what disturbs the machine disturbs all of them, and the
//! best round counts, as a disturbance only ever adds.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const ROUNDS: usize = 30;
/// Where a single turn takes longer than a round should.
const FEW_ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(6);

/// A contestant's name and one turn of it.
pub(crate) type Contestant<'a> = (&'static str, Box<dyn FnMut() + 'a>);

/// What keeps the compiler from leaving work out.
pub(crate) fn contestant<'a, R>(name: &'static str, mut turn: impl FnMut() -> R + 'a) -> Contestant<'a> {
    (name, Box::new(move || drop(black_box(turn()))))
}

/// The seconds of one turn of each contestant, in its best round.
pub(crate) fn race(contestants: &mut [Contestant<'_>]) -> Vec<f64> {
    let turns: Vec<u32> = contestants.iter_mut().map(|(_, turn)| turns_of_a_round(turn)).collect();
    let mut seconds = vec![f64::INFINITY; contestants.len()];
    let rounds = if turns.contains(&1) { FEW_ROUNDS } else { ROUNDS };
    for _ in 0..rounds {
        for (place, (_, turn)) in contestants.iter_mut().enumerate() {
            let started = Instant::now();
            (0..turns[place]).for_each(|_| turn());
            seconds[place] = seconds[place].min(started.elapsed().as_secs_f64() / f64::from(turns[place]));
        }
    }
    seconds
}

fn turns_of_a_round(turn: &mut dyn FnMut()) -> u32 {
    turn();
    let started = Instant::now();
    turn();
    let once = started.elapsed().max(Duration::from_nanos(100));
    u32::try_from(ROUND.as_nanos() / once.as_nanos()).unwrap_or(1).max(1)
}
