//! Rows about people: what users own, one table each.

pub mod user_groups {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "user_groups")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What a user proves itself with; never part of a listing.
pub mod credentials {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "credentials")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: String,
        /// Argon2id in PHC form; `None` lets nobody in.
        pub password: Option<String>,
        pub password_changed_at: Option<i64>,
        /// Sealed.
        pub totp_seed: Option<Vec<u8>>,
        /// The last step whose code was used.
        pub totp_step: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// One per user, key and scope.
pub mod labels {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "labels")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub user_id: String,
        pub key: String,
        pub value: String,
        /// `public` or `private`.
        pub scope: String,
        pub description: Option<String>,
        /// Unix seconds.
        pub created_at: i64,
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod profiles {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "profiles")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub user_id: String,
        /// Who made it, when it was not the user.
        pub author: Option<String>,
        pub applicant_id: Option<String>,
        /// Sealed, like all bytes here.
        pub first_name: Option<Vec<u8>>,
        pub last_name: Option<Vec<u8>>,
        pub dob: Option<Vec<u8>>,
        pub address: Option<Vec<u8>>,
        pub postcode: Option<String>,
        pub city: Option<String>,
        pub country: Option<String>,
        pub state: String,
        pub metadata: Option<String>,
        /// Unix seconds.
        pub created_at: i64,
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// One per user and number.
pub mod phones {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "phones")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub user_id: String,
        /// Sealed.
        pub number: Vec<u8>,
        /// Keyed hash by which a number is found.
        pub number_index: Vec<u8>,
        pub country: Option<String>,
        pub code: Option<String>,
        pub validated_at: Option<i64>,
        /// Unix seconds.
        pub created_at: i64,
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Papers of people; a policy document is something else.
pub mod user_documents {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "user_documents")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub user_id: String,
        /// Where the file is.
        pub upload: String,
        pub doc_type: String,
        /// Sealed.
        pub doc_number: Option<Vec<u8>>,
        /// Keyed hash by which a number is found.
        pub doc_number_index: Option<Vec<u8>>,
        /// `YYYY-MM-DD`.
        pub doc_expire: Option<String>,
        pub doc_issue: Option<String>,
        pub doc_category: Option<String>,
        pub identificator: Option<String>,
        pub metadata: Option<String>,
        /// Unix seconds.
        pub created_at: i64,
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod comments {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "comments")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Whom it is about.
        pub user_id: String,
        pub author: String,
        pub title: String,
        pub data: String,
        /// Unix seconds.
        pub created_at: i64,
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod data_storages {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "data_storages")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub user_id: String,
        pub title: String,
        /// The title without case; unique for the user.
        pub title_key: String,
        pub data: String,
        /// Unix seconds.
        pub created_at: i64,
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
