//! Critical points: the normal equation, Theorem 3, `L12` and its map.

mod l12; // golden values of L12 and L21, the symmetry, the signs of Conjecture 1 on grids
