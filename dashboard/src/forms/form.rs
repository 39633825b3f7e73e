//! One form as it is shown: what is in its fields, and what is wrong with them.

use shared::policies::FieldError;

use super::{Conflict, Outcome, Submission, Values};

/// Fields read their content and their errors from here.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Its name on the page, and what the ids of its elements begin with.
    pub id: &'static str,
    pub values: Values,
    errors: Vec<FieldError>,
    /// What somebody else made of it meanwhile.
    pub conflict: Option<Conflict>,
}

impl Form {
    /// What was sent, where this form was, else what is there.
    pub fn new(id: &'static str, loaded: Values, submission: Submission) -> Self {
        let Some(sent) = submission.of(id) else {
            return Self {
                id,
                values: loaded,
                ..Self::default()
            };
        };
        let (errors, conflict) = match sent.outcome {
            Outcome::Refused { fields, .. } => (fields, None),
            Outcome::Conflict(conflict) => (Vec::new(), Some(conflict)),
            Outcome::Failed(_) | Outcome::Secret { .. } | Outcome::Tested(_) => (Vec::new(), None),
        };
        Self {
            id,
            values: sent.values,
            errors,
            conflict,
        }
    }

    pub fn value(&self, name: &str) -> String {
        self.values.get(name).to_owned()
    }

    pub fn error(&self, name: &str) -> Option<String> {
        let errors: Vec<_> = self
            .errors
            .iter()
            .filter(|error| error.field == name)
            .map(|error| error.message.as_str())
            .collect();
        (!errors.is_empty()).then(|| errors.join(" "))
    }

    /// What a field has in what is in force, where somebody else has changed that meanwhile.
    pub fn in_force(&self, name: &str) -> Option<String> {
        let mut fields = self.conflict.iter().flat_map(|conflict| &conflict.fields);
        let field = fields.find(|field| field.field == name)?;
        Some(field.message.clone())
    }

    /// Whether something is told of a field whose name begins so.
    pub fn tells_of(&self, prefix: &str) -> bool {
        let conflict = self.conflict.iter().flat_map(|conflict| &conflict.fields);
        let mut told = self.errors.iter().chain(conflict);
        told.any(|told| told.field.starts_with(prefix))
    }

    pub fn element_id(&self, name: &str) -> String {
        element_id(self.id, name)
    }
}

/// The id of a field's element: `limit-rate-requests`.
pub fn element_id(form: &str, name: &str) -> String {
    let mut id = format!("{form}-{name}");
    id = id.replace(['.', '['], "-");
    id.retain(|letter| letter != ']');
    id
}

#[cfg(test)]
mod tests {
    use super::element_id;

    #[test]
    fn ids_can_be_named_in_addresses() {
        assert_eq!(
            element_id("key", "rates[0].window_seconds"),
            "key-rates-0-window_seconds"
        );
    }
}
