//! Reading a JWS never panics, and signature texts are the only ones for their bytes.
#![no_main]

#[path = "../../tests/harness/claims.rs"]
#[allow(dead_code, unreachable_pub)] // each target holds to a part
mod claims;

libfuzzer_sys::fuzz_target!(|text: &[u8]| claims::check_jws(text));
