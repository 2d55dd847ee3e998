//! The MySQL adapter against real servers, a MariaDB and a MySQL.
#![cfg(feature = "mysql")]

mod catalog;
mod lab;
mod loading;
mod snapshot;
mod target;
mod types;
