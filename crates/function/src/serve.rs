//! The loop of a function: events in, summaries or failures out, and a line of metrics for each.

use std::{
    io::{Write, stdout},
    time::Duration,
};

use gorgen_adapters::ambient::SystemClock;
use gorgen_engine::{ports::Clock, records::run::Job};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Context, Diagnostic, LambdaEvent, run, service_fn, tracing};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Call, Failure, Metric, Shell, log, memory,
    metrics::line,
    news::{Asked, Ended},
    notices::Notices,
    part::JobEnd,
    shell::Process,
};

/// Kept of a function's time, to write what is on its way and to leave things in order.
const MARGIN: Duration = Duration::from_secs(30);

/// Of a short time limit no more than this part is kept.
const MARGIN_PARTS: i32 = 5;

/// Serves events with a job until the function is no longer needed.
///
/// Wrong settings do not stop it: each event is then answered with what is wrong.
///
/// # Errors
/// If the function's own runtime fails.
pub async fn serve<E, S, J>(job: Job, handler: J) -> Result<(), lambda_runtime::Error>
where
    E: DeserializeOwned,
    S: Serialize,
    J: AsyncFn(&Shell, Call<E>) -> Result<S, Failure>,
{
    serve_all(Some(job), handler).await
}

/// The same for what is no job: requests are logged, and the gateway measures them.
///
/// # Errors
/// If the function's own runtime fails.
pub async fn serve_requests<E, S, J>(handler: J) -> Result<(), lambda_runtime::Error>
where
    E: DeserializeOwned,
    S: Serialize,
    J: AsyncFn(&Shell, Call<E>) -> Result<S, Failure>,
{
    serve_all(None, handler).await
}

async fn serve_all<E, S, J>(job: Option<Job>, handler: J) -> Result<(), lambda_runtime::Error>
where
    E: DeserializeOwned,
    S: Serialize,
    J: AsyncFn(&Shell, Call<E>) -> Result<S, Failure>,
{
    log::start();
    let (process, notices) = (Process::start(), Notices::start());
    let (process, handler, notices) = (process.as_ref(), &handler, &notices);
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        let started = SystemClock.now();
        let asked = Asked::of(&event.payload, &event.context.request_id);
        let function = event.context.env_config.function_name.clone();
        let process = match process {
            Ok(process) => process,
            Err(failure) => {
                if let Some(job) = job {
                    let now = SystemClock.now();
                    let ended =
                        Ended { job, asked: &asked, measures: &[], result: Err(failure), now };
                    notices.tell(&ended, &function, None, started).await;
                }
                return Err(log_failure(None, failure));
            }
        };
        let shell = Shell::new(process, deadline(&event.context, started));
        // Boxed: a job's future is too large for the compiler to look through.
        let result = Box::pin(respond(&shell, handler, event.payload)).await;
        let run = shell.run().map(|run| run.to_string());
        let part = shell.part();
        let end = part.end(started, result.as_ref());
        if let Some(job) = job {
            tell_metrics(job, process, &shell, end.as_ref());
        }
        if let (Some(job), Some(JobEnd { began, result })) = (job, end) {
            let (measures, now) = (shell.measures(), SystemClock.now());
            let ended = Ended { job, asked: &asked, measures: &measures, result, now };
            notices.tell(&ended, &function, shell.run().as_ref(), began).await;
        }
        match result {
            Ok(summary) => {
                tracing::info!(job = job.map(Job::as_str), run, "done");
                Ok(summary)
            }
            Err(failure) => Err(log_failure(run.as_deref(), &failure)),
        }
    }))
    .await
}

fn tell_metrics(job: Job, process: &Process, shell: &Shell, end: Option<&JobEnd<'_>>) {
    let now = SystemClock.now();
    if let Some(JobEnd { began, result }) = end {
        shell.measure(Metric::Succeeded, f64::from(u8::from(result.is_ok())));
        shell.measure(Metric::Failed, f64::from(u8::from(result.is_err())));
        shell.measure(Metric::DurationSeconds, now.duration_since(*began).as_secs_f64());
    }
    if let Some(bytes) = memory::peak() {
        shell.measure(Metric::PeakMemoryBytes, bytes as f64);
    }
    print(&line(&process.vault_name(), job, now, &shell.measures()));
}

async fn respond<E, S, J>(shell: &Shell, handler: &J, event: Value) -> Result<Value, Failure>
where
    E: DeserializeOwned,
    S: Serialize,
    J: AsyncFn(&Shell, Call<E>) -> Result<S, Failure>,
{
    let summary = handler(shell, Call::read(event)?).await?;
    serde_json::to_value(summary)
        .map_err(|error| Failure::of(crate::ErrorType::Failed, &error, None))
}

fn log_failure(run: Option<&str>, failure: &Failure) -> Diagnostic {
    tracing::error!(run, error_type = failure.kind.name(), "{}", failure.message);
    failure.clone().into()
}

/// When to stop: a while before the function's time is over.
fn deadline(context: &Context, now: Timestamp) -> Option<Timestamp> {
    let end = Timestamp::from_millisecond(i64::try_from(context.deadline).ok()?).ok()?;
    let part = end.duration_since(now) / MARGIN_PARTS;
    let margin = SignedDuration::try_from(MARGIN).unwrap_or(part).min(part);
    end.checked_sub(margin).ok()
}

/// `CloudWatch` reads metrics from lines of the log. One that can't be written is no reason to fail.
fn print(line: &str) {
    let _ = writeln!(stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_time_is_kept_for_putting_things_in_order() {
        let now: Timestamp = "2026-11-23T06:00:00Z".parse().unwrap();
        let stops_after = |limit: i64| {
            let mut context = Context::default();
            context.deadline = u64::try_from(now.as_millisecond() + limit * 1000).unwrap();
            deadline(&context, now).unwrap().duration_since(now).as_secs()
        };
        assert_eq!(stops_after(900), 870);
        assert_eq!(stops_after(10), 8);
    }
}
