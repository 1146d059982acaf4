//! Searches in symmetric subspaces: families of blocks, and those with more students than teachers.

use super::plan::AtlasPlan;
use popgrad::{
    BlockFamily, CriticalError, FamilyPoint, RandomStream, SearchEnd, SearchStatus, SurplusFamily, TwoLayer,
};

/// A subspace that a group of permutations fixes.
#[derive(Debug)]
pub(super) enum Subspace {
    /// As many students as teachers: where the search begins, the family itself or a smaller one, and the family.
    Blocks(BlockFamily, BlockFamily),
    /// More students than teachers.
    Surplus(Box<SurplusFamily>),
}

/// Where a search in a subspace ended.
pub(super) enum SubspaceEnd {
    /// At a point of a family that has no more symmetry than the family gives it.
    Point(BlockFamily, FamilyPoint),
    /// At a critical point of more students than teachers.
    Students(SearchEnd),
    /// At a point of a larger group.
    MoreSymmetric,
    /// At no critical point.
    Nowhere,
}

impl Subspace {
    /// The subspace of blocks of these sizes; students beyond the blocks are fixed one by one.
    pub(super) fn try_new(plan: &AtlasPlan, sizes: &[usize]) -> Result<Self, CriticalError> {
        let family = family(sizes)?;
        // The teacher is a point of every family; classifying it refuses problems that the family does not belong to.
        let (coordinates, loss, gradient_norm) = (family.teacher(), 0.0, 0.0);
        family.classify(&plan.problem, &FamilyPoint { coordinates, loss, gradient_norm })?;
        let surplus = plan.students.saturating_sub(sizes.iter().sum());
        if surplus > 0 {
            return Ok(Self::Surplus(Box::new(SurplusFamily::try_new(sizes, surplus)?)));
        }
        let origin = plan.continue_from.map_or(Ok(family.clone()), |k| self::family(&resized(sizes, k)))?;
        Ok(Self::Blocks(origin, family))
    }

    /// A search from a random start.
    pub(super) fn search(
        &self,
        problem: &TwoLayer,
        mut stream: RandomStream,
        index: usize,
    ) -> Result<SubspaceEnd, CriticalError> {
        match self {
            Self::Blocks(origin, family) => {
                let start = origin.random_start(&mut stream);
                family_point(origin, family, &start, index)
            }
            Self::Surplus(family) => {
                let end = family.find(problem, &family.random_start(&mut stream), index)?;
                let there = end.status == SearchStatus::Converged;
                Ok(if there { SubspaceEnd::Students(end) } else { SubspaceEnd::Nowhere })
            }
        }
    }
}

/// A search in the first family, followed to the second if that is another one.
fn family_point(
    origin: &BlockFamily,
    family: &BlockFamily,
    start: &[f64],
    index: usize,
) -> Result<SubspaceEnd, CriticalError> {
    let found = origin
        .find(start, index)
        .and_then(|point| if origin == family { Ok(point) } else { origin.continue_to(&point, family) });
    match found {
        Ok(point) if family.is_proper(&point.coordinates)? => Ok(SubspaceEnd::Point(family.clone(), point)),
        Ok(_) => Ok(SubspaceEnd::MoreSymmetric),
        Err(CriticalError::NotFound { .. } | CriticalError::ZeroBlock { .. }) => Ok(SubspaceEnd::Nowhere),
        Err(error) => Err(error),
    }
}

fn family(sizes: &[usize]) -> Result<BlockFamily, CriticalError> {
    BlockFamily::try_new(&sizes.iter().map(|p| *p as f64).collect::<Vec<f64>>())
}

/// The sizes with the largest block, the last of several, such that they add up to `k`; at least two units stay in it.
fn resized(sizes: &[usize], k: usize) -> Vec<usize> {
    let mut out = sizes.to_vec();
    let others = |i: usize| sizes.iter().sum::<usize>() - sizes[i];
    if let Some(largest) = (0..sizes.len()).max_by_key(|i| sizes[*i]).filter(|i| sizes[*i] > 1) {
        out[largest] = k.saturating_sub(others(largest)).max(2);
    }
    out
}
