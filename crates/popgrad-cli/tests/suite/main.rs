//! The binary in scratch folders, one file a verb, and whole outputs compared.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod basin; // Theorem 6: numbers, text and JSON
mod certify; // proofs, certificates, and what they reject
mod critical; // the table of classes, the atlas, partial atlases, bad input
mod eval; // loss, gradient, Hessian at a point, and every bad input of it
mod eval_cnn; // the convolutional network at a point, and every bad input of it
mod flow; // trajectories, their files, stops, signals
mod flow_cnn; // trajectories and portrait of the convolutional network, and every bad input of them
mod portrait; // the picture of the plane and the numbers behind it
mod reproduce; // the frame of the report
mod scratch; // a folder and the binary in it
mod sweep; // folders of ensembles: bytes, kills, damage, locks, mistakes
mod usage; // mistakes on the command line itself, help, pipes
