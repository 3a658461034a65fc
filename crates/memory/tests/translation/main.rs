//! Translation, over page tables that the tests build by their own arithmetic.
#![allow(clippy::unwrap_used)]

mod model;
mod other_machines;
mod ram;
mod x64;
