//! The DLL brings its own entry point: none of the C runtime's start-up may come before it.
#![forbid(unsafe_code)]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-nostartfiles");
}
