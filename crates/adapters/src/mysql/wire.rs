//! A connection that speaks the protocol: what is asked, and in which order the packets of its answer come.
//!
//! Rows come as they were sent: a row of text is, value by value, a canonical row already, so that nothing is copied but
//! the row as a whole. Nothing that a server sends is believed: what is not an answer to what was asked is
//! [`Error::Protocol`], and memory is taken only for bytes that have come.
//!
//! ```text
//! link    packets over a stream of bytes
//! tls     the same link, encrypted, with a server that has proved who it is
//! login   from an address to a session
//! ```

mod link;
mod login;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
mod tls;

use std::{io, mem};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use mysql_common::{
    constants::{CapabilityFlags, StatusFlags},
    io::ParseBuf,
};

use self::link::Link;
pub(super) use login::open;

/// What kept a connection from doing what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The server's own error; its message may hold row values.
    #[error("error {code}")]
    Server { code: u16, message: String },
    /// The network.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// TLS could not be agreed on.
    #[error("TLS failed")]
    Tls(#[source] io::Error),
    /// The server has no TLS.
    #[error("the server does not speak TLS")]
    NoTls,
    /// The account logs in with a plugin that is not known here.
    #[error("unknown plugin {plugin}")]
    Plugin { plugin: String },
    /// The account sends its password as it is, and others could hear it.
    #[error("a password in the clear")]
    Cleartext,
    /// What came is not what the protocol says.
    #[error("the server's answer was not understood")]
    Protocol,
}

/// The command that runs a statement.
const QUERY: u8 = 0x03;
/// The command that ends the session.
const QUIT: u8 = 0x01;

// What a packet is, by its first byte.
const OK: u8 = 0x00;
const FILE: u8 = 0xfb;
const END: u8 = 0xfe;
const ERROR: u8 = 0xff;

/// More than any server's result has.
const MOST_COLUMNS: u64 = u16::MAX as u64;

/// More than the answers that are kept as a whole, those about definitions, come to.
const LARGEST_ANSWER: usize = 256 << 20;

/// So much of a file goes into a packet: every server takes packets of this length.
const FILE_PIECE: usize = 1 << 20;

/// One connection, logged in.
pub(super) struct Connection {
    link: Link,
    capabilities: CapabilityFlags,
    /// An answer was not read to its end, so that nothing else can be asked.
    is_midway: bool,
    /// Rows that the last statement changed.
    pub(super) affected_rows: u64,
    /// Warnings that the last statement left.
    pub(super) warnings: u16,
}

/// What a statement is answered with.
enum Answered {
    /// It is done.
    Done,
    /// Rows come, of so many columns.
    Rows(usize),
    /// The server wants a file.
    File,
}

/// What a server says at the end of a statement.
struct Finished {
    affected_rows: u64,
    warnings: u16,
    status: u16,
}

impl Connection {
    fn new(link: Link, capabilities: CapabilityFlags) -> Self {
        Self { link, capabilities, is_midway: false, affected_rows: 0, warnings: 0 }
    }

    /// Runs a statement; rows that it gives are read and forgotten.
    pub(super) async fn run(&mut self, statement: impl AsRef<[u8]>) -> Result<(), Error> {
        match self.ask(statement.as_ref()).await? {
            Answered::Done => Ok(()),
            Answered::File => self.refuse_file().await,
            Answered::Rows(_) => {
                let mut row = Vec::new();
                while self.next_row(&mut row).await? {
                    row.clear();
                }
                Ok(())
            }
        }
    }

    /// Runs `LOAD DATA LOCAL INFILE` with these pieces of the file, whatever file the server asks for.
    pub(super) async fn load(
        &mut self,
        statement: &str,
        file: impl Stream<Item = Bytes> + Unpin,
    ) -> Result<(), Error> {
        match self.ask(statement.as_bytes()).await? {
            Answered::File => self.send_file(file).await,
            Answered::Done => Ok(()),
            Answered::Rows(_) => Err(Error::Protocol),
        }
    }

    /// All rows of a query that has few, and how many values each has.
    pub(super) async fn rows(&mut self, query: &str) -> Result<(Vec<Vec<u8>>, usize), Error> {
        let columns = self.query(query).await?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        loop {
            let mut row = Vec::new();
            if !self.next_row(&mut row).await? {
                return Ok((rows, columns));
            }
            bytes += row.len();
            if bytes > LARGEST_ANSWER {
                return Err(Error::Protocol);
            }
            rows.push(row);
        }
    }

    /// Begins a query, whose rows are then taken one by one. Gives the number of columns.
    pub(super) async fn query(&mut self, query: &str) -> Result<usize, Error> {
        match self.ask(query.as_bytes()).await? {
            Answered::Rows(columns) => Ok(columns),
            Answered::File => self.refuse_file().await.and(Err(Error::Protocol)),
            Answered::Done => Err(Error::Protocol),
        }
    }

    /// Appends the next row as it was sent; `false` at the server's word that there is none.
    pub(super) async fn next_row(&mut self, row: &mut Vec<u8>) -> Result<bool, Error> {
        let start = row.len();
        self.link.receive(row, link::LARGEST_ROW).await?;
        self.is_row(row, start)
    }

    /// Says goodbye; if that fails the server will notice by itself.
    pub(super) async fn quit(mut self) {
        if !self.is_midway {
            let _ = self.link.command(QUIT, &[]).await;
        }
    }

