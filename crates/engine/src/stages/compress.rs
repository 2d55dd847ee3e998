//! Compression of chunks and manifests: one zstd frame each, which states its content's size.

use std::cell::RefCell;

use crate::error::FormatError;

/// The level that the database can keep up with; higher ones cost more time than they save storage.
const LEVEL: i32 = 3;

thread_local! {
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses `raw` into one frame.
///
/// # Errors
/// [`FormatError::Compression`] if zstd fails, which it does only for lack of memory.
pub fn compress(raw: &[u8]) -> Result<Vec<u8>, FormatError> {
    COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => compressor,
            None => {
                slot.insert(zstd::bulk::Compressor::new(LEVEL).map_err(FormatError::Compression)?)
            }
        };
        compressor.compress(raw).map_err(FormatError::Compression)
    })
}

/// Gives back what was compressed, exactly `raw_length` bytes.
///
/// # Errors
/// [`FormatError::Compression`] if it is no frame, or one of another length.
pub fn decompress(compressed: &[u8], raw_length: usize) -> Result<Vec<u8>, FormatError> {
    let raw = zstd::bulk::decompress(compressed, raw_length).map_err(FormatError::Compression)?;
    if raw.len() == raw_length {
        Ok(raw)
    } else {
        Err(FormatError::Length { expected: raw_length as u64, given: raw.len() as u64 })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_compressed_comes_back(raw in prop::collection::vec(any::<u8>(), 0..5000)) {
            let frame = compress(&raw).unwrap();
            prop_assert_eq!(decompress(&frame, raw.len()).unwrap(), raw);
        }

        #[test]
        fn noise_is_an_error_not_a_panic(noise in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decompress(&noise, 100);
        }
    }

    #[test]
    fn another_length_is_an_error() {
        let frame = compress(b"twelve bytes").unwrap();
        assert!(decompress(&frame, 11).is_err());
        assert!(decompress(&frame, 13).is_err());
    }
}
