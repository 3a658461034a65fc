//! The trait, and memory as bytes.

use std::io;
use std::sync::Arc;

/// Bytes that can be read at any offset, by several threads at once.
pub trait Bytes: Send + Sync {
    /// How many there are, as found when they were opened.
    fn len(&self) -> u64;

    /// Fills `buffer` from `offset` and says how many bytes that were. Fewer
    /// than asked for only where the bytes end.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// All of them, where they lie in memory anyway (mapped, or held): the
    /// fast way for who reads many. `None` for what is read by position.
    fn as_slice(&self) -> Option<&[u8]> {
        None
    }

    /// How many bytes from `offset` on are a hole: zeros that need not be read
    /// to be known. 0 where there is none, or where that cannot be told.
    fn hole_at(&self, offset: u64) -> u64 {
        let _ = offset;
        0
    }

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills the whole of `buffer`, or fails with [`io::ErrorKind::UnexpectedEof`].
    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        match self.read_at(offset, buffer)? {
            read if read == buffer.len() => Ok(()),
            read => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the file ends {} bytes before what was asked for", buffer.len() - read),
            )),
        }
    }
}

impl Bytes for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.get(start..));
        let rest = rest.unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn as_slice(&self) -> Option<&[u8]> {
        Some(self)
    }
}

impl Bytes for Vec<u8> {
    fn len(&self) -> u64 {
        Bytes::len(&self[..])
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Bytes::read_at(&self[..], offset, buffer)
    }

    fn as_slice(&self) -> Option<&[u8]> {
        Some(self)
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<T: Bytes + ?Sized> Bytes for $pointer {
            fn len(&self) -> u64 {
                (**self).len()
            }

            fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
                (**self).read_at(offset, buffer)
            }

            fn as_slice(&self) -> Option<&[u8]> {
                Bytes::as_slice(&**self)
            }

            fn hole_at(&self, offset: u64) -> u64 {
                (**self).hole_at(offset)
            }
        }
    )*};
}

pointers!(&T, Box<T>, Arc<T>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_short_only_at_the_end() {
        let bytes = vec![1_u8, 2, 3, 4];
        let mut buffer = [0; 3];
        assert_eq!(bytes.read_at(0, &mut buffer).unwrap(), 3);
        assert_eq!(buffer, [1, 2, 3]);
        assert_eq!(bytes.read_at(2, &mut buffer).unwrap(), 2);
        assert_eq!(buffer[..2], [3, 4]);
    }

    #[test]
    fn bytes_in_memory_are_lent_through_any_pointer() {
        let bytes: Arc<dyn Bytes> = Arc::new(vec![1_u8, 2]);
        assert_eq!(Bytes::as_slice(&bytes), Some(&[1, 2][..]));
    }

    #[test]
    fn nothing_lies_beyond_the_end_however_far() {
        let bytes: &dyn Bytes = &vec![1_u8, 2];
        assert_eq!(bytes.read_at(2, &mut [0; 1]).unwrap(), 0);
        assert_eq!(bytes.read_at(u64::MAX, &mut [0; 1]).unwrap(), 0);
        let error = bytes.read_exact_at(1, &mut [0; 2]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
