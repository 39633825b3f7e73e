//! Values in one text, each with its length before it: `6:gpt-4o3:200`, and `:` alone for null.
//! <https://cr.yp.to/proto/netstrings.txt>, without the commas
//!
//! Each column of a row costs more on its way out of SQLite than to read there. So rows with many columns, and many small
//! rows, come as one value. SQLite takes texts for bytes: they may have anything in them.

/// SQL: the values of these expressions in one text.
pub(super) fn of<'c>(values: impl IntoIterator<Item = (&'c str, &'c str)>) -> String {
    let values = values.into_iter();
    let values =
        values.map(|(length_of, value)| format!("octet_length({length_of}), ':', {value}"));
    format!("concat({})", values.collect::<Vec<_>>().join(", "))
}

/// Appends one.
pub(super) fn push(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(value.len().to_string().as_bytes());
    out.push(b':');
    out.extend_from_slice(value);
}

/// Takes one from the front. `None`: there is none; `Some(None)`: it is null.
pub(super) fn take<'b>(rest: &mut &'b [u8]) -> Option<Option<&'b [u8]>> {
    let end = rest.iter().position(|byte| *byte == b':')?;
    let (digits, after) = (&rest[..end], &rest[end + 1..]);
    let mut length = 0_usize;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        length = length
            .checked_mul(10)?
            .checked_add(usize::from(digit - b'0'))?;
    }
    let (value, after) = after.split_at_checked(length)?;
    *rest = after;
    Some((end > 0).then_some(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{push, take};

    proptest! {
        #[test]
        fn what_goes_in_comes_out(values in prop::collection::vec(prop::option::of(".{0,20}"), 0..9)) {
            let mut all = Vec::new();
            for value in &values {
                match value {
                    Some(value) => push(&mut all, value.as_bytes()),
                    None => all.push(b':'),
                }
            }
            let mut rest = all.as_slice();
            for value in &values {
                prop_assert_eq!(take(&mut rest), Some(value.as_ref().map(String::as_bytes)));
            }
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn taking_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut rest = bytes.as_slice();
            while take(&mut rest).is_some() {}
        }
    }

    #[test]
    fn lengths_are_lengths() {
        for wrong in ["", "5", "5:four", "-1:", "1a:bc", "99999999999999999999:x"] {
            assert_eq!(take(&mut wrong.as_bytes()), None, "{wrong}");
        }
    }
}
