//! What can be asked about who may do what, answered.

use async_trait::async_trait;
use shared::AdminError;
use shared::access::{
    AccessApi, Grant, MadeToken, NewToken, PasswordChange, SessionEntry, TokenEntry, UserEntry,
    UserSettings, UserVersion,
};
use shared::policies::Edit;

use super::Admin;

#[async_trait]
impl AccessApi for Admin {
    async fn users(&self) -> Result<Vec<UserEntry>, AdminError> {
        Ok(self.access.users())
    }

    async fn user(&self, name: &str) -> Result<UserEntry, AdminError> {
        self.access.user(name)
    }

    async fn put_user(
        &self,
        name: &str,
        settings: UserSettings,
        grant: &Grant,
        edit: Edit,
    ) -> Result<UserEntry, AdminError> {
        self.access.put_user(name, settings, grant, &edit).await
    }

    async fn delete_user(&self, name: &str, grant: &Grant, edit: Edit) -> Result<(), AdminError> {
        self.access.delete_user(name, grant, &edit).await
    }

    async fn user_versions(&self, name: &str) -> Result<Vec<UserVersion>, AdminError> {
        self.access.user_versions(name).await
    }

    async fn restore_user(
        &self,
        name: &str,
        version: u64,
        grant: &Grant,
        edit: Edit,
    ) -> Result<Option<UserEntry>, AdminError> {
        self.access.restore_user(name, version, grant, &edit).await
    }

    async fn change_password(
        &self,
        name: &str,
        change: PasswordChange,
        edit: Edit,
    ) -> Result<UserEntry, AdminError> {
        self.access.change_password(name, &change, &edit).await
    }

    async fn tokens(&self, grant: &Grant) -> Result<Vec<TokenEntry>, AdminError> {
        Ok(self.access.tokens(grant))
    }

    async fn token(&self, name: &str, grant: &Grant) -> Result<TokenEntry, AdminError> {
        self.access.token(name, grant)
    }

    async fn create_token(
        &self,
        token: NewToken,
        grant: &Grant,
        edit: Edit,
    ) -> Result<MadeToken, AdminError> {
        self.access.create_token(token, grant, &edit).await
    }

    async fn revoke_token(&self, name: &str, grant: &Grant, edit: Edit) -> Result<(), AdminError> {
        self.access.revoke_token(name, grant, &edit).await
    }

    async fn sessions(&self, grant: &Grant) -> Result<Vec<SessionEntry>, AdminError> {
        Ok(self.access.sessions(grant))
    }

    async fn end_session(&self, id: &str, grant: &Grant, edit: Edit) -> Result<(), AdminError> {
        self.access.end_session(id, grant, &edit).await
    }
}
