//! The queue of events that were given up.

use aws_config::SdkConfig;
use aws_sdk_sqs::{Client, types::QueueAttributeName};
use gorgen_engine::model::deployed::{Seen, Unseen};

use super::unseen;

/// Those that wait, and those that somebody is reading.
const COUNTED: [QueueAttributeName; 2] = [
    QueueAttributeName::ApproximateNumberOfMessages,
    QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
];

/// How many there are.
pub(super) async fn look(environment: &str, config: &SdkConfig) -> Seen<u64> {
    let client = Client::new(config);
    let name = format!("gorgen-{environment}-dead-letters");
    let answer = client.get_queue_url().queue_name(name).send().await;
    let found = answer.map_err(|error| unseen(&error.into(), "sqs:GetQueueUrl"))?;
    let url = found.queue_url.ok_or(Unseen::Missing)?;
    let request = client.get_queue_attributes().queue_url(url);
    let answer = request.set_attribute_names(Some(COUNTED.to_vec())).send().await;
    let found = answer.map_err(|error| unseen(&error.into(), "sqs:GetQueueAttributes"))?;
    let attributes = found.attributes.unwrap_or_default();
    COUNTED
        .iter()
        .map(|name| {
            let count = attributes.get(name).and_then(|text| text.parse::<u64>().ok());
            count.ok_or_else(|| Unseen::Failed(format!("SQS did not tell {name}")))
        })
        .sum()
}
