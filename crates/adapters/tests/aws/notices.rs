//! Notices, handed to a topic.

use gorgen_adapters::notices::{Notifier, SnsTopic};

use crate::{
    emulator::{aws, chain, config, endpoint, fresh_name},
    proxy::{Fault, Proxy},
};

const TOPIC: &str = "arn:aws:sns:sa-east-1:000000000000:gorgen-test-alarms";
const TAKEN: &str =
    "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>";

#[tokio::test]
async fn a_topic_takes_a_notice_with_accents() {
    let client = aws_sdk_sns::Client::new(&config(&endpoint()).await);
    let made = client.create_topic().name(fresh_name("gorgen-alarms")).send().await.unwrap();
    let topic = SnsTopic::open(&made.topic_arn.unwrap(), &aws(&endpoint()).await).await;
    let sent = topic.send("[gorgen-backup] backup FALHOU", "não há backup").await;
    sent.unwrap_or_else(|error| panic!("{}", chain(&error)));
}

#[tokio::test]
async fn a_notice_arrives_as_it_was_written_and_is_sent_once() {
    let proxy = Proxy::start("POST", &[Fault::Answer("200 OK", "text/xml", TAKEN)]);
    let topic = SnsTopic::open(TOPIC, &aws(&proxy.endpoint).await).await;
    topic.send("a subject", "a text").await.unwrap();
    let [request] = &proxy.requests()[..] else { panic!("one request") };
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    for part in ["Action=Publish", "Subject=a%20subject", "Message=a%20text", "gorgen-test-alarms"]
    {
        assert!(body.contains(part), "{body}");
    }
}

#[tokio::test]
async fn a_topic_that_is_not_there_or_not_reached_is_named() {
    for endpoint in [endpoint(), "http://127.0.0.1:1".to_owned()] {
        let topic = SnsTopic::open(TOPIC, &aws(&endpoint).await).await;
        let error = topic.send("s", "t").await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot send a notice to {TOPIC}"));
        assert!(chain(&error).len() > error.to_string().len(), "it has a cause");
    }
}
