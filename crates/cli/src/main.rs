//! livedump
fn main() {}
