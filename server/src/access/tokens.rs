//! Making and revoking API tokens.

use std::collections::BTreeSet;

use chrono::Utc;
use serde_json::json;
use shared::AdminError;
use shared::access::{Area, Grant, MadeToken, NewToken, Role, TokenEntry};
use shared::policies::{Edit, FieldError};

use super::edits::{not_kept, refuse};
use super::token::{MARK, SHOWN};
use super::{Access, ApiToken, TOKEN, names, random, token};
use crate::store::{Change, What};

/// Of all users.
const MOST: usize = 10_000;

impl Access {
    /// The tokens that concern whoever asks, by name.
    pub fn tokens(&self, grant: &Grant) -> Vec<TokenEntry> {
        let table = self.read();
        let all = table.tokens.values();
        let concern = all.filter(|token| grant.concerns(token.user.as_deref()));
        let mut entries: Vec<_> = concern.map(ApiToken::entry).collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries
    }

    pub fn token(&self, name: &str, grant: &Grant) -> Result<TokenEntry, AdminError> {
        let table = self.read();
        let found = table.token(name);
        let found = found.filter(|token| grant.concerns(token.user.as_deref()));
        found
            .map(ApiToken::entry)
            .ok_or_else(|| no_such_token(name))
    }

    /// Makes a token, whose secret is told this once.
    pub async fn create_token(
        &self,
        new: NewToken,
        grant: &Grant,
        edit: &Edit,
    ) -> Result<MadeToken, AdminError> {
        let user = new.user.clone().or_else(|| grant.user.clone());
        let areas = areas(&new);
        refuse(self.wrong(&new, user.as_deref(), areas.as_deref(), grant))?;

        let _edits = self.edits.lock().await;
        {
            let table = self.read();
            if table.token(&new.name).is_some() {
                return Err(AdminError::Conflict {
                    message: format!("There is a token `{}` already.", new.name),
                });
            }
            if table.tokens.len() >= MOST {
                return Err(AdminError::Conflict {
                    message: format!("There are {MOST} tokens: revoke some first."),
                });
            }
            // It may have gone since it was looked at.
            if let Some(user) = user
                .as_deref()
                .filter(|user| !table.users.contains_key(*user))
            {
                return refuse([names::about("user", format!("there is no user `{user}`"))])
                    .and_then(|()| Err(no_such_token(&new.name)));
            }
        }
        let secret = format!("{MARK}{}", random::secret());
        let mut token = ApiToken {
            name: new.name.as_str().into(),
            user: user.map(Into::into),
            sha256: token::digest(&secret),
            prefix: format!("{}…", &secret[..SHOWN]),
            role: new.role,
            areas: areas.map(Into::into),
            version: 0,
            created_at: Utc::now(),
            created_by: edit.by.clone(),
            expires_at: new.expires_at,
            last_used: None.into(),
        };
        let value = json!({
            "user": token.user,
            "role": token.role,
            "areas": token.areas,
            "prefix": token.prefix,
            "expires_at": token.expires_at,
        });
        let what = What::Put(value.to_string());
        let change = Change::next(TOKEN, &token.name, what, &edit.by, edit.reason.clone());
        self.store
            .add_api_token(&mut token, change)
            .await
            .map_err(not_kept)?;
        tracing::info!(token = &*token.name, by = edit.by, "An API token was made");
        let entry = token.entry();
        self.write().tokens.insert(token.sha256, token);
        Ok(MadeToken { entry, secret })
    }

    /// A token that is not taken from now on.
    pub async fn revoke_token(
        &self,
        name: &str,
        grant: &Grant,
        edit: &Edit,
    ) -> Result<(), AdminError> {
        let _edits = self.edits.lock().await;
        let there = self.token(name, grant)?;
        if edit.seen.is_some_and(|seen| seen != there.version) {
            return Err(AdminError::Conflict {
                message: format!("The token `{name}` is another one now."),
            });
        }
        let change = Change::next(TOKEN, name, What::Delete, &edit.by, edit.reason.clone());
        self.store
            .delete_api_token(name, change)
            .await
            .map_err(not_kept)?;
        self.write().tokens.retain(|_, token| &*token.name != name);
        tracing::info!(token = name, by = edit.by, "An API token was revoked");
        Ok(())
    }

    /// What of a token to be made is more than whoever makes it can give, or makes no sense.
    fn wrong(
        &self,
        new: &NewToken,
        user: Option<&str>,
        areas: Option<&[Area]>,
        grant: &Grant,
    ) -> Vec<FieldError> {
        let mut wrong = Vec::new();
        wrong.extend(names::of_token(&new.name));
        if user != grant.user.as_deref() {
            let there = user.and_then(|user| {
                let table = self.read();
                table.users.get(user).map(|user| user.role)
            });
            if grant.role != Role::Admin {
                wrong.push(names::about("user", "only admins make tokens for others"));
            } else if let (Some(user), None) = (user, there) {
                let message = format!("there is no user `{user}`");
                wrong.push(names::about("user", message));
            }
        }
        if new.role > grant.role {
            let message = format!("at most {}, which is yours", grant.role);
            wrong.push(names::about("role", message));
        }
        match (areas, &grant.areas) {
            (Some([]), _) => wrong.push(names::about("areas", "a token for nothing is of no use")),
            (None, Some(_)) => {
                wrong.push(names::about("areas", "not all: yours are only some"));
            }
            (Some(wanted), Some(yours)) if wanted.iter().any(|area| !yours.contains(area)) => {
                wrong.push(names::about("areas", "only those that are yours"));
            }
            _ => {}
        }
        if new.expires_at.is_some_and(|end| end <= Utc::now()) {
            wrong.push(names::about("expires_at", "this is in the past"));
        }
        if let Some(until) = grant.until
            && new.expires_at.is_none_or(|end| end > until)
        {
            let message = format!("no later than {until}, when yours expires");
            wrong.push(names::about("expires_at", message));
        }
        wrong
    }
}

/// In order, each once.
fn areas(new: &NewToken) -> Option<Vec<Area>> {
    let areas: BTreeSet<Area> = new.areas.as_ref()?.iter().copied().collect();
    Some(areas.into_iter().collect())
}

impl ApiToken {
    fn entry(&self) -> TokenEntry {
        TokenEntry {
            name: self.name.to_string(),
            user: self.user.as_deref().map(str::to_owned),
            role: self.role,
            areas: self.areas.as_deref().map(<[Area]>::to_vec),
            prefix: self.prefix.clone(),
            created_at: self.created_at,
            created_by: self.created_by.clone(),
            expires_at: self.expires_at,
            last_used_at: self.last_used.get(),
            version: self.version,
        }
    }
}

fn no_such_token(name: &str) -> AdminError {
    AdminError::NotFound {
        message: format!("There is no API token `{name}`."),
    }
}
