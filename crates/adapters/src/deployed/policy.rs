//! Policies of buckets and keys, as far as they are judged.

use gorgen_engine::model::deployed::{Seen, Statement, Unseen};
use serde::Deserialize;
use serde_json::{Map, Value};

const EVERYBODY: &str = "*";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    statement: OneOrMany<Written>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    #[serde(default)]
    sid: String,
    effect: String,
    #[serde(default)]
    principal: Value,
    action: Option<OneOrMany<String>>,
    #[serde(default)]
    condition: Map<String, Value>,
}

/// IAM lets a list of one be written without brackets.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// What a policy's JSON says.
pub(super) fn read(text: &str) -> Seen<Vec<Statement>> {
    let document: Document = serde_json::from_str(text)
        .map_err(|error| Unseen::Failed(format!("the policy can't be read: {error}")))?;
    Ok(document.statement.into_vec().into_iter().map(statement).collect())
}

fn statement(written: Written) -> Statement {
    let of_operator = |of: &Value| of.as_object().map(|keys| keys.keys().cloned().collect());
    let conditions: Vec<Vec<String>> = written.condition.values().filter_map(of_operator).collect();
    Statement {
        denies: written.effect == "Deny",
        is_for_everybody: is_everybody(&written.principal),
        name: written.sid,
        actions: written.action.map(OneOrMany::into_vec).unwrap_or_default(),
        conditions: conditions.concat(),
    }
}

/// `"*"`, `{"AWS": "*"}` or `{"AWS": ["*"]}`.
fn is_everybody(principal: &Value) -> bool {
    let is_star = |value: &Value| value.as_str() == Some(EVERYBODY);
    let of_aws = principal.get("AWS");
    let among = |value: &Value| value.as_array().is_some_and(|many| many.iter().any(is_star));
    is_star(principal) || of_aws.is_some_and(|of_aws| is_star(of_aws) || among(of_aws))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_in_each_way_it_can_be_written() {
        let read = read(
            r#"{"Version": "2012-10-17", "Statement": [
                {"Sid": "Tls", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": "*",
                 "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
                {"Effect": "Deny", "Principal": "*", "Action": ["s3:PutObject"], "Resource": ["*"],
                 "Condition": {"Null": {"s3:if-none-match": "true"}, "ArnNotLike": {"aws:PrincipalArn": ["x"]}}},
                {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::1:root"]}, "NotAction": "s3:Get*"}]}"#,
        );
        let statement = |name: &str, denies, is_for_everybody, actions: &[&str], of: &[&str]| {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            let (actions, conditions) = (owned(actions), owned(of));
            Statement { name: name.to_owned(), denies, is_for_everybody, actions, conditions }
        };
        let expected = vec![
            statement("Tls", true, true, &["s3:*"], &["aws:SecureTransport"]),
            statement("", true, true, &["s3:PutObject"], &["aws:PrincipalArn", "s3:if-none-match"]),
            statement("", false, false, &[], &[]),
        ];
        assert_eq!(read, Ok(expected));
        let one =
            r#"{"Statement": {"Effect": "Deny", "Principal": {"AWS": ["*"]}, "Action": "kms:*"}}"#;
        assert_eq!(super::read(one), Ok(vec![statement("", true, true, &["kms:*"], &[])]));
        assert!(matches!(super::read("{}"), Err(Unseen::Failed(_))));
    }
}
