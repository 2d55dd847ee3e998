//! The whole function from the gateway's event to the gateway's answer, over fakes of all that it reaches.
//!
//! Every answer that a test gets is held to the OpenAPI document: [`house::House::send`].

mod changing;
mod conformance;
mod document;
mod house;
mod manual;
mod reading;
mod refusing;
mod repeating;
mod reports;
