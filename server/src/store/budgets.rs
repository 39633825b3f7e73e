//! What was used of quotas and budgets, and up to where that is known.

use std::sync::Arc;

use chrono::{NaiveDate, Utc};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row, query};

use super::{Store, StoreError};
use crate::budgets::ledger::{
    AccountKey, Alert, Amount, Applied, Balance, Owner, PERIODS, Unwritten, period_name,
};

/// Of accounts of periods that are over, so many days are kept.
const KEPT_DAYS: u64 = 400;

impl Store {
    /// Up to where the accounts have the ledger's journal.
    pub async fn budgets_applied(&self) -> Result<Applied, StoreError> {
        let row = query("SELECT generation, position FROM budget_journal")
            .fetch_one(&self.reader())
            .await?;
        Ok(applied(&row))
    }

    /// The accounts of periods that began on these days.
    pub async fn budget_balances(
        &self,
        first_days: &[Option<NaiveDate>],
    ) -> Result<Vec<(AccountKey, Balance)>, StoreError> {
        let mut found = Vec::new();
        for day in first_days {
            let rows = query("SELECT * FROM budget_accounts WHERE first_day = ?")
                .bind(written(*day))
                .fetch_all(&self.reader())
                .await?;
            for row in &rows {
                found.push(balance(row)?);
            }
        }
        Ok(found)
    }

    /// Writes accounts and alerts, all or nothing. `last` is what was written before: where the database says something
    /// else, it is another one, and nothing is written.
    ///
    /// Returns whether it was written.
    pub async fn write_budgets(
        &self,
        unwritten: &Unwritten,
        last: Applied,
    ) -> Result<bool, StoreError> {
        let mut connection = self.writer().acquire().await?;
        let done = transaction(&mut connection, unwritten, last).await;
        if !matches!(done, Ok(true)) {
            let _ = query("ROLLBACK").execute(&mut *connection).await;
        }
        done
    }

    /// Forgets accounts of long ago.
    pub async fn delete_old_budgets(&self) -> Result<(), StoreError> {
        let today = Utc::now().date_naive();
        let cutoff = today.checked_sub_days(chrono::Days::new(KEPT_DAYS));
        query("DELETE FROM budget_accounts WHERE first_day <> '' AND first_day < ?")
            .bind(written(cutoff))
            .execute(&self.writer())
            .await?;
        Ok(())
    }
}

async fn transaction(
    connection: &mut SqliteConnection,
    unwritten: &Unwritten,
    last: Applied,
) -> Result<bool, StoreError> {
    query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    let row = query("SELECT generation, position FROM budget_journal")
        .fetch_one(&mut *connection)
        .await?;
    if applied(&row) != last {
        return Ok(false);
    }
    let now = Utc::now().timestamp_micros();
    for (key, balance) in &unwritten.balances {
        query(
            "INSERT INTO budget_accounts (owner, name, subject, period, first_day, requests, tokens, cost_nanos, \
             uncertain_requests, uncertain_tokens, uncertain_nanos, told_requests, told_tokens, told_cost, \
             updated_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (owner, name, subject, period, first_day) DO UPDATE SET requests = excluded.requests, \
             tokens = excluded.tokens, cost_nanos = excluded.cost_nanos, \
             uncertain_requests = excluded.uncertain_requests, uncertain_tokens = excluded.uncertain_tokens, \
             uncertain_nanos = excluded.uncertain_nanos, told_requests = excluded.told_requests, \
             told_tokens = excluded.told_tokens, told_cost = excluded.told_cost, \
             updated_at_us = excluded.updated_at_us",
        )
        .bind(key.owner.as_str())
        .bind(&*key.name)
        .bind(key.subject.as_deref().unwrap_or_default())
        .bind(period_name(key.period))
        .bind(written(key.first_day))
        .bind(integer(balance.spent.requests))
        .bind(integer(balance.spent.tokens))
        .bind(integer(balance.spent.nanos))
        .bind(integer(balance.uncertain.requests))
        .bind(integer(balance.uncertain.tokens))
        .bind(integer(balance.uncertain.nanos))
        .bind(balance.told[0])
        .bind(balance.told[1])
        .bind(balance.told[2])
        .bind(now)
        .execute(&mut *connection)
        .await?;
    }
    for alert in &unwritten.alerts {
        insert(connection, alert).await?;
    }
    query("UPDATE budget_journal SET generation = ?, position = ?")
        .bind(integer(unwritten.applied.generation))
        .bind(integer(unwritten.applied.position))
        .execute(&mut *connection)
        .await?;
    query("COMMIT").execute(&mut *connection).await?;
    Ok(true)
}

async fn insert(connection: &mut SqliteConnection, alert: &Alert) -> Result<(), StoreError> {
    let key = &alert.account;
    query(
        "INSERT INTO budget_events (at_us, owner, name, subject, period, first_day, what, percent, used, allowed) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(alert.at.timestamp_micros())
    .bind(key.owner.as_str())
    .bind(&*key.name)
    .bind(key.subject.as_deref().unwrap_or_default())
    .bind(period_name(key.period))
    .bind(written(key.first_day))
    .bind(alert.dimension.as_str())
    .bind(alert.percent)
    .bind(integer(alert.used))
    .bind(integer(alert.limit))
    .execute(&mut *connection)
    .await?;
    Ok(())
}

fn applied(row: &SqliteRow) -> Applied {
    Applied {
        generation: natural(row.get("generation")),
        position: natural(row.get("position")),
    }
}

fn balance(row: &SqliteRow) -> Result<(AccountKey, Balance), StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(what.to_owned());
    let owner: String = row.get("owner");
    let period: String = row.get("period");
    let period = PERIODS.iter().find(|(_, name)| *name == period);
    let (name, subject): (String, String) = (row.get("name"), row.get("subject"));
    let first_day: String = row.get("first_day");
    let key = AccountKey {
        owner: Owner::from_name(&owner).ok_or_else(|| corrupt(&owner))?,
        name: name.into(),
        subject: (!subject.is_empty()).then(|| Arc::from(subject)),
        period: period.ok_or_else(|| corrupt("a period"))?.0,
        first_day: match first_day.as_str() {
            "" => None,
            day => Some(day.parse().map_err(|_| corrupt(day))?),
        },
    };
    let amount = |requests, tokens, nanos| Amount {
        requests: natural(row.get(requests)),
        tokens: natural(row.get(tokens)),
        nanos: natural(row.get(nanos)),
    };
    let told = |name| u8::try_from(row.get::<i64, _>(name)).unwrap_or(u8::MAX);
    let balance = Balance {
        spent: amount("requests", "tokens", "cost_nanos"),
        uncertain: amount("uncertain_requests", "uncertain_tokens", "uncertain_nanos"),
        told: [
            told("told_requests"),
            told("told_tokens"),
            told("told_cost"),
        ],
    };
    Ok((key, balance))
}

fn written(day: Option<NaiveDate>) -> String {
    day.map_or_else(String::new, |day| day.to_string())
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn natural(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
