//! Fields of the type `bytes`.

use crate::text::Text;

/// Base64 in the standard alphabet, padded. What is written in the alphabet for URLs, as some SDKs do, is
/// converted; anything else stays the slice that it is.
pub(crate) fn standard_base64(data: Text) -> Text {
    if memchr::memchr2(b'-', b'_', data.as_bytes()).is_none() && data.len().is_multiple_of(4) {
        return data;
    }
    let mut standard = String::with_capacity(data.len() + 3);
    for character in data.chars() {
        standard.push(match character {
            '-' => '+',
            '_' => '/',
            other => other,
        });
    }
    while !standard.len().is_multiple_of(4) {
        standard.push('=');
    }
    Text::from(standard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_for_urls_is_converted() {
        assert_eq!(standard_base64(Text::from("a-b_")), "a+b/");
        assert_eq!(standard_base64(Text::from("_w")), "/w==");
        let same = Text::from("AAA=");
        assert_eq!(
            standard_base64(same.clone()).as_bytes().as_ptr(),
            same.as_bytes().as_ptr()
        );
    }
}
