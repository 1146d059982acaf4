//! The project's front door: `cargo xtask test|lint|docs|bench|golden`.

fn main() {}
