//! The `.npy` format, versions 1 to 3: read strictly, written as version 1.
//!
//! The header is a Python dictionary of three keys in ASCII; it is scanned in one pass without recursion, so no
//! file can exhaust the stack, and the size it promises is compared with the bytes present before anything is
//! allocated.

use super::array::shape_text;
use super::{Array, AtomicFile, Overwrite, StorageError};
use std::fs;
use std::io::Write;
use std::path::Path;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Reads a `.npy` file of float64 or float32 entries, in either byte order, C or Fortran order.
///
/// # Errors
///
/// [`StorageError`] if the file cannot be read, is truncated or empty, has more than three axes, holds anything
/// but real floating-point numbers, or has an entry that is not finite.
pub fn read_npy(path: &Path) -> Result<Array, StorageError> {
    let bytes = fs::read(path).map_err(|e| StorageError::reading(path, e))?;
    parse_npy(&bytes, path.display().to_string())
}

/// Writes an array of float64 as a `.npy` file, atomically.
///
/// # Errors
///
/// [`StorageError`] if the name is taken and may not be replaced, or the system refuses.
///
/// # Panics
///
/// If the product of `shape` is not the number of entries.
pub fn write_npy(
    path: &Path,
    shape: &[usize],
    data: &[f64],
    overwrite: Overwrite,
) -> Result<(), StorageError> {
    assert_eq!(shape.iter().product::<usize>(), data.len(), "the shape must hold every entry");
    let mut file = AtomicFile::create(path, overwrite)?;
    let fail = |source| StorageError::Unwritable { path: path.to_owned(), source };
    file.write_all(&header_bytes("<f8", shape)).map_err(fail)?;
    for x in data {
        file.write_all(&x.to_le_bytes()).map_err(fail)?;
    }
    file.commit()
}

/// The bytes before the data: magic, version 1.0, and the header padded to a multiple of 64.
pub(super) fn header_bytes(descr: &str, shape: &[usize]) -> Vec<u8> {
    let dictionary =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {}, }}", shape_text(shape));
    let unpadded = MAGIC.len() + 4 + dictionary.len() + 1;
    let padding = unpadded.next_multiple_of(64) - unpadded;
    let length = u16::try_from(dictionary.len() + padding + 1).expect("three axes fit in a version 1 header");
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend(length.to_le_bytes());
    bytes.extend(dictionary.as_bytes());
    bytes.resize(bytes.len() + padding, b' ');
    bytes.push(b'\n');
    bytes
}

/// Reads the bytes of one `.npy` file; `location` names it in messages.
pub(super) fn parse_npy(bytes: &[u8], location: String) -> Result<Array, StorageError> {
    let malformed = |reason| StorageError::NotNpy { location: location.clone(), reason };
    let (text, data) = split_header(bytes).map_err(malformed)?;
    let header = Header::scan(text).map_err(malformed)?;
    let decode = header.decoder().ok_or_else(|| StorageError::ElementType {
        location: location.clone(),
        what: kind_in_words(&header.descr),
        descr: header.descr.clone(),
    })?;
    let shape = header.check_size(decode.width, data.len(), &location)?;
    let mut entries: Vec<f64> = data.chunks_exact(decode.width).map(decode.read).collect();
    if header.fortran_order && shape.len() > 1 {
        entries = to_c_order(&shape, &entries);
    }
    Array::try_new(location, shape, entries)
}

/// Splits a file into header text and data.
fn split_header(bytes: &[u8]) -> Result<(&str, &[u8]), &'static str> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(match bytes.len() {
        0 => "the file has no bytes",
        _ => "it does not start with the NumPy mark",
    })?;
    let (length, rest) = match rest {
        [1, 0, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, 0, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        [1..=3, 0, ..] | [_] | [] => return Err("it ends inside its header"),
        _ => return Err("its format version is not 1, 2 or 3"),
    };
    if rest.len() < length {
        return Err("it ends inside its header");
    }
    let (text, data) = rest.split_at(length);
    Ok((std::str::from_utf8(text).map_err(|_| "its header is not text")?, data))
}

/// The three keys of a header.
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<u64>,
}

/// How many bytes an entry has, and how they are read.
struct Decoder {
    width: usize,
    read: fn(&[u8]) -> f64,
}

