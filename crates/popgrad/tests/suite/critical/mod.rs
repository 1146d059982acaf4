//! Critical points: the normal equation, Theorem 3, `L12` and its map.

mod l12; // golden values of L12 and L21, exact zeros, the signs of Conjecture 1 on grids
mod normal_equation; // golden values, the gradient, Proposition 1, Theorems 3 and 4, error bounds, degenerate points
