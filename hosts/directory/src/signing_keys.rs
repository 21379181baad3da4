//! Keys by which access tokens are signed: the private half sealed, the public one as it is published.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};

use crate::audit::{Action, Object};
use crate::change::{Change, ChangeError};
use crate::entities::signing_keys::{self, Column};
use crate::{Directory, StoreError, UnixSeconds};

pub type SigningKeyRow = signing_keys::Model;

/// A key to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSigningKey {
    pub kid: String,
    /// As in `alg` of a token.
    pub algorithm: String,
    /// Sealed PKCS#8.
    pub private: Vec<u8>,
    /// JSON Web Key.
    pub public: String,
    /// Others verify with it from now on; it signs from then on, when all of them know it.
    pub signs_from: UnixSeconds,
    /// Until when keys before it verify.
    pub others_until: UnixSeconds,
}

impl Directory {
    /// Keys that verify at `at`, the newest first.
    pub async fn signing_keys(&self, at: UnixSeconds) -> Result<Vec<SigningKeyRow>, StoreError> {
        let verifies =
            Condition::any().add(Column::VerifiesUntil.is_null()).add(Column::VerifiesUntil.gt(at.to_column()));
        let keys = signing_keys::Entity::find()
            .filter(verifies)
            .order_by_desc(Column::SignsFrom)
            .order_by_desc(Column::Kid)
            .all(&self.db)
            .await?;
        Ok(keys)
    }
}

impl Change {
    /// Keys that verify, as this write sees them: who would generate the first one finds that another did.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, StoreError> {
        let keys = signing_keys::Entity::find().order_by_desc(Column::SignsFrom).order_by_desc(Column::Kid);
        Ok(keys.all(&self.write).await?)
    }

    pub async fn add_signing_key(&self, key: NewSigningKey) -> Result<(), ChangeError> {
        let NewSigningKey { kid, algorithm, private, public, signs_from, others_until } = key;
        signing_keys::Entity::update_many()
            .col_expr(Column::VerifiesUntil, Expr::value(others_until.to_column()))
            .filter(Column::VerifiesUntil.is_null())
            .exec(&self.write)
            .await?;
        signing_keys::Entity::delete_many()
            .filter(Column::VerifiesUntil.lte(self.at.to_column()))
            .exec(&self.write)
            .await?;
        let row = signing_keys::ActiveModel {
            kid: Set(kid.clone()),
            algorithm: Set(algorithm),
            private: Set(private),
            public: Set(public),
            created_at: Set(self.at.to_column()),
            signs_from: Set(signs_from.to_column()),
            verifies_until: Set(None),
        };
        signing_keys::Entity::insert(row).exec_without_returning(&self.write).await?;
        Ok(self.audit(Action::AddSigningKey, Object::SigningKey(&kid), 0).await?)
    }

    /// The same key, sealed by another key of the server.
    pub async fn reseal_signing_key(&self, kid: &str, private: Vec<u8>) -> Result<(), StoreError> {
        signing_keys::Entity::update_many()
            .col_expr(Column::Private, Expr::value(private))
            .filter(Column::Kid.eq(kid))
            .exec(&self.write)
            .await?;
        Ok(())
    }
}