impl Header {
    fn scan(text: &str) -> Result<Self, &'static str> {
        const BAD: &str = "its header is damaged";
        let value = |key: &str| text.split_once(key).map(|(_, rest)| rest.trim_start()).ok_or(BAD);
        let descr = scan_descr(value("'descr':")?).ok_or(BAD)?;
        let order = value("'fortran_order':")?;
        let fortran_order = match (order.starts_with("True"), order.starts_with("False")) {
            (true, _) => true,
            (_, true) => false,
            _ => return Err(BAD),
        };
        let shape = value("'shape':")?.strip_prefix('(').and_then(|s| s.split_once(')')).ok_or(BAD)?.0;
        let shape: Option<Vec<u64>> = shape
            .split(',')
            .map(str::trim)
            .filter(|axis| !axis.is_empty())
            .map(|axis| axis.trim_end_matches('L').parse().ok())
            .collect();
        Ok(Self { descr, fortran_order, shape: shape.ok_or(BAD)? })
    }

    fn decoder(&self) -> Option<Decoder> {
        let (width, read): (usize, fn(&[u8]) -> f64) = match self.descr.as_str() {
            "<f8" => (8, |b| f64::from_le_bytes(fixed(b))),
            ">f8" => (8, |b| f64::from_be_bytes(fixed(b))),
            "<f4" => (4, |b| f64::from(f32::from_le_bytes(fixed(b)))),
            ">f4" => (4, |b| f64::from(f32::from_be_bytes(fixed(b)))),
            _ => return None,
        };
        Some(Decoder { width, read })
    }

    /// Compares the size the shape promises with the bytes present.
    fn check_size(&self, width: usize, have: usize, location: &str) -> Result<Vec<usize>, StorageError> {
        let shape = || shape_text(&self.shape);
        // No product of u64 axes is lost: it saturates far above any file.
        let count = self.shape.iter().fold(1u128, |n, &axis| n.saturating_mul(u128::from(axis)));
        let need = count.saturating_mul(width as u128);
        if need > have as u128 {
            return Err(StorageError::Truncated {
                location: location.to_owned(),
                shape: shape(),
                need,
                have,
            });
        }
        let need = usize::try_from(need).expect("at most the length of a file in memory");
        if need < have {
            return Err(StorageError::Trailing {
                location: location.to_owned(),
                shape: shape(),
                extra: have - need,
            });
        }
        let axes: Result<Vec<usize>, _> = self.shape.iter().map(|&axis| usize::try_from(axis)).collect();
        axes.map_err(|_| StorageError::Empty { location: location.to_owned(), shape: shape() })
    }
}

/// The quoted type, or the whole list of a structured type.
fn scan_descr(rest: &str) -> Option<String> {
    let quote = rest.chars().next()?;
    if quote == '\'' || quote == '"' {
        return rest[1..].split_once(quote).map(|(descr, _)| descr.to_owned());
    }
    rest.starts_with('[').then(|| "structured".to_owned())
}

fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("chunks have the width of an entry")
}

/// What NumPy's type letter means, for the refusal.
fn kind_in_words(descr: &str) -> &'static str {
    match descr.trim_start_matches(['<', '>', '|', '=']).chars().next() {
        Some('c') => "complex numbers",
        Some('i' | 'u') => "integers",
        Some('b') => "booleans",
        Some('O') => "Python objects",
        Some('S' | 'U' | 'a') => "text",
        Some('M' | 'm') => "dates or durations",
        Some('f') => "floating-point numbers of another width",
        Some('s') => "records",
        _ => "entries of an unknown type",
    }
}

