//! The end of the time that a job was given, e.g. by the limit of a function.

use std::{future::Future, time::Duration};

use jiff::Timestamp;
use tokio::time::timeout;

use super::{Error, World};

/// Does this before `deadline`, or drops it there.
///
/// # Errors
/// [`Error::Deadline`] if it was not done by then.
pub(super) async fn within<T>(
    world: &World,
    deadline: Option<Timestamp>,
    work: impl Future<Output = T>,
) -> Result<T, Error> {
    let Some(deadline) = deadline else {
        return Ok(work.await);
    };
    let left = Duration::try_from(deadline.duration_since(world.clock.now()));
    // A deadline that has passed gives no duration.
    let left = left.map_err(|_| Error::Deadline)?;
    timeout(left, work).await.map_err(|_| Error::Deadline)
}
