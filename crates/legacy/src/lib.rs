//! The backup files of the program before this one, read so that nothing in them is lost or taken on trust.
//!
//! [`open`] decrypts and decompresses a file, [`Import::plan`] reads all files of one chain against the live schema and
//! refuses them as a whole or gives every row as canonical bytes, and [`Import::into_source`] makes a
//! [`Source`](gorgen_engine::ports::Source) of these, to be backed up like a database. No error and no note holds a
//! value: it may be a patient's.

mod chain;
mod columns;
mod container;
mod document;
mod error;
mod file;
mod findings;
mod import;
mod members;
mod reading;
mod source;
mod temporal;
mod tenants;
mod types;
mod values;

pub use container::{DEFAULT_SECRET, Opened, open, tenant_in_path};
pub use error::Error;
pub use import::{Import, ImportedTable, Rules};
pub use source::LegacySource;
