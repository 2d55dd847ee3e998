//! Alarms, and who hears them.

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::types::{AlarmType, StateValue};
use gorgen_engine::model::deployed::{Alarm, Listener, Seen, Watch};

use super::{Places, functions::Settings, in_region, unseen};
use crate::{
    aws::{Aws, arn::Arn},
    settings::Setting,
};

/// What SNS writes where a confirmed subscription has its ARN.
const UNCONFIRMED: [&str; 2] = ["PendingConfirmation", "Deleted"];

/// Those of the first region, and of the second if it is known; none if no function knows a topic.
pub(super) async fn look(
    environment: &str,
    settings: &Settings,
    places: &Places,
    aws: &Aws,
) -> Vec<Watch> {
    let Some(topic) = settings.get(Setting::NoticeTopic.name()) else { return Vec::new() };
    let Some(home) = Arn::parse(topic).map(|arn| arn.region.to_owned()) else { return Vec::new() };
    let second = places.replica.iter().map(|(_, region)| region.clone());
    let mut watches = Vec::new();
    for region in [home].into_iter().chain(second) {
        let Some(topic) = in_region(topic, &region) else { continue };
        let config = aws.config_in(&region).await;
        let (listeners, alarms) =
            tokio::join!(listeners(&topic, &config), alarms(environment, &config));
        watches.push(Watch { region, topic, listeners, alarms });
    }
    watches
}

async fn listeners(topic: &str, config: &SdkConfig) -> Seen<Vec<Listener>> {
    let client = aws_sdk_sns::Client::new(config);
    let mut pages =
        client.list_subscriptions_by_topic().topic_arn(topic).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(subscription) = pages.next().await {
        let subscription =
            subscription.map_err(|error| unseen(&error.into(), "sns:ListSubscriptionsByTopic"))?;
        let arn = subscription.subscription_arn.unwrap_or_default();
        found.push(Listener {
            protocol: subscription.protocol.unwrap_or_default(),
            address: subscription.endpoint.unwrap_or_default(),
            is_confirmed: !UNCONFIRMED.contains(&arn.as_str()),
        });
    }
    Ok(found)
}

async fn alarms(environment: &str, config: &SdkConfig) -> Seen<Vec<Alarm>> {
    let client = aws_sdk_cloudwatch::Client::new(config);
    let request = client.describe_alarms().alarm_types(AlarmType::MetricAlarm);
    let request = request.alarm_name_prefix(format!("gorgen-{environment}-"));
    let mut pages = request.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| unseen(&error.into(), "cloudwatch:DescribeAlarms"))?;
        for alarm in page.metric_alarms.unwrap_or_default() {
            let is_on = alarm.actions_enabled.unwrap_or_default();
            found.push(Alarm {
                name: alarm.alarm_name.unwrap_or_default(),
                is_ringing: alarm.state_value == Some(StateValue::Alarm),
                tells: if is_on { alarm.alarm_actions.unwrap_or_default() } else { Vec::new() },
            });
        }
    }
    Ok(found)
}
