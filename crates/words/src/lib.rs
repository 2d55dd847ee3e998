//! What people read: a month's report as a page that prints, and notices as e-mail, in Portuguese and in English.
//!
//! Plain functions from what the engine reports to text: no I/O, no clock, no settings.

pub mod notice;
pub mod report;
mod speech;
