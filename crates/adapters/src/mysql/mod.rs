//! MySQL, MariaDB and TiDB, over a connection of our own: the ports `Source` and `Target`.
//!
//! ```text
//! wire         the protocol: packets, login, TLS; statements and their answers
//! connect      an address -> a session whose every setting that matters is known
//! schema       what there is, by name
//! catalog      what the database holds; columns, keys, objects and privileges have files of their own
//! snapshot     sessions that provably see one moment
//! reader       one table of a snapshot -> canonical rows
//! accounts     who may log in to the server, and what they may do
//! target       the database that is restored into; scratch makes those of restore tests
//! loader       canonical rows -> a table, by load_data or, where the server forbids it, by insert
//! ```
//! Rows travel as the server's text protocol spells them, which is nearly what a canonical row is: see
//! [`gorgen_engine::model::ValueKind`]. Server errors are stripped of row values in `error`.

mod accounts;
mod catalog;
mod columns;
mod connect;
mod context;
mod error;
mod insert;
mod keys;
mod load_data;
mod loader;
mod names;
mod objects;
mod place;
mod privileges;
mod reader;
mod schema;
mod scratch;
mod server;
mod snapshot;
mod source;
mod survey;
mod surveyor;
mod target;
mod wire;

pub use accounts::MySqlAccounts;
pub use error::MySqlError;
pub use loader::LoadBy;
pub use scratch::MySqlScratch;
pub use server::MySqlServer;
pub use source::MySqlSource;
pub use surveyor::MySqlSurveyor;
pub use target::MySqlTarget;
