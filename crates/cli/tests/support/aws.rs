//! The emulated AWS, spoken to in plain HTTP: it checks no signatures, and the tool's own SDK stays the tool's.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::{Value, json};

use super::{
    server::{env, needed},
    tool::Tool,
};

/// What the laboratory tells an AWS client, besides the endpoint.
const CLIENT_ENVIRONMENT: [&str; 5] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
];

/// The laboratory's AWS.
pub struct Aws {
    endpoint: String,
}

impl Aws {
    pub fn of_the_laboratory() -> Self {
        Self { endpoint: needed("TEST_S3_ENDPOINT") }
    }

    /// A tool that finds it.
    pub fn reached_by(&self, tool: Tool) -> Tool {
        let tool = tool.with("AWS_ENDPOINT_URL", &self.endpoint);
        CLIENT_ENVIRONMENT.iter().fold(tool, |tool, name| match env(name) {
            Some(value) => tool.with(name, value),
            None => tool,
        })
    }

    pub fn create_bucket(&self, bucket: &str) {
        let region = needed("AWS_REGION");
        let place = format!(
            "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        );
        self.request("PUT", &format!("/{bucket}"), "s3", &[], place.as_bytes()).expect_ok();
    }

    pub fn object(&self, bucket: &str, key: &str) -> Vec<u8> {
        self.request("GET", &format!("/{bucket}/{key}"), "s3", &[], b"").expect_ok()
    }

    pub fn put_object(&self, bucket: &str, key: &str, content: &[u8]) {
        self.request("PUT", &format!("/{bucket}/{key}"), "s3", &[], content).expect_ok();
    }

    pub fn delete_object(&self, bucket: &str, key: &str) {
        self.request("DELETE", &format!("/{bucket}/{key}"), "s3", &[], b"").expect_ok();
    }

    /// Keys of all objects that start so.
    pub fn objects(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let path = format!("/{bucket}?list-type=2&prefix={prefix}");
        let listing = self.request("GET", &path, "s3", &[], b"").expect_ok();
        let listing = String::from_utf8(listing).expect("XML");
        let keys = listing.split("<Key>").skip(1);
        keys.map(|rest| rest.split("</Key>").next().expect("a closing tag").to_owned()).collect()
    }

    /// A KMS key behind an alias; gives its id.
    pub fn create_key(&self, alias: &str) -> String {
        let created = self.kms("CreateKey", &json!({}));
        let id = created["KeyMetadata"]["KeyId"].as_str().expect("an id").to_owned();
        self.kms("CreateAlias", &json!({ "AliasName": alias, "TargetKeyId": id }));
        id
    }

    /// One call of KMS.
    pub fn kms(&self, action: &str, input: &Value) -> Value {
        self.call("kms", &format!("TrentService.{action}"), input)
    }

    /// A secret of Secrets Manager; gives its ARN.
    pub fn create_secret(&self, name: &str, text: &str) -> String {
        let input = json!({ "Name": name, "SecretString": text, "ClientRequestToken": name });
        let made = self.call("secretsmanager", "secretsmanager.CreateSecret", &input);
        made["ARN"].as_str().expect("an ARN").to_owned()
    }

    fn call(&self, service: &str, target: &str, input: &Value) -> Value {
        let target = format!("X-Amz-Target: {target}");
        let body = input.to_string();
        let headers = [target.as_str(), "Content-Type: application/x-amz-json-1.1"];
        let answer = self.request("POST", "/", service, &headers, body.as_bytes()).expect_ok();
        if answer.is_empty() { Value::Null } else { serde_json::from_slice(&answer).expect("JSON") }
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        service: &str,
        headers: &[&str],
        body: &[u8],
    ) -> Answer {
        let host = self.endpoint.strip_prefix("http://").expect("plain HTTP");
        let mut connection = TcpStream::connect(host).expect("the emulator listens");
        let credential = format!("Credential=test/20260101/sa-east-1/{service}/aws4_request");
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\
             Authorization: AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0\r\n",
            body.len()
        );
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        connection
            .write_all(head.as_bytes())
            .and_then(|()| connection.write_all(body))
            .expect("it takes requests");
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).expect("it answers");
        Answer { what: format!("{method} {path}"), bytes: answer }
    }
}

struct Answer {
    what: String,
    bytes: Vec<u8>,
}

impl Answer {
    fn expect_ok(self) -> Vec<u8> {
        let split = self.bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let (head, body) = (
            String::from_utf8_lossy(&self.bytes[..split]).to_lowercase(),
            &self.bytes[split + 4..],
        );
        let status = head.split(' ').nth(1).unwrap_or_default();
        assert!(
            status.starts_with('2'),
            "{}: {head}\n{}",
            self.what,
            String::from_utf8_lossy(body)
        );
        if head.contains("transfer-encoding: chunked") { unchunked(body) } else { body.to_vec() }
    }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
        let size = String::from_utf8_lossy(&body[..end]);
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)
            .expect("a size");
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 2 + size + 2..];
    }
    whole
}
