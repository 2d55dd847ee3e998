//! Who calls, and what he may do: read from the claims of the token that the gateway has checked.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use gorgen_engine::records::audit;
use gorgen_function::ApiSettings;
use serde_json::{Map, Value};

use crate::{api::Shared, problem::Problem};

/// Claims that hold a name people know, the best first.
const NAMES: [&str; 5] = ["email", "preferred_username", "cognito:username", "username", "name"];

/// As much of a text of the caller's as is kept.
const LONGEST_TEXT: usize = 256;
const MOST_ROLES: usize = 50;

/// Where a request came from, and the claims of its token; the gateway adds it to each request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// None without a token.
    pub(crate) claims: Option<Map<String, Value>>,
    pub(crate) address: Option<String>,
    pub(crate) agent: Option<String>,
}

/// What a caller may do. Who has a role may do all that those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// See everything, start what changes nothing that counts.
    Admin,
    /// Restore, undo, switch schedules.
    Master,
}

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) told: audit::Caller,
    role: Option<Role>,
    /// What the roles are called here.
    names: [String; 2],
}

impl Caller {
    /// The caller; none without a token, or with one that names nobody.
    pub(crate) fn of(origin: &Origin, settings: &ApiSettings) -> Option<Self> {
        let claims = origin.claims.as_ref()?;
        let claim =
            |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let subject = shorten(claim("sub")?);
        let roles = claims.get(&settings.role_claim).map(roles).unwrap_or_default();
        let has = |role: &String| roles.contains(role);
        let role = if has(&settings.master_role) {
            Some(Role::Master)
        } else {
            has(&settings.admin_role).then_some(Role::Admin)
        };
        let name = NAMES.iter().find_map(|name| claim(name)).map(shorten);
        let told = audit::Caller {
            subject,
            name,
            roles: roles.iter().take(MOST_ROLES).map(|role| shorten(role)).collect(),
            address: origin.address.as_deref().map(shorten),
            agent: origin.agent.as_deref().map(shorten),
        };
        let names = [settings.admin_role.clone(), settings.master_role.clone()];
        Some(Self { told, role, names })
    }

    /// Refuses whoever may less than that.
    pub(crate) fn needs(&self, least: Role) -> Result<(), Problem> {
        if self.role >= Some(least) {
            return Ok(());
        }
        let [admin, master] = &self.names;
        let needed = match least {
            Role::Admin => format!("{admin} or {master}"),
            Role::Master => master.clone(),
        };
        Err(Problem::new(StatusCode::FORBIDDEN, format!("this needs the role {needed}")))
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

/// The roles in a claim: a list, a list as the gateway writes it (`[one other]`), or one role.
fn roles(claim: &Value) -> Vec<String> {
    match claim {
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(text) => {
            let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
            match inside {
                Some(list) => list.split_ascii_whitespace().map(str::to_owned).collect(),
                // As a whole: a role whose name has a space in it must not be taken for two others.
                None => vec![text.clone()],
            }
        }
        _ => Vec::new(),
    }
}

/// Whoever has a valid token.
pub(crate) struct Known(pub(crate) Caller);

impl FromRequestParts<Shared> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        let origin = parts.extensions.get::<Origin>();
        let caller = origin.and_then(|origin| Caller::of(origin, &api.settings));
        caller.map(Self).ok_or_else(|| {
            Problem::new(StatusCode::UNAUTHORIZED, "this needs a token that says who is calling")
        })
    }
}

/// Whoever may see everything.
pub(crate) struct Admin;

impl FromRequestParts<Shared> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        let Known(caller) = Known::from_request_parts(parts, api).await?;
        caller.needs(Role::Admin).map(|()| Self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn role(claim: &Value) -> Option<Role> {
        let claims = json!({ "sub": "1", "cognito:groups": claim });
        let origin = Origin { claims: claims.as_object().cloned(), ..Origin::default() };
        Caller::of(&origin, &ApiSettings::default()).unwrap().role
    }

    #[test]
    fn roles_are_read_however_the_gateway_writes_them() {
        for (claim, expected) in [
            (json!("admin"), Some(Role::Admin)),
            (json!("[admin]"), Some(Role::Admin)),
            (json!("[staff admin_master]"), Some(Role::Master)),
            (json!(["admin", "admin_master"]), Some(Role::Master)),
            (json!("[admins]"), None),
            (json!("former admin_master"), None),
            (json!("Admin"), None),
            (json!("admin "), None),
            (json!(""), None),
            (json!("[]"), None),
            (json!({ "admin": true }), None),
            (json!(null), None),
        ] {
            assert_eq!(role(&claim), expected, "{claim}");
        }
    }

    #[test]
    fn a_token_that_names_nobody_is_nobodys() {
        for claims in
            [json!({}), json!({ "sub": "" }), json!({ "sub": 7 }), json!({ "email": "a@b" })]
        {
            let origin = Origin { claims: claims.as_object().cloned(), ..Origin::default() };
            assert!(Caller::of(&origin, &ApiSettings::default()).is_none(), "{claims}");
        }
        assert!(Caller::of(&Origin::default(), &ApiSettings::default()).is_none());
    }
}
