//! Prints the accuracy table as Markdown; `cargo xtask docs` writes it to `docs/accuracy.md`.
#![allow(clippy::print_stdout)]

fn main() {
    print!("{}", popgrad::accuracy::page());
}