    fn is_row(&mut self, row: &mut Vec<u8>, start: usize) -> Result<bool, Error> {
        // No row begins with the byte of an error; one that begins with that of the end has a value of 16 MiB in it.
        match row.get(start) {
            Some(&ERROR) => Err(self.refused(&row[start..])),
            Some(&END) if row.len() - start < link::LARGEST_PIECE => {
                let end = self.end(&row[start..]).ok_or(Error::Protocol)?;
                row.truncate(start);
                self.finish(&end).map(|()| false)
            }
            Some(_) => Ok(true),
            None => Err(Error::Protocol),
        }
    }

    /// The server's word that there is no further row, or no further column.
    fn end(&self, packet: &[u8]) -> Option<Finished> {
        let (&END, rest) = packet.split_first()? else { return None };
        if self.has(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
            return Finished::read(rest);
        }
        let &[low, high, status_low, status_high] = rest else { return None };
        let (warnings, status) =
            (u16::from_le_bytes([low, high]), u16::from_le_bytes([status_low, status_high]));
        Some(Finished { affected_rows: 0, warnings, status })
    }

    fn has(&self, capability: CapabilityFlags) -> bool {
        self.capabilities.contains(capability)
    }

    async fn ask(&mut self, statement: &[u8]) -> Result<Answered, Error> {
        if mem::replace(&mut self.is_midway, true) {
            let what = "an earlier answer was not read to its end";
            return Err(io::Error::new(io::ErrorKind::NotConnected, what).into());
        }
        self.link.command(QUERY, statement).await?;
        let packet = self.link.packet().await?;
        match packet.first() {
            Some(&ERROR) => Err(self.refused(&packet)),
            Some(&OK) => self.done(&packet).map(|()| Answered::Done),
            Some(&FILE) => Ok(Answered::File),
            _ => self.columns(&packet).await.map(Answered::Rows),
        }
    }

    /// How many columns come; what they are is known to the one who asked.
    async fn columns(&mut self, packet: &[u8]) -> Result<usize, Error> {
        let mut rest = ParseBuf(packet);
        let count = rest.checked_eat_lenenc_int();
        let count = count.filter(|count| (1..=MOST_COLUMNS).contains(count) && rest.is_empty());
        let count = count.and_then(|count| usize::try_from(count).ok()).ok_or(Error::Protocol)?;
        for _ in 0..count {
            self.definition().await?;
        }
        if !self.has(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
            let packet = self.definition().await?;
            self.end(&packet).ok_or(Error::Protocol)?;
        }
        Ok(count)
    }

    async fn definition(&mut self) -> Result<Vec<u8>, Error> {
        let packet = self.link.packet().await?;
        if packet.first() == Some(&ERROR) { Err(self.refused(&packet)) } else { Ok(packet) }
    }

    async fn send_file(
        &mut self,
        mut file: impl Stream<Item = Bytes> + Unpin,
    ) -> Result<(), Error> {
        while let Some(piece) = file.next().await {
            // An empty packet would end the file.
            for part in piece.chunks(FILE_PIECE) {
                self.link.send(part).await?;
            }
        }
        self.link.send(&[]).await?;
        let packet = self.link.packet().await?;
        match packet.first() {
            Some(&ERROR) => Err(self.refused(&packet)),
            _ => self.done(&packet),
        }
    }

    /// A server that wants a file for a statement that has none gets an empty one, and is not to be trusted.
    async fn refuse_file(&mut self) -> Result<(), Error> {
        self.send_file(stream::empty()).await?;
        Err(Error::Protocol)
    }

    fn done(&mut self, packet: &[u8]) -> Result<(), Error> {
        match packet.split_first() {
            Some((&OK, rest)) => self.finish(&Finished::read(rest).ok_or(Error::Protocol)?),
            _ => Err(Error::Protocol),
        }
    }

    /// A statement of ours has one result.
    fn finish(&mut self, end: &Finished) -> Result<(), Error> {
        if end.status & StatusFlags::SERVER_MORE_RESULTS_EXISTS.bits() != 0 {
            return Err(Error::Protocol);
        }
        self.is_midway = false;
        (self.affected_rows, self.warnings) = (end.affected_rows, end.warnings);
        Ok(())
    }

    /// The server's error, which ends its answer.
    fn refused(&mut self, packet: &[u8]) -> Error {
        let error = refusal(packet);
        self.is_midway = !matches!(error, Error::Server { .. });
        error
    }
}

impl Finished {
    /// What follows the first byte of an OK packet; its text is of no use.
    fn read(rest: &[u8]) -> Option<Self> {
        let mut rest = ParseBuf(rest);
        let affected_rows = rest.checked_eat_lenenc_int()?;
        let _last_id = rest.checked_eat_lenenc_int()?;
        let status = rest.checked_eat_u16_le()?;
        let warnings = rest.checked_eat_u16_le()?;
        Some(Self { affected_rows, warnings, status })
    }
}

/// What an error packet says. The state stands in it only once a server knows what its client can read, or not even then.
fn refusal(packet: &[u8]) -> Error {
    let &[ERROR, low, high, ref rest @ ..] = packet else { return Error::Protocol };
    let message = match rest.split_first_chunk::<6>() {
        Some(([b'#', ..], message)) => message,
        _ => rest,
    };
    Error::Server {
        code: u16::from_le_bytes([low, high]),
        message: String::from_utf8_lossy(message).into_owned(),
    }
}
