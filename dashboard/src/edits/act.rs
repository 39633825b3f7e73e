//! Does what a form asks for: its field `do` says what.

use shared::AdminError;
use shared::policies::{
    CacheSelection, Edit, FieldError, MAX_REASON, NewKey, Policy, PolicyApi, PolicyKind, TestedText,
};

use super::conflict::conflict;
use super::{Fields, rows};
use crate::forms::{Conflict, Outcome, Submitted, Values};
use crate::href::Href;
use crate::pages::list_path;

/// What the browser gets.
#[derive(Debug)]
pub enum Answer {
    /// It is done: on to this page.
    Go(String),
    /// The page that the form is on, again.
    Show(Box<Submitted>),
}

/// Why it is not done.
#[derive(Debug)]
enum Refused {
    Admin(AdminError),
    Fields(Vec<FieldError>),
    Conflict(Conflict),
}

impl From<AdminError> for Refused {
    fn from(error: AdminError) -> Self {
        Self::Admin(error)
    }
}

/// What an action leads to.
enum Next {
    Go(Href),
    Show(Outcome),
}

/// Answers a form.
pub async fn act(api: &dyn PolicyApi, by: &str, values: Values) -> Answer {
    let outcome = match dispatch(api, by, &values).await {
        Ok(Next::Go(href)) => return Answer::Go(href.into_text()),
        Ok(Next::Show(outcome)) => outcome,
        Err(refused) => refusal(refused, &values),
    };
    Answer::Show(Box::new(Submitted {
        form: values.get("form").to_owned(),
        values,
        outcome,
    }))
}

async fn dispatch(api: &dyn PolicyApi, by: &str, values: &Values) -> Result<Next, Refused> {
    let fields = Fields::new(values);
    // Whoever was shown what is in force may say that it is to be replaced.
    let over = fields.line("over").parse().ok();
    let reason = fields.some("reason");
    if reason
        .as_ref()
        .is_some_and(|reason| reason.chars().count() > MAX_REASON)
    {
        fields.wrong("reason", format!("At most {MAX_REASON} characters."));
        return Err(Refused::Fields(fields.into_errors()));
    }
    let form = Asked {
        api,
        name: fields.line("name"),
        edit: Edit {
            by: by.to_owned(),
            reason,
            seen: over.or_else(|| fields.line("seen").parse().ok()),
            new: fields.is_on("new") && over.is_none(),
        },
        values,
    };
    match values.get("do") {
        "test" => return form.test().await,
        "forget" | "clear" => return form.clear().await,
        _ => {}
    }
    let kind = PolicyKind::from_name(values.get("kind")).filter(|kind| super::has_form(*kind));
    let kind = kind.ok_or_else(|| AdminError::Invalid {
        message: "The form does not say what it is about.".to_owned(),
        fields: Vec::new(),
    })?;
    match values.get("do") {
        "save" if kind == PolicyKind::Key && form.edit.new => form.create().await,
        "save" => form.save(kind).await,
        "try" => form.try_rule().await,
        "rotate" => form.rotate().await,
        "delete" => {
            let deleted = api.delete_policy(kind, &form.name, form.edit.clone());
            deleted.await?;
            Ok(Next::Go(done(kind, "deleted").with("of", &form.name)))
        }
        "reset" => {
            let reset = api.reset_policy(kind, &form.name, form.edit.clone());
            reset.await?;
            Ok(Next::Go(done(kind, "reset")))
        }
        "restore" => form.restore(kind).await,
        "enable" => form.switch(kind, true).await,
        "disable" => form.switch(kind, false).await,
        _ => Err(Refused::Admin(AdminError::Invalid {
            message: "The form does not say what to do.".to_owned(),
            fields: Vec::new(),
        })),
    }
}

/// A form, and whom it asks.
struct Asked<'a> {
    api: &'a dyn PolicyApi,
    name: String,
    edit: Edit,
    values: &'a Values,
}

