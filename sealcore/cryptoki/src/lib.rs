//! Signatures in a PKCS#11 token, many callers to many sessions, without the interpreter's lock.
//!
//! ```text
//! Lanes::sign        a caller's batch waits in one of two lanes, at the longest until its deadline    (lanes)
//! Lanes::serve       a session's thread takes turns, for as long as nothing goes wrong                (seat)
//! Signer::sign_many  C_SignInit and C_Sign, in a loop                                                 (signer)
//! Turn               what a session signs at a stretch: pieces of callers' batches                     (turn)
//! ```
//!
//! Everything else about a token (starting the module, logging in, finding keys, recovery) is Python's, which can say it
//! better. This much is here because each call from Python gives the interpreter's lock away and takes it back, and each
//! caller that is woken does so too: with tens of sessions on a network HSM that costs more than the signatures.
//!
//! The crate exists apart from `sealcore` because calling a vendor's library is `unsafe`, and `sealcore` forbids that.
//! Only `signer` holds such code. What it offers is safe as far as the module is what it says it is: handles that mean
//! nothing to the module are refused by it (CKR_SESSION_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID), and every buffer is as
//! long as it is said to be.

mod lanes;
mod seat;
mod signer;
mod turn;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use lanes::{Answers, Lanes, Limits, NotTaken, Observed};
pub use seat::{Interrupted, Seat, Session};
pub use signer::{NotLoaded, Number, Pss, Signed, Signer, Signing};
pub use turn::{Answer, Lane, Turn};

/// Nothing here can panic while it holds a lock, and if it did, callers with deadlines must not.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
