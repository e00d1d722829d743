//! Verifying signatures in a batch, against the crypto library's own verification with the same keys.
//!
//!     cargo bench --no-default-features --bench verification
//!
//! Each batch is 512 signatures of one key over different payloads of 1 KB.

use std::hint::black_box;

use sealcore::{
    jws::SigningInput,
    signature::{Claim, PublicKey, verify_many},
};

#[path = "../tests/harness/mod.rs"]
mod harness;
mod race;

use harness::keys::Key;
use race::{contestant, race};

const BATCH: usize = 512;

fn main() {
    println!(
        "{:<8}{:>14}{:>14}{:>14}{:>12}{:>22}",
        "", "library, 1/s", "1 thread, 1/s", "2 threads", "of library", "2 threads against one"
    );
    for name in ["ES256", "ES384", "RS256", "PS256"] {
        measure(&Key::new(name));
    }
}

fn measure(key: &Key) {
    let payloads: Vec<Vec<u8>> = (0..BATCH).map(|number| format!("{number:01024}").into_bytes()).collect();
    let input = |payload| SigningInput { protected: "eyJhbGciOiJ0ZXN0In0", payload, b64: false };
    let messages: Vec<_> = payloads.iter().map(|payload| input(payload).bytes()).collect();
    let signatures: Vec<_> = messages.iter().map(|message| key.sign(message)).collect();
    let (public, raw) = (PublicKey::from_spki(&key.spki()).expect("a key"), key.raw());
    let claims: Vec<_> = payloads
        .iter()
        .zip(&signatures)
        .map(|(payload, signature)| Claim {
            key: &public,
            algorithm: Some(key.algorithm),
            input: input(payload),
            signature,
        })
        .collect();
    assert!(verify_many(&claims, Some(2)).into_iter().all(|verified| verified));
    let library = || {
        for (message, signature) in messages.iter().zip(&signatures) {
            black_box(raw.verify_sig(message, signature)).expect("verified");
        }
    };
    let seconds = race(&mut [
        contestant("library", library),
        contestant("one thread", || verify_many(&claims, Some(1))),
        contestant("two threads", || verify_many(&claims, Some(2))),
    ]);
    let rate = |place: usize| BATCH as f64 / seconds[place];
    println!(
        "{:<8}{:>14.0}{:>14.0}{:>14.0}{:>12.2}{:>21.2}x",
        key.name,
        rate(0),
        rate(1),
        rate(2),
        rate(1) / rate(0),
        rate(2) / rate(1)
    );
}
