//! The command `popgrad`.

fn main() {}
