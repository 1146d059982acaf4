//! Arrays as NumPy writes them: what is read, to the bit, and what is refused, in whole sentences.

use popgrad_lab::storage::read_array;

const W: [f64; 6] = [1.0, -2.5, 3.0, 0.125, 5.0, -6.75];

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The refusal of a fixture, without the folder in front of its name.
fn refusal(name: &str) -> String {
    let message = read_array(&fixture(name)).unwrap_err().to_string();
    message.replace(&fixture(""), "")
}

#[test]
fn every_order_width_and_byte_order_gives_the_same_array() {
    for name in [
        "c_order.npy",
        "fortran_order.npy",
        "float32.npy",
        "float32_fortran.npy",
        "big_endian.npy",
        "archive.npz:w",
        "archive.npz:f",
        "compressed.npz:w",
    ] {
        let array = read_array(&fixture(name)).unwrap();
        assert_eq!((array.shape(), array.as_slice()), (&[2, 3][..], &W[..]), "{name}");
    }
}

#[test]
fn one_and_three_axes_are_read() {
    let vector = read_array(&fixture("vector.npy")).unwrap();
    assert_eq!((vector.shape(), vector.as_slice()), (&[3][..], &W[..3]));
    let stack = read_array(&fixture("three_axes_fortran.npy")).unwrap();
    assert_eq!(stack.shape(), [2, 2, 3]);
    assert_eq!(stack.as_slice(), [W, W.map(|x| 2.0 * x)].concat());
}

#[test]
fn everything_else_is_refused_in_one_sentence() {
    let needed = "float64 or float32 is needed";
    let expected = [
        ("complex.npy", format!("complex.npy holds complex numbers (dtype <c16); {needed}")),
        ("integer.npy", format!("integer.npy holds integers (dtype <i8); {needed}")),
        ("boolean.npy", format!("boolean.npy holds booleans (dtype |b1); {needed}")),
        ("object.npy", format!("object.npy holds Python objects (dtype |O); {needed}")),
        ("record.npy", format!("record.npy holds records (dtype structured); {needed}")),
        (
            "float16.npy",
            format!("float16.npy holds floating-point numbers of another width (dtype <f2); {needed}"),
        ),
        ("archive.npz:n", format!("archive.npz:n holds integers (dtype <i8); {needed}")),
        ("empty.npy", "empty.npy is empty (shape (0, 3)); at least one entry is needed".to_owned()),
        ("scalar.npy", "scalar.npy has shape (); an array of one to three axes is needed".to_owned()),
        (
            "truncated.npy",
            "truncated.npy is truncated: shape (2, 3) needs 48 bytes of data, the file has 43".to_owned(),
        ),
        ("none.npy", "none.npy does not exist".to_owned()),
        ("none.npz:w", "none.npz does not exist".to_owned()),
        ("archive.npz:v", "archive.npz has no member \"v\"; it has f, n, w".to_owned()),
        (
            "archive.npz",
            "archive.npz is an archive; name one member as archive.npz:NAME (it has f, n, w)".to_owned(),
        ),
    ];
    for (name, want) in expected {
        assert_eq!(refusal(name), want);
    }
}