/// Turns Fortran order into C order.
fn to_c_order(shape: &[usize], fortran: &[f64]) -> Vec<f64> {
    let mut strides = vec![1; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    let mut out = Vec::with_capacity(fortran.len());
    let mut index = vec![0; shape.len()];
    for _ in 0..fortran.len() {
        out.push(fortran[index.iter().zip(&strides).map(|(i, s)| i * s).sum::<usize>()]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(descr: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let text = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn refusal(bytes: &[u8]) -> String {
        parse_npy(bytes, "w.npy".to_owned()).unwrap_err().to_string()
    }

    fn doubles(values: &[f64]) -> Vec<u8> {
        values.iter().flat_map(|x| x.to_le_bytes()).collect()
    }

    #[test]
    fn both_orders_and_both_byte_orders_give_the_same_array() {
        let want = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let c = file("'<f8'", "False", "(2, 3)", &doubles(&want));
        let fortran = file("'<f8'", "True", "(2, 3)", &doubles(&[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]));
        let big: Vec<u8> = want.iter().flat_map(|x| x.to_be_bytes()).collect();
        let big = file("'>f8'", "False", "(2, 3)", &big);
        let single: Vec<u8> =
            [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let single = file("'<f4'", "False", "(2, 3)", &single);
        for bytes in [c, fortran, big, single] {
            let array = parse_npy(&bytes, "w.npy".to_owned()).unwrap();
            assert_eq!((array.shape(), array.as_slice()), (&[2, 3][..], &want[..]));
        }
    }

    #[test]
    fn three_axes_in_fortran_order_are_turned() {
        let fortran: Vec<f64> = vec![0.0, 4.0, 2.0, 6.0, 1.0, 5.0, 3.0, 7.0];
        let array =
            parse_npy(&file("'<f8'", "True", "(2, 2, 2)", &doubles(&fortran)), "w".to_owned()).unwrap();
        assert_eq!(array.as_slice(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    }

    #[test]
    fn what_is_written_is_read_back_to_the_bit() {
        let values = [0.1, -1e-300, 5e-324, f64::MAX];
        let bytes = [header_bytes("<f8", &[2, 2]), doubles(&values)].concat();
        assert_eq!(header_bytes("<f8", &[2, 2]).len() % 64, 0);
        assert_eq!(parse_npy(&bytes, "w".to_owned()).unwrap().as_slice(), values);
    }

    #[test]
    fn other_types_are_refused_by_name() {
        for (descr, what) in [
            ("'<c16'", "complex numbers (dtype <c16)"),
            ("'<i8'", "integers (dtype <i8)"),
            ("'|u1'", "integers (dtype |u1)"),
            ("'|b1'", "booleans (dtype |b1)"),
            ("'|O'", "Python objects (dtype |O)"),
            ("'<U3'", "text (dtype <U3)"),
            ("'<f2'", "floating-point numbers of another width (dtype <f2)"),
            ("[('a', '<f8')]", "records (dtype structured)"),
        ] {
            let want = format!("w.npy holds {what}; float64 or float32 is needed");
            assert_eq!(refusal(&file(descr, "False", "(1, 1)", &[0; 8])), want);
        }
    }

    #[test]
    fn sizes_that_do_not_match_are_refused_with_both_numbers() {
        assert_eq!(
            refusal(&file("'<f8'", "False", "(2, 3)", &[0; 40])),
            "w.npy is truncated: shape (2, 3) needs 48 bytes of data, the file has 40"
        );
        let huge = "(4294967296, 4294967296, 4294967296, 4294967296)";
        assert!(refusal(&file("'<f8'", "False", huge, &[0; 8])).starts_with("w.npy is truncated: shape ("));
        assert_eq!(
            refusal(&file("'<f8'", "False", "(1, 1)", &[0; 11])),
            "w.npy has 3 bytes after its array of shape (1, 1); one array a file is needed"
        );
        assert_eq!(
            refusal(&file("'<f8'", "False", "(0, 3)", &[])),
            "w.npy is empty (shape (0, 3)); at least one entry is needed"
        );
        assert_eq!(
            refusal(&file("'<f8'", "False", "()", &[0; 8])),
            "w.npy has shape (); an array of one to three axes is needed"
        );
    }

    #[test]
    fn an_entry_that_is_not_finite_is_named() {
        let bytes = file("'<f8'", "False", "(2, 2)", &doubles(&[0.0, 1.0, f64::NAN, 0.0]));
        assert_eq!(refusal(&bytes), "w.npy has the entry [1, 0] = NaN; every entry must be finite");
    }

    #[test]
    fn a_damaged_header_is_refused_wherever_it_is_cut() {
        let whole = file("'<f8'", "False", "(1, 1)", &doubles(&[1.0]));
        for length in 0..whole.len() {
            let message = refusal(&whole[..length]);
            assert!(message.starts_with("w.npy is "), "{length}: {message}");
        }
        for bad in ["{}", "{'descr': 3, 'fortran_order': False, 'shape': ()}", "((((((((", "'descr':"] {
            let mut bytes = MAGIC.to_vec();
            bytes.extend([1, 0, u8::try_from(bad.len()).unwrap(), 0]);
            bytes.extend(bad.as_bytes());
            assert!(refusal(&bytes).contains("its header is damaged"), "{bad}");
        }
    }
}
