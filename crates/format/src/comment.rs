//! The header's comment field.

/// File offset of the comment in a 64-bit header. (H)
pub const COMMENT_OFFSET: u64 = 0xFB0;

/// Bytes of the comment, its closing 0 included: 127 characters fit. (H)
pub const COMMENT_SIZE: usize = 128;

/// Decodes a comment field: up to its 0, or all of it. Absent when it still
/// holds the filler or is empty. Bytes that are not printable ASCII become `?`.
pub fn comment_field(field: &[u8; COMMENT_SIZE]) -> Option<String> {
    if field.starts_with(b"PAGEPAGE") || field[0] == 0 {
        return None;
    }
    let text = field.split(|byte| *byte == 0).next().unwrap_or_default();
    let shown = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte),
        _ => '?',
    };
    Some(text.iter().map(shown).collect())
}

/// The 128 bytes to write at [`COMMENT_OFFSET`] for a comment; `None` when
/// it is longer than 127 characters or not printable ASCII. An empty text is
/// a field of zeros. What the field held before is the caller's to keep.
pub fn set_comment(text: &str) -> Option<[u8; COMMENT_SIZE]> {
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let mut field = [0; COMMENT_SIZE];
    if !printable || text.len() >= COMMENT_SIZE {
        return None;
    }
    field[..text.len()].copy_from_slice(text.as_bytes());
    Some(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_comes_back_as_it_was_set() {
        assert_eq!(comment_field(&set_comment("ticket 4711").unwrap()).unwrap(), "ticket 4711");
        let longest = "x".repeat(127);
        assert_eq!(comment_field(&set_comment(&longest).unwrap()).unwrap(), longest);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(set_comment(&"x".repeat(128)), None);
        assert_eq!(set_comment("caf\u{e9}"), None);
        assert_eq!(set_comment("two\nlines"), None);
    }

    #[test]
    fn filler_is_no_comment_and_nothing_need_end_it() {
        let mut field = [0; COMMENT_SIZE];
        field.copy_from_slice(&b"PAGE".repeat(32));
        assert_eq!(comment_field(&field), None);
        assert_eq!(comment_field(&[0; COMMENT_SIZE]), None);
        assert_eq!(comment_field(&[b'a'; COMMENT_SIZE]).unwrap().len(), 128);
        let mut foreign = [0; COMMENT_SIZE];
        foreign[..2].copy_from_slice(&[0x1B, b'b']);
        assert_eq!(comment_field(&foreign).unwrap(), "?b");
    }
}
