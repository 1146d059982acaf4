//! The signs of a whole map, counted: the paper's numerical check of Conjecture 1 as a machine that can be stopped.

use super::{L12Error, L12Map, SignForm};
use std::ops::Range;

/// Counts of signs over the rows done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignCount {
    /// Points where `L12 > 0`.
    pub positive: u64,
    /// Points where `L12 < 0`.
    pub negative: u64,
    /// Points where `L12` is exactly 0.
    pub zero: u64,
    /// Points whose sign is not the one that Conjecture 1 says.
    pub violations: u64,
    /// Points that the certified form evaluated again.
    pub again: u64,
}

/// What a call of [`SignSurvey::advance`] gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignAdvance {
    /// The budget is used up and rows are left.
    Running {
        /// Rows done.
        done: usize,
        /// Rows of the map.
        total: usize,
    },
    /// All rows are done; further calls give the same result.
    Done(SignCount),
}

/// Rows whose signs are formed together.
const TOGETHER: usize = 16;

/// Counts the signs of a map row by row.
///
/// ```
/// use popgrad::{L12Map, SignAdvance, SignForm, SignSurvey};
/// let mut survey = SignSurvey::new(L12Map::try_new(300, 600)?, SignForm::Certified);
/// assert_eq!(survey.advance(100)?, SignAdvance::Running { done: 100, total: 300 });
/// let count = survey.run()?;
/// assert_eq!((count.violations, count.positive + count.negative + count.zero), (0, 300 * 600));
/// # Ok::<(), popgrad::L12Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SignSurvey {
    map: L12Map,
    form: SignForm,
    next: usize,
    count: SignCount,
    /// Signs of the rows at hand.
    rows: Vec<i8>,
}

impl SignSurvey {
    /// Before the first row.
    pub fn new(map: L12Map, form: SignForm) -> Self {
        Self { map, form, next: 0, count: SignCount::default(), rows: Vec::new() }
    }

    /// The map.
    pub fn map(&self) -> &L12Map {
        &self.map
    }

    /// Does up to `rows` more rows. Where it is cut changes nothing.
    ///
    /// # Errors
    ///
    /// None that [`L12Map::signs_into`] does not have.
    pub fn advance(&mut self, rows: usize) -> Result<SignAdvance, L12Error> {
        let total = self.map.thetas();
        let end = total.min(self.next.saturating_add(rows));
        while self.next < end {
            self.count_rows(end.min(self.next + TOGETHER))?;
        }
        Ok(if self.next == total {
            SignAdvance::Done(self.count)
        } else {
            SignAdvance::Running { done: self.next, total }
        })
    }

    /// Does all rows that are left.
    ///
    /// # Errors
    ///
    /// As [`SignSurvey::advance`].
    pub fn run(mut self) -> Result<SignCount, L12Error> {
        self.advance(usize::MAX)?;
        Ok(self.count)
    }

    /// Counts up to the row `end`.
    fn count_rows(&mut self, end: usize) -> Result<(), L12Error> {
        let (start, phis) = (self.next, self.map.phis());
        self.rows.resize((end - start) * phis, 0);
        self.count.again += self.map.signs_into(start..end, self.form, &mut self.rows)? as u64;
        for (i, row) in (start..end).zip(self.rows.chunks_exact(phis)) {
            self.count.add_row(&self.map, i, row);
        }
        self.next = end;
        Ok(())
    }
}

impl SignCount {
    fn add_row(&mut self, map: &L12Map, i: usize, row: &[i8]) {
        let inside = map.inside(i);
        let wrong = map.others(&row[inside.clone()], 1);
        let outside = map.others(&row[..inside.start], -1) + map.others(&row[inside.end..], -1);
        let zeros = map.expected_zeros(i);
        if wrong == 0 && outside == zeros {
            let (all, positive) = (row.len() as u64, inside.len() as u64);
            self.positive += positive;
            self.zero += zeros;
            self.negative += all - positive - zeros;
            return;
        }
        for (m, sign) in row.iter().enumerate() {
            match sign {
                1.. => self.positive += 1,
                0 => self.zero += 1,
                _ => self.negative += 1,
            }
            self.violations += u64::from(*sign != map.conjectured_sign(i, m));
        }
    }
}

impl L12Map {
    /// The columns strictly inside the cone; none on the rows where everything vanishes.
    fn inside(&self, i: usize) -> Range<usize> {
        let (r, n) = (self.thetas() - 1, self.phis() - 1);
        if i == r {
            return 1..1;
        }
        1..(i * n).div_ceil(2 * r).max(1)
    }

    /// How many entries of a row Conjecture 1 says are zero.
    fn expected_zeros(&self, i: usize) -> u64 {
        let (r, n) = (self.thetas() - 1, self.phis() - 1);
        if i == 0 || i == r { self.phis() as u64 } else { 2 + u64::from((i * n).is_multiple_of(2 * r)) }
    }
}
