//! The tests of old files, one binary: each more would link all of it once more.

mod support;

mod backup;
mod chains;
mod fuzz;
mod refusals;
mod tenants;
mod vectors;
