//! The tables, as SeaORM sees them. Rows only: what they mean is in the modules that use them.

mod access;
mod people;
mod policy;

pub use access::{activities, api_keys, attempts, nonces, one_time_tokens, service_accounts, sessions, signing_keys};
pub use people::{comments, credentials, data_storages, labels, phones, profiles, user_documents, user_groups};
pub use policy::policy_entries;

/// One row per tenant; `revision` is that of its newest policy document, `revocations` the number of its last
/// revocation, 0 for none.
pub mod tenants {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tenants")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub revision: i64,
        pub revocations: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod users {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub state: String,
        pub created_at: i64,
        pub updated_at: i64,
        /// Counts the writes of this user, from 1.
        pub revision: i64,
        pub email: Option<String>,
        /// The address without case; of no other user.
        pub email_key: Option<String>,
        pub username: Option<String>,
        /// The name without case, when nobody else may claim it.
        pub username_key: Option<String>,
        pub first_name: Option<String>,
        pub last_name: Option<String>,
        pub language: Option<String>,
        /// JSON.
        pub preferences: Option<String>,
        /// Text of whoever integrates; JSON by convention.
        pub data: Option<String>,
        /// Id of the user who brought this one.
        pub referral: Option<String>,
        pub level: i64,
        pub otp: bool,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod user_roles {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "user_roles")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub role: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod access_tokens {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_tokens")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: Vec<u8>,
        pub user_id: String,
        pub label: Option<String>,
        pub created_at: i64,
        pub revoked_at: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// At most one row.
pub mod setup_tokens {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "setup_tokens")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: Vec<u8>,
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Every document a tenant ever had; rows are added, never changed.
pub mod policy_documents {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "policy_documents")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub revision: i64,
        #[sea_orm(column_type = "Text")]
        pub text: String,
        pub media_type: String,
        pub created_at: i64,
        pub author: String,
        pub digest: Vec<u8>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// At most one row per tenant.
pub mod policy_candidates {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "policy_candidates")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant: String,
        #[sea_orm(column_type = "Text")]
        pub text: String,
        pub media_type: String,
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows are added, never changed.
pub mod audit_entries {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_entries")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub at: i64,
        pub who: String,
        pub action: String,
        pub object: String,
        pub revision: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What is stored and not yet published everywhere; `revision` is the newest of the tenant.
pub mod publish_jobs {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "publish_jobs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant: String,
        pub revision: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Tokens of `subject` issued before `not_before` do not count. `number` grows with each change in the tenant.
pub mod revocations {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "revocations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub subject: String,
        pub not_before: i64,
        pub number: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod edges {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "edges")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod edge_tokens {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "edge_tokens")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: Vec<u8>,
        pub tenant: String,
        pub edge: String,
        pub created_at: i64,
        pub expires_at: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows are added, never changed; one per sender, worker and number.
pub mod decision_records {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "decision_records")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub tenant: String,
        pub sender: String,
        pub worker: String,
        pub number: i64,
        pub time_ms: i64,
        pub kind: String,
        pub request_id: String,
        pub method: String,
        pub host: String,
        pub path: String,
        pub subject: Option<String>,
        pub ip: Option<String>,
        pub effect: String,
        pub status: i32,
        pub reason: String,
        /// Each id between line feeds; see `decision_log::rules_column`.
        pub rules: String,
        pub restriction: Option<String>,
        pub topic: Option<String>,
        pub revision: i64,
        pub shadow_effect: Option<String>,
        pub shadow_reason: Option<String>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// How far each worker has come.
pub mod decision_workers {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "decision_workers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub sender: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub worker: String,
        pub highest: i64,
        pub dropped: i64,
        pub seen_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Numbers that never came, both ends included; no two rows of a worker overlap.
pub mod decision_gaps {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "decision_gaps")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub sender: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub worker: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub first: i64,
        pub last: i64,
        pub found_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// One row, which every write changes: who writes next waits for it.
pub mod writes {
    use sea_orm::entity::prelude::*;

    /// Id of the row.
    pub const ONLY: i32 = 1;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "writes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub count: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
