//! What is signed: callers' batches, the pieces that they are cut into, and the turns that sessions take.

use std::{
    ops::Range,
    sync::{Arc, Condvar, Mutex, atomic::AtomicBool},
    time::Instant,
};

use crate::lock;

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

/// One caller's digests, all for one key.
#[derive(Debug)]
pub(crate) struct Job<E> {
    pub(crate) key: Arc<str>,
    pub(crate) data: Vec<Vec<u8>>,
    pub(crate) lane: Lane,
    pub(crate) queued: Instant,
    pub(crate) begun: AtomicBool,
    pub(crate) progress: Mutex<Progress<E>>,
    pub(crate) finished: Condvar,
}

#[derive(Debug)]
pub(crate) struct Progress<E> {
    pub(crate) answers: Vec<Option<Answer<E>>>,
    pub(crate) left: usize,
    /// Nobody waits any more.
    pub(crate) gone: bool,
}

/// Places of a job: those that wait, or those that a turn has.
#[derive(Debug)]
pub(crate) struct Piece<E> {
    pub(crate) job: Arc<Job<E>>,
    pub(crate) places: Range<usize>,
}

impl<E> Clone for Piece<E> {
    fn clone(&self) -> Self {
        Self { job: Arc::clone(&self.job), places: self.places.clone() }
    }
}

impl<E> Piece<E> {
    /// Answer the first places; those that are left over.
    pub(crate) fn answer(mut self, answers: &mut impl ExactSizeIterator<Item = Answer<E>>) -> Option<Self> {
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
    pub(crate) key: Arc<str>,
    pub(crate) pieces: Vec<Piece<E>>,
    pub(crate) began: Instant,
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

/// Answer all of `pieces` with the same error.
pub(crate) fn refuse<E: Clone>(pieces: Vec<Piece<E>>, error: &E) {
    for piece in pieces {
        let same = vec![Answer::Error(error.clone()); piece.places.len()];
        piece.answer(&mut same.into_iter());
    }
}
