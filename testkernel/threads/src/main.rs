//! A process with many parked threads: `threads NUMBER` prints its process id
//! when all of them stand, and ends when its input does.
#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::sync::{Arc, Barrier};
use std::thread;

/// Parked threads need no stack to speak of.
const STACK: usize = 64 << 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number: usize = std::env::args().nth(1).ok_or("threads NUMBER")?.parse()?;
    let standing = Arc::new(Barrier::new(number + 1));
    for i in 0..number {
        let standing = Arc::clone(&standing);
        thread::Builder::new().name(format!("parked {i}")).stack_size(STACK).spawn(move || {
            standing.wait();
            loop {
                thread::park();
            }
        })?;
    }
    standing.wait();
    println!("{}", std::process::id());
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
