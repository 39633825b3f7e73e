//! What can be asked about who may do what.

use async_trait::async_trait;

use super::{
    Grant, MadeToken, NewToken, PasswordChange, SessionEntry, TokenEntry, UserEntry, UserSettings,
    UserVersion,
};
use crate::AdminError;
use crate::policies::Edit;

/// The part of [`AdminApi`](crate::AdminApi) that is about users, API tokens and sessions. Whose they are decides who may ask: see [`Grant`].
#[async_trait]
pub trait AccessApi: Send + Sync + 'static {
    /// All users, by name.
    async fn users(&self) -> Result<Vec<UserEntry>, AdminError>;

    async fn user(&self, name: &str) -> Result<UserEntry, AdminError>;

    /// Makes a user or changes one. Another password, a lesser role and being
    /// disabled end all of the user's sessions.
    async fn put_user(
        &self,
        name: &str,
        settings: UserSettings,
        grant: &Grant,
        edit: Edit,
    ) -> Result<UserEntry, AdminError>;

    /// Deletes a user, with sessions and API tokens.
    async fn delete_user(&self, name: &str, grant: &Grant, edit: Edit) -> Result<(), AdminError>;

    /// What a user was, the latest first; also of one who was deleted.
    async fn user_versions(&self, name: &str) -> Result<Vec<UserVersion>, AdminError>;

    /// Makes a user what they were at one of their versions, but for the password: that stays, and one who was deleted
    /// has none. `None`: they had been deleted then, and are again.
    async fn restore_user(
        &self,
        name: &str,
        version: u64,
        grant: &Grant,
        edit: Edit,
    ) -> Result<Option<UserEntry>, AdminError>;

    /// A user's own new password. All sessions of the user end.
    async fn change_password(
        &self,
        name: &str,
        change: PasswordChange,
        edit: Edit,
    ) -> Result<UserEntry, AdminError>;

    /// The API tokens that concern whoever asks, by name.
    async fn tokens(&self, grant: &Grant) -> Result<Vec<TokenEntry>, AdminError>;

    async fn token(&self, name: &str, grant: &Grant) -> Result<TokenEntry, AdminError>;

    /// Makes an API token, whose secret is told this once.
    async fn create_token(
        &self,
        token: NewToken,
        grant: &Grant,
        edit: Edit,
    ) -> Result<MadeToken, AdminError>;

    /// An API token that is not taken from now on.
    async fn revoke_token(&self, name: &str, grant: &Grant, edit: Edit) -> Result<(), AdminError>;

    /// The sessions that concern whoever asks, the latest first.
    async fn sessions(&self, grant: &Grant) -> Result<Vec<SessionEntry>, AdminError>;

    /// Ends a session.
    async fn end_session(&self, id: &str, grant: &Grant, edit: Edit) -> Result<(), AdminError>;
}
