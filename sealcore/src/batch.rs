//! Batches over threads. Threads live as long as the call, so that a forked process never waits for a pool that the
//! fork has left behind.

use std::{
    num::NonZero,
    panic,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// `work` for each index below `count`, on at most `threads` threads (None: as many as there are cores).
/// `weight` is roughly how many nanoseconds the whole batch takes: what is done sooner than threads start stays here.
pub(crate) fn map<R: Send>(
    count: usize,
    weight: u64,
    threads: Option<usize>,
    work: impl Fn(usize) -> R + Sync,
) -> Vec<R> {
    const WORTH_A_THREAD: u64 = 100_000;
    // Asking costs 50 µs on Linux (it reads the control group's files), more than most small batches take.
    static CORES: OnceLock<usize> = OnceLock::new();
    let cores = || *CORES.get_or_init(|| thread::available_parallelism().map_or(1, NonZero::get));
    let worth = usize::try_from(weight / WORTH_A_THREAD).unwrap_or(usize::MAX).min(count);
    let threads = if worth <= 1 { 1 } else { threads.unwrap_or_else(cores).min(worth) };
    if threads <= 1 {
        return (0..count).map(work).collect();
    }
    // Small blocks, so that uneven items do not leave a thread waiting.
    let block = count.div_ceil(threads * 32).max(1);
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let start = next.fetch_add(block, Ordering::Relaxed);
            if start >= count {
                return done;
            }
            done.push((start, (start..count.min(start + block)).map(&work).collect::<Vec<R>>()));
        }
    };
    let mut blocks = thread::scope(|scope| {
        let handles: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        let mut blocks = worker();
        for handle in handles {
            blocks.extend(handle.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
        }
        blocks
    });
    blocks.sort_unstable_by_key(|(start, _)| *start);
    blocks.into_iter().flat_map(|(_, results)| results).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_stand_in_the_order_of_the_batch() {
        for count in [0, 1, 2, 7, 100, 1001] {
            for threads in [1, 2, 3, 16] {
                let squares = super::map(count, u64::MAX, Some(threads), |index| index * index);
                assert_eq!((0..count).map(|index| index * index).collect::<Vec<_>>(), squares);
            }
        }
    }
}
