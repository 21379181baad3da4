//! What people did, as the gateway and the dialects tell it. Unlike the audit trail it is no part of the writes it is about.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::entities::activities;
use crate::records::{Find, record};
use crate::{Directory, StoreError, UnixSeconds};

record!(Activity, ActivityColumn, activities, "activity");

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewActivity {
    /// Who acted.
    pub user_id: String,
    /// `user` or `admin`.
    pub category: String,
    pub target_uid: Option<String>,
    pub user_ip: String,
    pub user_ip_country: Option<String>,
    pub user_agent: String,
    pub topic: String,
    pub action: String,
    /// `succeed`, `failed` or `denied`.
    pub result: String,
    /// JSON.
    pub data: Option<String>,
    pub at: UnixSeconds,
}

/// Longest list of days: some ten years.
const DAYS: u64 = 4_000;

impl Directory {
    /// How many activities each day had, by the days since 1970, the last ones of a long time.
    pub async fn activity_days(&self, find: &Find<Activity>) -> Result<Vec<(i64, i64)>, StoreError> {
        const DAY: &str = "day";
        // Without a parameter: PostgreSQL takes two of them for two expressions.
        let day = Expr::cust("created_at / 86400");
        let mut days = activities::Entity::find()
            .select_only()
            .column_as(day.clone(), DAY)
            .column_as(ActivityColumn::Id.count(), "activities")
            .filter(find.condition.clone())
            .group_by(day.clone())
            .order_by_desc(day)
            .limit(DAYS)
            .into_tuple()
            .all(&self.db)
            .await?;
        days.reverse();
        Ok(days)
    }

    /// All of them, or none.
    pub async fn add_activities(&self, new: Vec<NewActivity>) -> Result<(), StoreError> {
        if new.is_empty() {
            return Ok(());
        }
        let rows = new.into_iter().map(row);
        activities::Entity::insert_many(rows).exec_without_returning(&self.db).await?;
        Ok(())
    }
}

fn row(new: NewActivity) -> activities::ActiveModel {
    let NewActivity {
        user_id,
        category,
        target_uid,
        user_ip,
        user_ip_country,
        user_agent,
        topic,
        action,
        result,
        data,
        at,
    } = new;
    activities::ActiveModel {
        user_id: Set(user_id),
        category: Set(category),
        target_uid: Set(target_uid),
        user_ip: Set(user_ip),
        user_ip_country: Set(user_ip_country),
        user_agent: Set(user_agent),
        topic: Set(topic),
        action: Set(action),
        result: Set(result),
        data: Set(data),
        created_at: Set(at.to_column()),
        ..Default::default()
    }
}
