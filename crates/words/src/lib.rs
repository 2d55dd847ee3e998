//! What people read: a month's report as a page that prints, notices as e-mail, and how an offline package is restored, in
//! Portuguese and in English.
//!
//! Plain functions from what the engine reports to text: no I/O, no clock, no settings.

pub mod notice;
pub mod package;
pub mod report;
mod speech;
