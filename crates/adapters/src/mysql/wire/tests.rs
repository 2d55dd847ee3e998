//! Answers whole, in pieces, cut, out of order and hostile, from a server that says what it is told to.

use std::io::ErrorKind;

use bytes::Bytes;
use futures::{FutureExt, stream};
use gorgen_engine::stages::rows::{put_null, put_value};
use mysql_common::constants::CapabilityFlags;
use proptest::prelude::*;

use super::{
    Connection, Error,
    link::{LARGEST_PIECE, Link},
    testing::{Fake, both, error, fake, framed},
};

const MODERN: CapabilityFlags = CapabilityFlags::CLIENT_DEPRECATE_EOF;
const CLASSIC: CapabilityFlags = CapabilityFlags::empty();

const DONE: &[u8] = &[0, 0, 0, 2, 0, 0, 0];

fn connected(capabilities: CapabilityFlags) -> (Connection, Fake) {
    let (server, stream) = fake();
    (Connection::new(Link::over(Box::new(stream)), capabilities), server)
}

fn row(values: &[Option<&[u8]>]) -> Vec<u8> {
    let mut row = Vec::new();
    for value in values {
        match value {
            Some(value) => put_value(&mut row, value),
            None => put_null(&mut row),
        }
    }
    row
}

/// The last packet of a result, with three warnings.
fn end(capabilities: CapabilityFlags) -> &'static [u8] {
    if capabilities == MODERN { &[0xfe, 0, 0, 2, 0, 3, 0] } else { &[0xfe, 3, 0, 2, 0] }
}

/// What comes before the rows.
async fn say_columns(server: &mut Fake, columns: u8, capabilities: CapabilityFlags) {
    server.say([columns]).await;
    for _ in 0..columns {
        server.say(b"\x03def and what else a column is").await;
    }
    if capabilities == CLASSIC {
        server.say(end(CLASSIC)).await;
    }
}

async fn say_rows(server: &mut Fake, rows: &[Vec<u8>], columns: u8, capabilities: CapabilityFlags) {
    server.hear().await;
    say_columns(server, columns, capabilities).await;
    for row in rows {
        server.say(row).await;
    }
    server.say(end(capabilities)).await;
}

/// The error of a statement to which a server says this.
async fn refused(payloads: &[&[u8]]) -> Error {
    let (mut connection, mut server) = connected(MODERN);
    let serve = async {
        server.hear().await;
        for payload in payloads {
            server.say(payload).await;
        }
        drop(server);
    };
    both!(connection.run("SELECT 1"), serve).0.expect_err("an error")
}

fn is_lost(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof)
}

#[tokio::test]
async fn rows_come_as_they_were_sent_until_the_server_ends_them() {
    for capabilities in [MODERN, CLASSIC] {
        let (mut connection, mut server) = connected(capabilities);
        let sent = vec![
            row(&[Some(b"1"), None]),
            row(&[Some(b""), Some(&[7; 300])]),
            row(&[None, Some(&[0xfe; 70_000])]),
        ];
        let (answer, ()) =
            both!(connection.rows("SELECT"), say_rows(&mut server, &sent, 2, capabilities));
        assert_eq!(answer.unwrap(), (sent, 2));
        assert_eq!(connection.warnings, 3);
    }
}

#[tokio::test]
async fn rows_of_sixteen_mebibytes_come_whole_wherever_their_packets_end() {
    // From 16 MiB on, a row begins with the byte of the end of rows.
    for (length, first) in [
        (LARGEST_PIECE - 1, 0xfd),
        (LARGEST_PIECE, 0xfd),
        (LARGEST_PIECE + 1, 0xfd),
        (LARGEST_PIECE + 10, 0xfe),
        (2 * LARGEST_PIECE, 0xfe),
    ] {
        let (mut connection, mut server) = connected(MODERN);
        let value = vec![b'x'; length - if first == 0xfd { 4 } else { 9 }];
        let sent = [row(&[Some(b"before")]), row(&[Some(&value)]), row(&[Some(b"after")])];
        assert_eq!((sent[1].len(), sent[1][0]), (length, first));
        let read = async {
            assert_eq!(connection.query("SELECT").await.unwrap(), 1);
            let (mut bytes, mut rows) = (Vec::new(), 0);
            while connection.next_row(&mut bytes).await.unwrap() {
                rows += 1;
            }
            (bytes, rows)
        };
        let ((bytes, rows), ()) = both!(read, say_rows(&mut server, &sent, 1, MODERN));
        assert_eq!(rows, 3, "{length}");
        assert!(bytes == sent.concat(), "{length}");
    }
}

