//! Parsing never panics; canonical(canonical(x)) = canonical(x); parse(canonical(x)) equals x; serde_json agrees.
#![no_main]

#[path = "../../tests/harness/claims.rs"]
#[allow(dead_code, unreachable_pub)] // each target holds to a part
mod claims;

libfuzzer_sys::fuzz_target!(|text: &[u8]| claims::check_json(text));
