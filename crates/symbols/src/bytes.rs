//! Little-endian reads that say `None` instead of leaving the slice.

/// `N` bytes at `offset`.
pub(crate) fn array<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..offset.checked_add(N)?)?.try_into().ok()
}

/// A 16-bit number at `offset`.
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    array(bytes, offset).map(u16::from_le_bytes)
}

/// A 32-bit number at `offset`.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    array(bytes, offset).map(u32::from_le_bytes)
}

/// The text up to the first zero byte, and the length of it with the zero.
/// `None` where there is no zero.
pub(crate) fn c_string(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let length = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..length], length + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let bytes = [1, 2, 3, 4, 0];
        assert_eq!(u32_at(&bytes, 0), Some(0x0403_0201));
        assert_eq!(u32_at(&bytes, 2), None);
        assert_eq!(u16_at(&bytes, usize::MAX), None);
        assert_eq!(c_string(&bytes[2..]), Some((&bytes[2..4], 3)));
        assert_eq!(c_string(&bytes[..4]), None);
    }
}
