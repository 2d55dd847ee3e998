//! Decisions as pure functions: what is due, what fits where. No I/O, `now` is an argument.

pub mod advice;
pub mod compatibility;
pub mod conformity;
pub mod coverage;
pub mod difference;
pub mod findings;
pub mod groups;
pub mod keys;
pub mod likeness;
pub mod month;
pub mod prepare;
pub mod retention;
pub mod rights;
pub mod rotation;
pub mod scratch;
pub mod shares;
pub mod swap;
pub mod tenancy;
pub mod timetable;
pub mod trend;
