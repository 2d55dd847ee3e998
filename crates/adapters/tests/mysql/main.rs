//! The MySQL adapter against real servers, a MariaDB and a MySQL.
#![cfg(feature = "mysql")]

mod catalog;
mod connect;
mod lab;
mod loading;
mod snapshot;
mod target;
mod two_servers;
mod types;