impl Asked<'_> {
    /// The policy in the fields, if nothing is wrong with them.
    async fn policy(&self, kind: PolicyKind) -> Result<Policy, Refused> {
        let fields = self.fields_of(kind).await?;
        let policy = super::read(kind, &fields);
        if self.name.is_empty() {
            fields.wrong("name", "Give it a name.");
        }
        match fields.into_errors() {
            errors if errors.is_empty() => Ok(policy),
            errors => Err(Refused::Fields(errors)),
        }
    }

    /// The fields of a policy, beside what there is of it.
    async fn fields_of(&self, kind: PolicyKind) -> Result<Fields<'_>, AdminError> {
        match self.api.policy(kind, &self.name).await {
            Ok(entry) => Ok(Fields::of_policy(self.values, &entry.policy)),
            Err(AdminError::NotFound { .. }) => Ok(Fields::new(self.values)),
            Err(error) => Err(error),
        }
    }

    async fn save(&self, kind: PolicyKind) -> Result<Next, Refused> {
        let policy = self.policy(kind).await?;
        let put = self
            .api
            .put_policy(&self.name, policy.clone(), self.edit.clone());
        match put.await {
            Ok(_) => Ok(Next::Go(done(kind, "saved"))),
            Err(error) => Err(self.refused(error, &policy).await?),
        }
    }

    /// Why a policy is not taken. Where somebody else was quicker, with what is in force.
    async fn refused(&self, error: AdminError, policy: &Policy) -> Result<Refused, AdminError> {
        if !matches!(error, AdminError::Conflict { .. }) {
            return Ok(Refused::Admin(error));
        }
        let conflict = conflict(self.api, &self.name, policy, self.values, &self.edit).await?;
        Ok(match conflict {
            None => Refused::Admin(error),
            // Another name is all that it takes.
            Some(_) if self.edit.new && self.edit.seen.is_none() => {
                Refused::Admin(AdminError::Invalid {
                    message: error.to_string(),
                    fields: vec![FieldError {
                        field: "name".to_owned(),
                        message: "There is one of this name already.".to_owned(),
                    }],
                })
            }
            Some(conflict) => Refused::Conflict(conflict),
        })
    }

    async fn create(&self) -> Result<Next, Refused> {
        let Policy::Key(key) = self.policy(PolicyKind::Key).await? else {
            unreachable!("the form of a key reads as a key");
        };
        let made = self
            .api
            .create_key(&self.name, key.clone(), self.edit.clone());
        match made.await {
            Ok(made) => Ok(secret(made)),
            Err(error) => Err(self.refused(error, &Policy::Key(key)).await?),
        }
    }

    async fn rotate(&self) -> Result<Next, Refused> {
        let fields = Fields::new(self.values);
        let grace = fields.seconds("grace_seconds").unwrap_or_default();
        let errors = fields.into_errors();
        if !errors.is_empty() {
            return Err(Refused::Fields(errors));
        }
        let made = self.api.rotate_key(&self.name, grace, self.edit.clone());
        Ok(secret(made.await?))
    }

    async fn restore(&self, kind: PolicyKind) -> Result<Next, Refused> {
        let number = self.values.get("version").parse::<u64>().ok();
        let version = number.ok_or_else(|| AdminError::NotFound {
            message: "There is no such version to restore.".to_owned(),
        })?;
        let restored = self
            .api
            .restore_policy(kind, &self.name, version, self.edit.clone());
        restored.await?;
        Ok(Next::Go(done(kind, "restored")))
    }

    async fn switch(&self, kind: PolicyKind, on: bool) -> Result<Next, Refused> {
        let mut policy = self.api.policy(kind, &self.name).await?.policy;
        let enabled = match &mut policy {
            Policy::Key(key) => &mut key.enabled,
            Policy::Project(project) => &mut project.enabled,
            Policy::Limit(limit) => &mut limit.enabled,
            Policy::Budget(budget) => &mut budget.enabled,
            Policy::Guardrail(rule) => &mut rule.enabled,
            Policy::SystemPrompt(prompt) => &mut prompt.enabled,
            Policy::Cache(cache) => &mut cache.enabled,
            _ => unreachable!("{} has no form", kind.label()),
        };
        *enabled = on;
        let put = self.api.put_policy(&self.name, policy, self.edit.clone());
        put.await?;
        Ok(Next::Go(done(kind, "saved")))
    }

    async fn test(&self) -> Result<Next, Refused> {
        let report = self.api.test_guardrails(self.tested()?).await?;
        Ok(Next::Show(Outcome::Tested(report)))
    }

    /// Tests the rule in the fields, without putting it in force.
    async fn try_rule(&self) -> Result<Next, Refused> {
        let fields = self.fields_of(PolicyKind::Guardrail).await?;
        let Policy::Guardrail(rule) = super::read(PolicyKind::Guardrail, &fields) else {
            unreachable!("the form of a guardrail reads as a guardrail");
        };
        let errors = fields.into_errors();
        if !errors.is_empty() {
            return Err(Refused::Fields(errors));
        }
        let mut tested = self.tested()?;
        tested.rule = Some(Box::new(rule));
        tested.name = Some(self.name.clone()).filter(|name| !name.is_empty());
        let report = self.api.test_guardrails(tested).await?;
        Ok(Next::Show(Outcome::Tested(report)))
    }

    fn tested(&self) -> Result<TestedText, Refused> {
        let fields = Fields::new(self.values);
        let tested = TestedText {
            text: fields.text("text"),
            side: fields.choice("text_side"),
            key: fields.some("key"),
            model: fields.some("model"),
            rule: None,
            name: None,
        };
        if tested.text.trim().is_empty() {
            fields.wrong("text", "Paste a text to test.");
        }
        match fields.into_errors() {
            errors if errors.is_empty() => Ok(tested),
            errors => Err(Refused::Fields(errors)),
        }
    }

    async fn clear(&self) -> Result<Next, Refused> {
        let fields = Fields::new(self.values);
        let selection = CacheSelection {
            model: fields.some("model"),
            key: fields.some("key"),
            id: fields.some("id"),
            ..CacheSelection::default()
        };
        let meant = match self.values.get("do") {
            "forget" => selection.id.is_some(),
            _ => true,
        };
        if !meant {
            return Err(Refused::Admin(AdminError::Invalid {
                message: "The form does not say which answer.".to_owned(),
                fields: Vec::new(),
            }));
        }
        let count = self.api.clear_cache(selection).await?;
        let href = done(PolicyKind::Cache, "cleared").with("count", &count.to_string());
        Ok(Next::Go(href))
    }
}

