//! The steps between a table and the vault, each a room that holds both directions.
//!
//! [`rows`] -> [`cut`] (chunks) -> [`compress`] -> [`seal`] -> [`pack`]; a restore walks back.
//! A restore puts the rows of all tenants into one [`order`] again; [`definition`] takes a table's definition apart so that its keys can be made after its rows.

pub mod compress;
pub mod cut;
pub mod definition;
pub mod order;
pub mod pack;
pub mod real;
pub mod rows;
pub mod seal;
pub mod spare;
pub mod sql;
pub mod trigger;
