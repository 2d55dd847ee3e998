//! A way from the tool to a server on which every statement is seen before the server gets it, and on which things
//! happen to it.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use super::server::{Server, percent};

/// What happens at a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The connection breaks before the server gets it.
    Unsent,
    /// The server carries it out, and the connection breaks before the answer arrives.
    Unanswered,
    /// The connection breaks while the server is busy with it.
    Abandoned,
    /// As `Unsent`, and from then on nobody gets through.
    Unreachable,
    /// It waits until the test lets it pass.
    Held,
}

/// A server behind a way of ours. Each connection is two threads.
pub struct Passage {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// All statements so far, in the order in which they came.
    seen: Vec<String>,
    trap: Option<Trap>,
    is_closed: bool,
    connections: Vec<TcpStream>,
    /// The statement that waits.
    held: bool,
}

struct Trap {
    catches: Box<dyn Fn(&str) -> bool + Send>,
    /// How many statements that it would catch may still pass.
    spares: usize,
    fate: Fate,
}

impl Passage {
    pub fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let (state, changed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { server: server.address.clone(), state, changed });
        let ours = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&ours);
                std::thread::spawn(move || shared.carry(&client));
            }
        });
        Self { port, shared }
    }

    /// `GORGEN_DATABASE_URL` of a database, for root, by this way.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://root@127.0.0.1:{}/{}", self.port, percent(database))
    }

    /// The same for another account.
    pub fn url_as(&self, user: &str, password: &str, database: &str) -> String {
        let [user, password, database] = [user, password, database].map(percent);
        format!("mysql://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The next statement that `catches`, after as many as it `spares`, meets this fate; only one does.
    pub fn lay(&self, fate: Fate, spares: usize, catches: impl Fn(&str) -> bool + Send + 'static) {
        let trap = Trap { catches: Box::new(catches), spares, fate };
        self.shared.state().trap = Some(trap);
    }

    /// Everybody gets through again. Was there a statement that met its fate?
    pub fn open(&self) -> bool {
        let mut state = self.shared.state();
        (state.is_closed, state.held) = (false, false);
        self.shared.changed.notify_all();
        state.trap.take().is_none()
    }

    /// Waits until a statement is held.
    pub fn wait_until_held(&self) {
        let is_waiting = |state: &mut State| !state.held;
        let limit = std::time::Duration::from_secs(30);
        let waited = self.shared.changed.wait_timeout_while(self.shared.state(), limit, is_waiting);
        assert!(!waited.expect("no panic").1.timed_out(), "no statement was held");
    }

    /// Forgets the statements so far, and gives them.
    pub fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.state().seen)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    fn carry(&self, client: &TcpStream) {
        let Ok(server) = TcpStream::connect(&self.server) else { return };
        let is_lost = Arc::new(AtomicBool::new(false));
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        {
            let mut state = self.state();
            if state.is_closed {
                return;
            }
            state
                .connections
                .extend([client, &server].map(|end| end.try_clone().expect("a socket")));
        }
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _ = answers(&server, client, &is_lost);
                part(client, &server);
            });
            let _ = self.statements(client, &server, &is_lost);
            part(client, &server);
        });
    }

    /// Hands on what the client says, packet by packet.
    fn statements(
        &self,
        mut client: &TcpStream,
        mut server: &TcpStream,
        is_lost: &AtomicBool,
    ) -> io::Result<()> {
        loop {
            let mut packet = vec![0; 4];
            client.read_exact(&mut packet)?;
            let length =
                usize::from(packet[0]) | usize::from(packet[1]) << 8 | usize::from(packet[2]) << 16;
            packet.resize(4 + length, 0);
            client.read_exact(&mut packet[4..])?;
            // The first packet of a query, or of a statement to be prepared.
            let fate = match (packet[3], packet.get(4)) {
                (0, Some(3 | 0x16)) => self.meet(&String::from_utf8_lossy(&packet[5..])),
                _ => None,
            };
            match fate {
                Some(Fate::Unsent | Fate::Unreachable) => return Ok(()),
                Some(Fate::Unanswered) => is_lost.store(true, SeqCst),
                Some(Fate::Abandoned) => {
                    server.write_all(&packet)?;
                    client.shutdown(Shutdown::Both)?;
                    // The server learns of it when it wants to answer.
                    return answers(server, client, is_lost);
                }
                Some(Fate::Held) | None => {}
            }
            server.write_all(&packet)?;
        }
    }

    fn meet(&self, statement: &str) -> Option<Fate> {
        let mut state = self.state();
        state.seen.push(statement.to_owned());
        let trap = state.trap.as_mut().filter(|trap| (trap.catches)(statement))?;
        if trap.spares > 0 {
            trap.spares -= 1;
            return None;
        }
        let fate = state.trap.take()?.fate;
        match fate {
            Fate::Unreachable => {
                state.is_closed = true;
                for end in state.connections.drain(..) {
                    let _ = end.shutdown(Shutdown::Both);
                }
            }
            Fate::Held => {
                state.held = true;
                self.changed.notify_all();
                drop(self.changed.wait_while(state, |state| state.held).expect("no panic"));
            }
            _ => {}
        }
        Some(fate)
    }
}

/// Hands on what the server says, until it is to be lost.
fn answers(mut server: &TcpStream, mut client: &TcpStream, is_lost: &AtomicBool) -> io::Result<()> {
    let mut bytes = vec![0; 1 << 16];
    loop {
        let length = server.read(&mut bytes)?;
        if length == 0 || is_lost.load(SeqCst) {
            return Ok(());
        }
        client.write_all(&bytes[..length])?;
    }
}

fn part(client: &TcpStream, server: &TcpStream) {
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}
