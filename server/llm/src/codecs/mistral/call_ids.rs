//! Tool calls' ids, which Mistral wants to be nine letters or digits.

use std::borrow::Cow;

const LENGTH: usize = 9;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The ids of one conversation. An id gives the same one in every request, whoever made it.
#[derive(Debug, Default)]
pub(super) struct CallIds {
    /// Calls and results that came without an id, which belong together by their order.
    calls: u32,
    results: u32,
}

impl CallIds {
    pub(super) fn of_call<'a>(&mut self, id: &'a str) -> Cow<'a, str> {
        accepted(id, &mut self.calls)
    }

    pub(super) fn of_result<'a>(&mut self, id: &'a str) -> Cow<'a, str> {
        accepted(id, &mut self.results)
    }
}

fn accepted<'a>(id: &'a str, without: &mut u32) -> Cow<'a, str> {
    if id.len() == LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Cow::Borrowed(id)
    } else if id.is_empty() {
        *without += 1;
        Cow::Owned(digest(&format!("call {without}")))
    } else {
        Cow::Owned(digest(id))
    }
}

/// Nine digits to base 62 that an id always has: FNV-1a, with its bits mixed once more.
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
fn digest(id: &str) -> String {
    let mut hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    let mut digits = String::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        digits.push(char::from(
            DIGITS[usize::try_from(hash % 62).expect("below 62")],
        ));
        hash /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_that_fit_stay() {
        assert_eq!(CallIds::default().of_call("D681PevKs"), "D681PevKs");
    }

    #[test]
    fn others_are_mapped_the_same_for_call_and_result() {
        let mut seen = HashSet::new();
        for at in 0..10_000 {
            let id = format!("call_{at}");
            let mut ids = CallIds::default();
            let given = ids.of_call(&id).into_owned();
            assert_eq!(ids.of_result(&id), given);
            assert!(given.len() == 9 && given.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(seen.insert(given));
        }
    }

    #[test]
    fn calls_without_an_id_are_told_apart() {
        let mut ids = CallIds::default();
        let (first, second) = (ids.of_call("").into_owned(), ids.of_call("").into_owned());
        assert_ne!(first, second);
        assert_eq!(ids.of_result(""), first);
        assert_eq!(ids.of_result(""), second);
    }
}
