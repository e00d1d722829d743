//! Spoilt texts by the million: nothing panics, nothing is promised in vain.

use std::time::Instant;

use crate::harness::{claims, mutations::Mutations, random::Random};

fn run(seed: u64, inputs: usize) {
    let mut mutations = Mutations::new(seed);
    let mut random = Random(seed);
    for number in 0..inputs {
        let text = if number % 16 == 0 {
            (0..random.below(40)).map(|_| random.bits() as u8).collect()
        } else {
            mutations.next_text()
        };
        claims::check_json(&text);
        if number % 8 == 0 {
            claims::check_jws(&text);
        }
    }
}

#[test]
fn forty_thousand_spoilt_texts_keep_every_promise() {
    run(1, 40_000);
}

/// `make soak`: ESEAL_SOAK_INPUTS texts (ten million) from ESEAL_SOAK_SEED on.
#[test]
#[ignore = "a long run; `make soak` asks for it"]
fn ten_million_spoilt_texts_keep_every_promise() {
    let asked = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let (seed, inputs) = (asked("ESEAL_SOAK_SEED", 7), asked("ESEAL_SOAK_INPUTS", 10_000_000));
    let started = Instant::now();
    run(seed as u64, inputs);
    println!("{inputs} texts from seed {seed} in {:.0} s", started.elapsed().as_secs_f64());
}
