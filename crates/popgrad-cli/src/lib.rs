//! The command line `popgrad`, as a library.
