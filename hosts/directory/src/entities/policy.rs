//! What the current policy document consists of, for listings. The document is the master (ADR 0028).

/// One per tenant, kind and name.
pub mod policy_entries {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "policy_entries")]
    pub struct Model {
        /// Stays the same as long as the entry has its name.
        #[sea_orm(primary_key)]
        pub id: i64,
        pub tenant: String,
        pub kind: String,
        pub name: String,
        /// In the document, from 0, by kind.
        pub position: i64,
        /// Of a rule its effect, of a restriction its category; else empty.
        pub class: String,
        /// Of a restriction; else empty.
        pub scope: String,
        /// The entry as JSON.
        pub body: String,
        /// Unix seconds.
        pub created_at: i64,
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
