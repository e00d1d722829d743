//! The crate from outside, as Rust sees it. One binary, as each costs a link of everything.

#[path = "../harness/mod.rs"]
mod harness;

mod json;
mod mutations;
mod signatures;
