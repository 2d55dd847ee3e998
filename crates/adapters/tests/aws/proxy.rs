//! A proxy before the emulator that spoils the first answers to requests of one method.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use crate::emulator::endpoint;

/// The id of every request that is answered here, as S3 would tell it.
pub(crate) const REQUEST_ID: &str = "4442587FB7D0A2F9";

/// What becomes of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// It takes effect, and its answer is lost.
    AnswerLost,
    /// It does not get through, and this is the answer: status, type, and content.
    Answer(&'static str, &'static str, &'static str),
}

/// A proxy; it ends with the test's process.
pub(crate) struct Proxy {
    pub(crate) endpoint: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Spoils the first requests of this method, one fault each, and lets all others through.
    pub(crate) fn start(method: &'static str, faults: &[Fault]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::default();
        let (kept, faults) = (Arc::clone(&seen), faults.to_vec());
        thread::spawn(move || {
            for client in listener.incoming() {
                let (kept, faults) = (Arc::clone(&kept), faults.clone());
                thread::spawn(move || serve(client.unwrap(), method, &faults, &kept));
            }
        });
        Self { endpoint, seen }
    }

    /// How many requests of the method came.
    pub(crate) fn seen(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// These requests, with their headers and bodies.
    #[cfg(feature = "control")]
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// One request a connection: the answer says that it closes.
fn serve(mut client: TcpStream, method: &str, faults: &[Fault], kept: &Mutex<Vec<String>>) {
    let Ok(request) = read_message(&client) else {
        return;
    };
    let mut fault = None;
    if request.starts_with(method.as_bytes()) {
        let mut kept = kept.lock().unwrap();
        fault = faults.get(kept.len());
        kept.push(String::from_utf8_lossy(&request).into_owned());
    }
    match fault {
        Some(Fault::Answer(status, kind, content)) => {
            let length = content.len();
            let head =
                format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}");
            let request = format!("x-amz-request-id: {REQUEST_ID}\r\nconnection: close");
            write!(client, "{head}\r\n{request}\r\n\r\n{content}").unwrap();
        }
        Some(Fault::AnswerLost) => drop(forward(&request)),
        None => client.write_all(&forward(&request)).unwrap(),
    }
}

fn forward(request: &[u8]) -> Vec<u8> {
    let address = endpoint();
    let mut server = TcpStream::connect(address.strip_prefix("http://").unwrap()).unwrap();
    server.write_all(request).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    answer
}

/// Head and content, with the connection set to close.
fn read_message(stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let (mut message, mut length, mut line) = (Vec::new(), 0, String::new());
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "connection" => continue,
            _ => {}
        }
        if line == "\r\n" {
            message.extend_from_slice(b"connection: close\r\n\r\n");
            break;
        }
        message.extend_from_slice(line.as_bytes());
    }
    let head = message.len();
    message.resize(head + length, 0);
    reader.read_exact(&mut message[head..])?;
    Ok(message)
}
