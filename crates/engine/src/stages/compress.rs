//! Compression of chunks and manifests: one zstd frame each, which states its content's size.

use std::cell::RefCell;

use zstd::{
    bulk::{Compressor, Decompressor},
    zstd_safe::compress_bound,
};

use crate::error::FormatError;

/// The lowest. On rows of a clinic level 3 takes more time and saves nothing (docs/decisions/compression.md): a chunk is
/// short, and what repeats in its rows lies near.
const LEVEL: i32 = 1;

thread_local! {
    /// What decompressing needs, made once: for a chunk it would take as long as some of its work.
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// What compressing many chunks needs again and again.
pub struct Codec {
    compressor: Compressor<'static>,
    decompressor: Decompressor<'static>,
}

impl Codec {
    /// A new one.
    ///
    /// # Errors
    /// [`FormatError::Compression`] if there is no memory for it.
    pub fn new() -> Result<Self, FormatError> {
        let compressor = Compressor::new(LEVEL).map_err(FormatError::Compression)?;
        let decompressor = Decompressor::new().map_err(FormatError::Compression)?;
        Ok(Self { compressor, decompressor })
    }

    /// Compresses `raw` into one frame, which takes the place of what `frame` held.
    ///
    /// # Errors
    /// [`FormatError::Compression`] if zstd fails, which it does only for lack of memory.
    pub fn compress(&mut self, raw: &[u8], frame: &mut Vec<u8>) -> Result<(), FormatError> {
        frame.clear();
        frame.reserve(compress_bound(raw.len()));
        self.compressor.compress_to_buffer(raw, frame).map_err(FormatError::Compression)?;
        Ok(())
    }

    /// Puts what was compressed, exactly `raw_length` bytes, in the place of what `raw` held.
    ///
    /// # Errors
    /// [`FormatError::Compression`] if it is no frame; that or [`FormatError::Length`] if it is one of another
    /// length.
    pub fn decompress(
        &mut self,
        frame: &[u8],
        raw_length: usize,
        raw: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        decompress_with(&mut self.decompressor, frame, raw_length, raw)
    }
}

fn decompress_with(
    decompressor: &mut Decompressor<'_>,
    frame: &[u8],
    raw_length: usize,
    raw: &mut Vec<u8>,
) -> Result<(), FormatError> {
    raw.clear();
    raw.reserve(raw_length);
    decompressor.decompress_to_buffer(frame, raw).map_err(FormatError::Compression)?;
    if raw.len() == raw_length {
        Ok(())
    } else {
        Err(FormatError::Length { expected: raw_length as u64, given: raw.len() as u64 })
    }
}

/// Compresses `raw` into one frame.
///
/// # Errors
/// As [`Codec::compress`].
pub fn compress(raw: &[u8]) -> Result<Vec<u8>, FormatError> {
    let mut frame = Vec::new();
    Codec::new()?.compress(raw, &mut frame)?;
    Ok(frame)
}

/// Gives back what was compressed, exactly `raw_length` bytes.
///
/// # Errors
/// As [`Codec::decompress`].
pub fn decompress(frame: &[u8], raw_length: usize) -> Result<Vec<u8>, FormatError> {
    let mut raw = Vec::new();
    DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(decompressor) => decompressor,
            None => kept.insert(Decompressor::new().map_err(FormatError::Compression)?),
        };
        decompress_with(decompressor, frame, raw_length, &mut raw)
    })?;
    Ok(raw)
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
