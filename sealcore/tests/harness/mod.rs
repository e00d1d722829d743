//! What tests, benchmarks and fuzzing share: randomness that a seed decides, and documents made from it.

#![allow(dead_code, unreachable_pub)] // each of them uses a part

pub mod claims;
pub mod documents;
pub mod keys;
pub mod mutations;
pub mod random;
