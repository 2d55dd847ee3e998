//! Takes one step once, or none: `instructions <step>`. local/instructions.py runs it under callgrind, and takes the count
//! without a step, which is that of making the data, off the others.

mod steps;

use std::process::ExitCode;

use steps::{Data, STEPS};

const ROWS: u32 = 10_000;

fn main() -> ExitCode {
    let data = Data::new(ROWS);
    let Some(wanted) = std::env::args().nth(1).filter(|name| name != "none") else {
        return ExitCode::SUCCESS;
    };
    let step = STEPS.iter().find(|(name, _)| *name == wanted && data.bytes > 0);
    step.map_or(ExitCode::FAILURE, |(_, step)| {
        step(&data);
        ExitCode::SUCCESS
    })
}
