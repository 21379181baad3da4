//! Rows about getting in: keys, sessions, tokens, and what is remembered so that nothing works twice.

pub mod service_accounts {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "service_accounts")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The owner; empty for none.
        pub user_id: String,
        /// Of no other service account and no user.
        pub uid: String,
        pub email: String,
        pub email_key: String,
        pub role: String,
        pub level: i64,
        pub state: String,
        /// Unix seconds.
        pub created_at: i64,
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod api_keys {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "api_keys")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The holder: a user, or the uid of a service account.
        pub user_id: String,
        /// `user` or `service_account`.
        pub holder: String,
        pub kid: String,
        pub algorithm: String,
        /// Sealed.
        pub secret: Vec<u8>,
        /// JSON list of texts.
        pub scope: String,
        pub state: String,
        /// Unix seconds.
        pub created_at: i64,
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows are added, never changed, and stay when the user goes.
pub mod activities {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "activities")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Who acted.
        pub user_id: String,
        pub category: String,
        pub target_uid: Option<String>,
        pub user_ip: String,
        pub user_ip_country: Option<String>,
        pub user_agent: String,
        pub topic: String,
        pub action: String,
        pub result: String,
        pub data: Option<String>,
        /// Unix seconds.
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod sessions {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sessions")]
    pub struct Model {
        /// SHA-256 of the cookie.
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: Vec<u8>,
        pub user_id: String,
        pub user_ip: String,
        pub user_agent: Option<String>,
        pub created_at: i64,
        pub seen_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A row is gone once it was used.
pub mod one_time_tokens {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "one_time_tokens")]
    pub struct Model {
        /// SHA-256 of the token.
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: Vec<u8>,
        pub purpose: String,
        pub subject: String,
        pub data: Option<String>,
        pub created_at: i64,
        pub expires_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Nonces that were used and may not be used again.
pub mod nonces {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "nonces")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub key_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub nonce: String,
        /// Milliseconds since 1970.
        pub expires_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Failed logins.
pub mod attempts {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "attempts")]
    pub struct Model {
        /// Hash of what is counted: an account, an address.
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: Vec<u8>,
        pub failures: i64,
        /// When counting began; the row is void some time after.
        pub since: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Keys of access tokens.
pub mod signing_keys {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "signing_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub kid: String,
        pub algorithm: String,
        /// Sealed PKCS#8.
        pub private: Vec<u8>,
        /// JSON Web Key.
        pub public: String,
        pub created_at: i64,
        pub signs_from: i64,
        /// `None` while it is the newest.
        pub verifies_until: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
