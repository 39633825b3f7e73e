//! Edits that follow from what holds when they are made.

use shared::policies::{Edit, FieldError, Policy, PolicyKind};

use super::draft::Draft;
use super::policies::entry;
use super::{EditError, InForce};

/// What holds, and edits of it. Each holds for those behind it.
#[derive(Debug)]
pub struct Edits<'a> {
    draft: &'a mut Draft,
    edit: &'a Edit,
    wrong: Vec<FieldError>,
}

impl Edits<'_> {
    /// A policy that holds, as it is told.
    pub fn policy(&self, kind: PolicyKind, name: &str) -> Option<Policy> {
        let entry = entry(&self.draft.state, kind, name).ok()?;
        (!entry.deleted).then_some(entry.policy)
    }

    /// What is wrong with fields is told when all edits have been looked at.
    ///
    /// # Errors
    /// It cannot be put for another reason.
    pub fn put(&mut self, name: &str, policy: Policy) -> Result<(), EditError> {
        match self.draft.put(name, policy, self.edit) {
            Err(EditError::Invalid(fields)) => {
                self.wrong
                    .extend(fields.into_iter().map(|error| FieldError {
                        field: format!("{name}.{}", error.field),
                        ..error
                    }));
                Ok(())
            }
            put => put,
        }
    }

    /// Whether there was one.
    ///
    /// # Errors
    /// Others need it.
    pub fn delete(&mut self, kind: PolicyKind, name: &str) -> Result<bool, EditError> {
        match self.draft.delete(kind, name, self.edit) {
            Ok(()) => Ok(true),
            Err(EditError::NoSuchPolicy { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl InForce {
    /// Makes edits that follow from what holds: all of them, or none. Nobody else changes anything in between. Gives
    /// what `make` gives.
    ///
    /// # Errors
    /// What `make` says; or something is wrong with fields, which have the policy's name before them; or the edits
    /// cannot be kept.
    pub async fn edit_what_holds<T: Send + 'static>(
        &self,
        edit: Edit,
        make: impl FnOnce(&mut Edits<'_>) -> Result<T, EditError> + Send + 'static,
    ) -> Result<T, EditError> {
        self.edit(move |draft| {
            let mut edits = Edits {
                draft,
                edit: &edit,
                wrong: Vec::new(),
            };
            let made = make(&mut edits)?;
            if !edits.wrong.is_empty() {
                return Err(EditError::Invalid(edits.wrong));
            }
            Ok(made)
        })
        .await
    }
}