#[tokio::test]
async fn statements_are_split_where_a_packet_is_full() {
    // With the byte of the command.
    for (length, pieces) in [
        (0, vec![1]),
        (20_000, vec![20_001]),
        (LARGEST_PIECE - 2, vec![LARGEST_PIECE - 1]),
        (LARGEST_PIECE - 1, vec![LARGEST_PIECE, 0]),
        (LARGEST_PIECE, vec![LARGEST_PIECE, 1]),
        (2 * LARGEST_PIECE - 1, vec![LARGEST_PIECE, LARGEST_PIECE, 0]),
    ] {
        let (mut connection, mut server) = connected(MODERN);
        let statement: Vec<u8> = (0..length).map(|at| at.to_le_bytes()[0]).collect();
        let serve = async {
            let mut heard = Vec::new();
            for (place, &piece) in pieces.iter().enumerate() {
                let (number, bytes) = server.hear_piece().await.unwrap();
                assert_eq!((usize::from(number), bytes.len()), (place, piece), "{length}");
                heard.extend_from_slice(&bytes);
            }
            server.say(DONE).await;
            heard
        };
        let (done, heard) = both!(connection.run(&statement), serve);
        done.unwrap();
        assert!(heard[0] == super::QUERY && heard[1..] == statement, "{length}");
    }
}

#[tokio::test]
async fn an_error_between_rows_is_an_error_and_the_session_goes_on() {
    for capabilities in [MODERN, CLASSIC] {
        let (mut connection, mut server) = connected(capabilities);
        let serve = async {
            server.hear().await;
            say_columns(&mut server, 1, capabilities).await;
            server.say(row(&[Some(b"1")])).await;
            server.say(error(1317, "Query execution was interrupted")).await;
            server.hear().await;
            server.say(DONE).await;
        };
        let ask = async {
            let error = connection.rows("SELECT").await.expect_err("an error");
            assert!(
                matches!(&error, Error::Server { code: 1317, message } if message.starts_with("Query")),
                "{error:?}"
            );
            connection.run("ROLLBACK").await.unwrap();
        };
        both!(ask, serve);
    }
}

