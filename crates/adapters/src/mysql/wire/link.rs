//! Packets over a stream of bytes: each a header, which is a length and a number, and a payload.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use zeroize::Zeroizing;

use super::{ERROR, Error};

/// A payload goes on in another packet after a piece of this length.
pub(super) const LARGEST_PIECE: usize = 0xff_ffff;

/// A row's payload: as much as a server can be set to send.
pub(super) const LARGEST_ROW: usize = 1 << 30;

/// The payload of all else. Names, messages and numbers come to a few KiB.
const LARGEST_WORD: usize = 1 << 20;

const HEADER: usize = 4;

/// What is asked for at once.
const READ: usize = 64 << 10;

/// A piece that is no longer is copied behind its header, so that both leave at once.
const SMALL: usize = 16 << 10;

/// What packets go over: TCP, a socket, or TLS over the one.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send + Sync {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Duplex for T {}

pub(super) struct Link {
    stream: BufReader<Box<dyn Duplex>>,
    /// The number of the next packet, in whichever direction.
    number: u8,
}

impl Link {
    pub(super) fn over(stream: Box<dyn Duplex>) -> Self {
        Self::resumed(stream, 0)
    }

    /// A link that has had so many packets, over another stream.
    pub(super) fn resumed(stream: Box<dyn Duplex>, number: u8) -> Self {
        Self { stream: BufReader::with_capacity(READ, stream), number }
    }

    /// The stream, to put something between it and the packets, and the number of the next one. Nothing may have come
    /// already: it would pass for something that came later.
    pub(super) fn suspend(self) -> Result<(Box<dyn Duplex>, u8), Error> {
        if !self.stream.buffer().is_empty() {
            return Err(Error::Protocol);
        }
        Ok((self.stream.into_inner(), self.number))
    }

    /// Sends a command, which begins the count of packets anew.
    pub(super) async fn command(&mut self, command: u8, rest: &[u8]) -> io::Result<()> {
        self.number = 0;
        self.send_after(&[command], rest).await
    }

    pub(super) async fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        self.send_after(&[], payload).await
    }

    /// Sends a payload of two parts, the first of them short. A payload that fills its last piece is ended by an empty one.
    async fn send_after(&mut self, mut first: &[u8], mut rest: &[u8]) -> io::Result<()> {
        loop {
            let (piece, after) = rest.split_at(rest.len().min(LARGEST_PIECE - first.len()));
            let length = first.len() + piece.len();
            let (copied, sent) =
                if piece.len() <= SMALL { (piece, &[][..]) } else { (&[][..], piece) };
            // A password may be in it.
            let mut packet =
                Zeroizing::new(Vec::with_capacity(HEADER + first.len() + copied.len()));
            packet.extend_from_slice(&length.to_le_bytes()[..3]);
            packet.push(self.number);
            packet.extend_from_slice(first);
            packet.extend_from_slice(copied);
            self.stream.write_all(&packet).await?;
            self.stream.write_all(sent).await?;
            self.number = self.number.wrapping_add(1);
            (first, rest) = (&[], after);
            if length < LARGEST_PIECE {
                return self.stream.flush().await;
            }
        }
    }

    /// A packet by itself, that is no row.
    pub(super) async fn packet(&mut self) -> Result<Vec<u8>, Error> {
        let mut payload = Vec::new();
        self.receive(&mut payload, LARGEST_WORD).await?;
        Ok(payload)
    }

    /// Appends the next payload, which may have this length at most. Memory grows as bytes come, not as they are announced.
    pub(super) async fn receive(
        &mut self,
        payload: &mut Vec<u8>,
        longest: usize,
    ) -> Result<(), Error> {
        let start = payload.len();
        let mut in_order = true;
        loop {
            let [low, middle, high, number] = self.header().await?;
            let piece = usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16;
            if payload.len() - start + piece > longest {
                return Err(Error::Protocol);
            }
            in_order &= number == self.number;
            self.number = number.wrapping_add(1);
            self.append(piece, payload).await?;
            if piece < LARGEST_PIECE {
                break;
            }
        }
        // A server that hangs up by itself, as it does when it shuts down, says so before it is asked.
        if in_order || payload.get(start) == Some(&ERROR) { Ok(()) } else { Err(Error::Protocol) }
    }

    async fn header(&mut self) -> io::Result<[u8; HEADER]> {
        let mut header = [0; HEADER];
        let mut missing = &mut header[..];
        while !missing.is_empty() {
            let here = self.here().await?;
            let count = here.len().min(missing.len());
            missing[..count].copy_from_slice(&here[..count]);
            self.stream.consume(count);
            missing = &mut missing[count..];
        }
        Ok(header)
    }

    async fn append(&mut self, mut missing: usize, payload: &mut Vec<u8>) -> io::Result<()> {
        while missing > 0 {
            let here = self.here().await?;
            let count = here.len().min(missing);
            payload.extend_from_slice(&here[..count]);
            self.stream.consume(count);
            missing -= count;
        }
        Ok(())
    }

    /// What has come, at least a byte.
    async fn here(&mut self) -> io::Result<&[u8]> {
        let here = self.stream.fill_buf().await?;
        if here.is_empty() {
            let what = "the server closed the connection";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
        }
        Ok(here)
    }
}
