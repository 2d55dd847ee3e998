//! Tells people how a run ended, if that is news. It never changes how it ended: a notice that can't be sent is an error in
//! the log, and the alarms of `CloudWatch` are there for that case.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use gorgen_adapters::{
    aws::Aws,
    notices::{Notifier, SnsTopic},
    settings::Settings,
    vault,
};
use gorgen_engine::{jobs::backups, model::RunId};
use gorgen_words::notice::{Newest, Notice, Scene, write};
use jiff::Timestamp;
use lambda_runtime::tracing;
use tokio::time::timeout;

use crate::{
    news::{self, Ended, Item, Memory},
    shell::environment,
};

/// A run keeps half a minute at its end: both together must fit in.
const ASKING: Duration = Duration::from_secs(5);
const SENDING: Duration = Duration::from_secs(10);

/// Who tells, as long as the process lives.
pub(crate) struct Notices {
    settings: Settings,
    aws: Aws,
    memory: Mutex<Memory>,
}

impl Notices {
    /// Reads the environment by itself, as far as it is good: wrong settings are to be told, too.
    pub(crate) fn start() -> Self {
        let settings = Settings::as_far_as_good(environment());
        Self { settings, aws: Aws::of_lambda(), memory: Mutex::default() }
    }

    /// Tells how this call of the function ended, if that is news.
    pub(crate) async fn tell(
        &self,
        ended: &Ended<'_>,
        function: &str,
        run: Option<&RunId>,
        started: Timestamp,
    ) {
        let Some(topic) = self.settings.notice_topic() else { return };
        let Some(mut item) = self.news(ended) else { return };
        if let Item::Report(month) = &mut item {
            month.link = month.link.take().and_then(|page| self.console_link(topic, &page));
        }
        let (zone, newest) = (self.settings.timezone(), self.newest().await);
        let vault = self.settings.vault().map_or_else(|_| "-".to_owned(), ToString::to_string);
        let scene = Scene {
            language: self.settings.language(),
            zone: &zone,
            vault: &vault,
            function,
            job: ended.job,
            run,
            started,
            now: ended.now,
            newest,
        };
        let notifier = SnsTopic::open(topic, &self.aws).await;
        deliver(&notifier, &write(&scene, &item.news())).await;
    }

    fn news(&self, ended: &Ended<'_>) -> Option<Item> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        news::of(ended, self.settings.notices(), &mut memory)
    }

    /// The newest backup that the vault holds. That it can't be asked may be what the notice is about.
    async fn newest(&self) -> Newest {
        let asked = async {
            let vault = vault::open(self.settings.vault().ok()?, &self.aws).await.ok()?;
            backups::newest(&*vault).await.ok()
        };
        match timeout(ASKING, asked).await {
            Ok(Some(Some(id))) => id.started().map_or(Newest::Unknown, Newest::At),
            Ok(Some(None)) => Newest::None,
            _ => Newest::Unknown,
        }
    }

    /// Where the console shows an object of the vault to those who log in, and may.
    fn console_link(&self, topic: &str, page: &str) -> Option<String> {
        let region = topic.split(':').nth(3)?;
        let vault = self.settings.vault().ok()?.to_string();
        let place = vault.strip_prefix("s3://")?.split('?').next()?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let key = if prefix.is_empty() { page.to_owned() } else { format!("{prefix}/{page}") };
        Some(format!(
            "https://{region}.console.aws.amazon.com/s3/object/{bucket}?region={region}&prefix={key}"
        ))
    }
}

/// Sends a notice, and says in the log what became of it.
async fn deliver(notifier: &dyn Notifier, notice: &Notice) {
    let Notice { subject, text } = notice;
    match timeout(SENDING, notifier.send(subject, text)).await {
        Ok(Ok(())) => tracing::info!(subject, "notice sent"),
        Ok(Err(error)) => {
            let causes = std::iter::successors(std::error::Error::source(&error), |&e| e.source());
            let chain: Vec<_> = causes.map(ToString::to_string).collect();
            tracing::error!(subject, "{error}: {}", chain.join(": "));
        }
        Err(_) => tracing::error!(subject, "a notice was not taken within {} s", SENDING.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use gorgen_adapters::notices::NoticeError;

    use super::*;

    fn notices(pairs: &[(&str, &str)]) -> Notices {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Notices {
            settings: Settings::as_far_as_good(pairs),
            aws: Aws::of_lambda(),
            memory: Mutex::default(),
        }
    }

    /// Keeps what it is given, or never answers.
    #[derive(Default)]
    struct Fake {
        silent: bool,
        sent: Mutex<Vec<(String, String)>>,
    }

    #[async_trait]
    impl Notifier for Fake {
        async fn send(&self, subject: &str, text: &str) -> Result<(), NoticeError> {
            if self.silent {
                std::future::pending::<()>().await;
            }
            self.sent.lock().unwrap().push((subject.to_owned(), text.to_owned()));
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_notice_is_handed_over_as_it_was_written() {
        let fake = Fake::default();
        let notice = Notice { subject: "s".to_owned(), text: "é".to_owned() };
        deliver(&fake, &notice).await;
        assert_eq!(*fake.sent.lock().unwrap(), [("s".to_owned(), "é".to_owned())]);
    }

    #[tokio::test(start_paused = true)]
    #[expect(clippy::disallowed_methods, reason = "the clock stands still but for the waiting")]
    async fn one_that_nobody_takes_is_given_up_before_the_function_ends() {
        let fake = Fake { silent: true, ..Fake::default() };
        let notice = Notice { subject: "s".to_owned(), text: "t".to_owned() };
        let begun = tokio::time::Instant::now();
        deliver(&fake, &notice).await;
        assert_eq!(begun.elapsed(), SENDING);
    }

    #[test]
    fn the_reports_link_leads_to_the_console_which_asks_for_a_login() {
        let topic = "arn:aws:sns:sa-east-1:111122223333:gorgen-prod-alarms";
        let link = |vault| {
            notices(&[("GORGEN_VAULT", vault)]).console_link(topic, "reports/2026-10/x.html")
        };
        assert_eq!(
            link("s3://vault/clinica").unwrap(),
            "https://sa-east-1.console.aws.amazon.com/s3/object/vault?region=sa-east-1&prefix=clinica/reports/2026-10/x.html"
        );
        assert!(link("s3://vault").unwrap().ends_with("&prefix=reports/2026-10/x.html"));
        assert_eq!(link("file:///srv/vault"), None);
    }

    #[test]
    fn wrong_settings_leave_those_with_which_they_are_told() {
        let topic = "arn:aws:sns:sa-east-1:111122223333:gorgen-prod-alarms";
        let notices = notices(&[
            ("GORGEN_NOTICE_TOPIC", topic),
            ("GORGEN_LANG", "en"),
            ("GORGEN_READERS", "many"),
            ("GORGEN_COLOUR", "red"),
        ]);
        assert_eq!(notices.settings.notice_topic(), Some(topic));
        assert_eq!(notices.settings.language().tag(), "en");
    }
}