fn secret(new: NewKey) -> Next {
    Next::Show(Outcome::Secret {
        key: new.entry.name,
        secret: new.secret,
    })
}

fn done(kind: PolicyKind, what: &str) -> Href {
    Href::of(list_path(kind)).with("done", what)
}

fn refusal(refused: Refused, values: &Values) -> Outcome {
    let (message, fields) = match refused {
        Refused::Conflict(conflict) => return Outcome::Conflict(conflict),
        Refused::Fields(fields) => ("Something needs another look.".to_owned(), fields),
        Refused::Admin(AdminError::Invalid { message, fields }) => {
            let fields = fields.into_iter().map(|error| FieldError {
                field: rows::in_form(&error.field, values),
                ..error
            });
            (message, fields.collect())
        }
        Refused::Admin(error @ (AdminError::Unavailable { .. } | AdminError::Internal { .. })) => {
            return Outcome::Failed(error);
        }
        Refused::Admin(error) => (error.to_string(), Vec::new()),
    };
    let fields = fields
        .into_iter()
        .map(|error| placed(error, values))
        .collect();
    Outcome::Refused { message, fields }
}

/// An error with the name of the form's field that it is about; with an empty one where the form has none.
///
/// A list is one field: what is wrong with `check.patterns[2]` is told at `check.patterns`. What is wrong with `rate` as a
/// whole is told at the first field of it. Of a rule that is tried, the form has the fields without `rule.`.
fn placed(error: FieldError, values: &Values) -> FieldError {
    let FieldError { field, message } = error;
    let field = match field.strip_prefix("rule.") {
        Some(tried) => tried.to_owned(),
        None => field,
    };
    if field.is_empty() || values.has(&field) {
        return FieldError { field, message };
    }
    if let Some((list, index)) = field
        .strip_suffix(']')
        .and_then(|rest| rest.rsplit_once('['))
        && values.has(list)
        && let Ok(index) = index.parse::<usize>()
    {
        return FieldError {
            field: list.to_owned(),
            message: format!("Entry {}: {message}", index + 1),
        };
    }
    let inside = format!("{field}.");
    let rows = format!("{field}[");
    let first = values
        .names()
        .find(|name| name.starts_with(&inside) || name.starts_with(&rows));
    match first {
        Some(name) => FieldError {
            field: name.to_owned(),
            message,
        },
        None => FieldError {
            field: String::new(),
            message: format!("{field}: {message}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use shared::policies::FieldError;

    use super::placed;
    use crate::forms::Values;

    #[test]
    fn errors_find_their_fields() {
        let values = Values::from(
            ["name", "check.patterns", "rate.requests", "rates[0].tokens"]
                .map(|name| (name.to_owned(), String::new()))
                .to_vec(),
        );
        for (field, placed_at, message) in [
            ("name", "name", "wrong"),
            ("check.patterns[2]", "check.patterns", "Entry 3: wrong"),
            ("rule.check.patterns[0]", "check.patterns", "Entry 1: wrong"),
            ("rate", "rate.requests", "wrong"),
            ("rates[0]", "rates[0].tokens", "wrong"),
            ("rates", "rates[0].tokens", "wrong"),
            ("prefixes", "", "prefixes: wrong"),
            ("", "", "wrong"),
        ] {
            let error = FieldError {
                field: field.to_owned(),
                message: "wrong".to_owned(),
            };
            let found = placed(error, &values);
            assert_eq!((&*found.field, &*found.message), (placed_at, message));
        }
    }
}