#[tokio::test]
async fn an_error_instead_of_columns_is_an_error() {
    let gone = error(1146, "no such table");
    for before in [&[][..], &[&[2][..]], &[&[2], b"\x03def"]] {
        let mut payloads = before.to_vec();
        payloads.push(&gone);
        let error = refused(&payloads).await;
        assert!(matches!(error, Error::Server { code: 1146, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_error_is_understood_with_its_state_and_without() {
    for payload in [error(1040, "Too many"), b"\xff\x10\x04Too many".to_vec()] {
        let error = refused(&[&payload]).await;
        assert!(
            matches!(&error, Error::Server { code: 1040, message } if message == "Too many"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_that_ends_is_no_end_of_rows() {
    let whole = [
        framed(1, &[1]),
        framed(2, b"\x03def"),
        framed(3, &row(&[Some(b"one")])),
        framed(4, &row(&[Some(b"two")])),
    ]
    .concat();
    for cut in 0..=whole.len() {
        let (mut connection, mut server) = connected(MODERN);
        let serve = async {
            server.hear().await;
            server.say_raw(&whole[..cut]).await;
            drop(server);
        };
        let error = both!(connection.rows("SELECT"), serve).0.expect_err("a lost connection");
        assert!(is_lost(&error), "{cut}: {error:?}");
        // Nothing is asked again over what is left of it.
        let error = connection.run("SELECT").await.expect_err("a lost connection");
        assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::NotConnected));
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_by_itself_is_heard() {
    let (mut connection, mut server) = connected(MODERN);
    server.say(error(4031, "The client was disconnected by the server")).await;
    let error = connection.run("SELECT").await.expect_err("an error");
    assert!(matches!(error, Error::Server { code: 4031, .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_asked_while_rows_are_on_their_way_is_refused() {
    let (mut connection, mut server) = connected(MODERN);
    let sent = [row(&[Some(b"1")]), row(&[Some(b"2")])];
    both!(
        async {
            connection.query("SELECT").await.unwrap();
            assert!(connection.next_row(&mut Vec::new()).await.unwrap());
        },
        say_rows(&mut server, &sent, 1, MODERN)
    );
    let error = connection.run("SELECT").await.expect_err("rows are on their way");
    assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::NotConnected));
    connection.quit().await;
    assert!(server.hears_nothing().await);
}

#[tokio::test]
async fn a_goodbye_is_said() {
    let (connection, mut server) = connected(MODERN);
    connection.quit().await;
    assert_eq!(server.hear().await, [super::QUIT]);
}

#[tokio::test]
async fn a_file_that_was_not_offered_is_empty_and_an_error() {
    let (mut connection, mut server) = connected(MODERN);
    let serve = async {
        for _ in 0..2 {
            server.hear().await;
            server.say(b"\xfb/etc/passwd").await;
            assert_eq!(server.hear_piece().await.unwrap(), (2, Vec::new()));
            server.say(DONE).await;
        }
    };
    let ask = async {
        assert!(matches!(connection.run("SELECT").await, Err(Error::Protocol)));
        assert!(matches!(connection.query("SELECT").await, Err(Error::Protocol)));
    };
    both!(ask, serve);
}

#[tokio::test]
async fn a_file_is_sent_whole_and_ends_once() {
    let (mut connection, mut server) = connected(MODERN);
    let pieces = [
        Bytes::from_static(b"one"),
        Bytes::new(),
        Bytes::from(vec![7; 3 << 20]),
        Bytes::from_static(b"last"),
    ];
    let serve = async {
        server.hear().await;
        server.say(b"\xfbrows").await;
        let mut heard = Vec::new();
        loop {
            let (_, piece) = server.hear_piece().await.unwrap();
            assert!(piece.len() <= super::FILE_PIECE);
            if piece.is_empty() {
                break;
            }
            heard.extend_from_slice(&piece);
        }
        server.say([0, 0xfc, 0x10, 0x27, 0, 2, 0, 4, 0, 0]).await;
        heard
    };
    let file = stream::iter(pieces.clone());
    let (done, heard) = both!(connection.load("LOAD DATA", file), serve);
    done.unwrap();
    assert!(heard == pieces.concat());
    assert_eq!((connection.affected_rows, connection.warnings), (10_000, 4));
}

#[tokio::test]
async fn nonsense_is_an_error() {
    let more_results = [0, 0, 0, 8, 0, 0, 0];
    let nonsense: &[&[&[u8]]] = &[
        &[&[]],
        &[&[0]],
        &[&[0, 0xfc, 1]],
        &[&[0, 0, 0, 2]],
        &[&more_results],
        &[&[0xff]],
        &[&[0xff, 1]],
        &[&[0xfe]],
        &[&[0xfc, 0, 0]],
        &[&[0xfc, 1]],
        &[&[1, 1]],
        &[&[0xfd, 0, 0, 1]],
        &[&[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
        &[&[1], b"def", &[]],
        &[&[1], b"def", &[0xfe]],
        &[&[1], b"def", &[0xfe, 0, 0, 8, 0, 0, 0]],
    ];
    for payloads in nonsense {
        let error = refused(payloads).await;
        assert!(matches!(error, Error::Protocol), "{payloads:?}: {error:?}");
    }
}

#[tokio::test]
async fn the_old_end_of_rows_has_its_length() {
    for (definitions, end) in
        [(&[0xfe, 0, 0, 2][..], &[][..]), (end(CLASSIC), &[0xfe, 0, 0, 2, 0, 0])]
    {
        let (mut connection, mut server) = connected(CLASSIC);
        let serve = async {
            server.hear().await;
            for payload in [&[1][..], b"def", definitions, end] {
                server.say(payload).await;
            }
        };
        let error = both!(connection.run("SELECT"), serve).0.expect_err("nonsense");
        assert!(matches!(error, Error::Protocol), "{error:?}");
    }
}

#[tokio::test]
async fn packets_out_of_order_are_an_error() {
    let (mut connection, mut server) = connected(MODERN);
    let serve = async {
        server.hear().await;
        server.say_raw(&framed(2, DONE)).await;
    };
    assert!(matches!(both!(connection.run("SELECT"), serve).0, Err(Error::Protocol)));
}

#[tokio::test]
async fn an_answer_that_is_announced_as_too_long_is_not_waited_for() {
    let (mut connection, mut server) = connected(MODERN);
    let serve = async {
        server.hear().await;
        server.say_raw(&[0xff, 0xff, 0xff, 1]).await;
    };
    assert!(matches!(both!(connection.run("SELECT"), serve).0, Err(Error::Protocol)));
}

/// Packets in order, of bytes that are likely to mean something.
fn any_packets() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop_oneof![Just(0), Just(1), Just(0xfb), Just(0xfe), Just(0xff), any::<u8>()];
    prop::collection::vec(prop::collection::vec(byte, 0..12), 0..12)
}

proptest! {
    #[test]
    fn whatever_a_server_says_there_is_an_answer(
        packets in any_packets(), tail in prop::collection::vec(any::<u8>(), 0..20), classic: bool
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut connection, mut server) = connected(if classic { CLASSIC } else { MODERN });
            server.number = 1;
            for packet in &packets {
                server.say(packet).await;
            }
            server.say_raw(&tail).await;
            let _ = connection.rows("SELECT").now_or_never();
            let _ = connection.run("SELECT").now_or_never();
        });
    }
}
