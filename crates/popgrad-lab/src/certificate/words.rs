//! Numbers as words of a line: doubles as 16 hexadecimal digits, counts in decimal, `-` for what is not claimed.

use popgrad::Matrix;
use popgrad_proof::Interval;

/// The bits of a double.
pub(super) fn hex(x: f64) -> String {
    format!("{:016x}", x.to_bits())
}

/// A double from its bits.
pub(super) fn bits(text: &str) -> Result<f64, String> {
    let bits = (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten();
    bits.map(f64::from_bits).ok_or_else(|| format!("the end point \"{text}\" is not 16 hexadecimal digits"))
}

/// A line of a word and doubles.
pub(super) fn line(word: &str, numbers: impl IntoIterator<Item = f64>) -> String {
    numbers.into_iter().fold(word.to_owned(), |text, x| text + " " + &hex(x))
}

/// The ends of an interval.
pub(super) fn ends(x: Interval) -> [f64; 2] {
    [x.lo(), x.hi()]
}

/// A count, or that it is not claimed.
pub(super) fn count(word: &str, x: Option<usize>) -> String {
    x.map_or_else(|| format!("{word} -"), |x| format!("{word} {x}"))
}

/// Lines of a matrix, one a row.
pub(super) fn rows(word: &str, matrix: &Matrix) -> Vec<String> {
    (0..matrix.rows()).map(|i| line(word, matrix.row(i).iter().copied())).collect()
}

/// The lines of a list, read one after the other.
pub(super) struct Lines<'a> {
    list: &'static str,
    all: &'a [String],
    next: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(list: &'static str, lines: &'a [String]) -> Self {
        Self { list, all: lines, next: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.next == self.all.len()
    }

    fn wrong(&self, needed: &str) -> String {
        let got = self.all.get(self.next).map_or("the end", String::as_str);
        format!("{}, line {}: {needed} is needed, not \"{got:.60}\"", self.list, self.next + 1)
    }

    /// The words after a given one, if the next line begins with it.
    fn after(&self, word: &str) -> Option<Vec<&'a str>> {
        let mut words = self.all.get(self.next)?.split(' ');
        (words.next() == Some(word)).then(|| words.collect())
    }

    /// Whether the next line begins with a word.
    pub(super) fn begins(&self, word: &str) -> bool {
        self.after(word).is_some()
    }

    /// The words of the next line after a given one.
    pub(super) fn words(&mut self, word: &str) -> Result<Vec<&'a str>, String> {
        let words = self.after(word).ok_or_else(|| self.wrong(word))?;
        self.next += 1;
        Ok(words)
    }

    /// The doubles of the next line after a given word, so many of them.
    pub(super) fn numbers<const N: usize>(&mut self, word: &str) -> Result<[f64; N], String> {
        let list = self.list(word)?;
        <[f64; N]>::try_from(list)
            .map_err(|_| format!("{}, line {}: {N} numbers are needed", self.list, self.next))
    }

    /// The doubles of the next line after a given word.
    pub(super) fn list(&mut self, word: &str) -> Result<Vec<f64>, String> {
        self.words(word)?.into_iter().map(bits).collect()
    }

    /// An interval.
    pub(super) fn interval(&mut self, word: &str) -> Result<Interval, String> {
        let [lo, hi] = self.numbers(word)?;
        Interval::new(lo, hi).ok_or_else(|| format!("{}, line {}: no interval", self.list, self.next))
    }

    /// A count, or that it is not claimed.
    pub(super) fn count(&mut self, word: &str) -> Result<Option<usize>, String> {
        match self.words(word)?[..] {
            ["-"] => Ok(None),
            [number] => number.parse().map(Some).map_err(|_| format!("\"{number}\" is no count")),
            _ => Err(format!("{}, line {}: one count is needed", self.list, self.next)),
        }
    }

    /// Counts.
    pub(super) fn counts(&mut self, word: &str) -> Result<Vec<usize>, String> {
        let words = self.words(word)?;
        words.into_iter().map(|x| x.parse().map_err(|_| format!("\"{x}\" is no count"))).collect()
    }

    /// The rows of a matrix.
    pub(super) fn matrix(&mut self, word: &str) -> Result<Matrix, String> {
        let mut rows = Vec::new();
        while self.begins(word) {
            rows.push(self.list(word)?);
        }
        let fits = rows
            .first()
            .is_some_and(|first| !first.is_empty() && rows.iter().all(|r| r.len() == first.len()));
        let matrix = fits.then(|| Matrix::try_from_rows(&rows).ok()).flatten();
        matrix.ok_or_else(|| {
            format!("{}, before line {}: the rows are no matrix of finite numbers", self.list, self.next + 1)
        })
    }
}
