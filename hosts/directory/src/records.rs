//! What users own, row by row: labels, profiles, phones, papers, comments, data. One way to write, list and count them all.

mod comments;
mod documents;
mod find;
mod labels;
mod phones;
mod profiles;
mod storages;

use sea_orm::sea_query::{Expr, Value};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, IntoActiveModel,
    Iterable as _, ModelTrait, PrimaryKeyToColumn as _, QueryFilter, QuerySelect,
};

use crate::UserId;
use crate::audit::{Action, Object};
use crate::change::{Change, ChangeError};
use crate::users::find_row;

pub use comments::{Comment, CommentColumn, CommentDraft};
pub use documents::{UserDocument, UserDocumentColumn, UserDocumentDraft};
pub use find::{Direction, Find};
pub use labels::{Label, LabelColumn, LabelDraft};
pub use phones::{Phone, PhoneColumn, PhoneDraft};
pub use profiles::{Profile, ProfileColumn, ProfileDraft};
pub use storages::{DataStorage, DataStorageColumn, DataStorageDraft};

/// Rows that can be listed. Nothing outside of this crate can be one.
pub trait Listed: ModelTrait<Entity = Self::Table> + FromQueryResult + Sync + sealed::Sealed + 'static {
    type Table: EntityTrait<Model = Self>;
    /// What it is called in audit entries and errors.
    const KIND: &'static str;
}

/// Rows that belong to a user, and go with it.
pub trait Record: Listed + IntoActiveModel<RowOf<Self>> {
    /// All that the caller says about it.
    type Draft: Send;

    #[doc(hidden)]
    fn row(draft: Self::Draft) -> RowOf<Self>;

    /// Who must not be there beside it, among the rows of its owner.
    #[doc(hidden)]
    fn rivals(_: &Self::Draft) -> Option<Condition> {
        None
    }

    #[doc(hidden)]
    fn id(&self) -> i64;

    #[doc(hidden)]
    fn owner(&self) -> &str;

    #[doc(hidden)]
    const COLUMNS: Columns<Self>;
}

/// The columns that every record has.
#[doc(hidden)]
pub struct Columns<R: Listed> {
    pub id: ColumnOf<R>,
    pub owner: ColumnOf<R>,
    pub created_at: ColumnOf<R>,
    pub updated_at: ColumnOf<R>,
}

pub type ColumnOf<R> = <<R as Listed>::Table as EntityTrait>::Column;
#[doc(hidden)]
pub type RowOf<R> = <<R as Listed>::Table as EntityTrait>::ActiveModel;

pub(crate) mod sealed {
    pub trait Sealed {}
}

pub(crate) async fn get<R: Listed>(db: &impl ConnectionTrait, id: i64) -> Result<Option<R>, DbErr> {
    let is_it = key::<R>().into_iter().fold(Condition::all(), |all, column| all.add(column.eq(id)));
    R::Table::find().filter(is_it).one(db).await
}

/// The columns of the primary key.
fn key<R: Listed>() -> Vec<ColumnOf<R>> {
    <R::Table as EntityTrait>::PrimaryKey::iter().map(|key| key.into_column()).collect()
}

pub(crate) async fn add<R: Record>(change: &Change, owner: &UserId, draft: R::Draft) -> Result<R, ChangeError> {
    let user = find_row(&change.write, owner).await?.ok_or(ChangeError::NotFound { what: "user" })?;
    refuse_rivals::<R>(change, owner.as_str(), &draft, None).await?;
    let mut row = R::row(draft);
    let at = change.at.to_column();
    set::<R>(&mut row, R::COLUMNS.owner, user.id);
    set::<R>(&mut row, R::COLUMNS.created_at, at);
    set::<R>(&mut row, R::COLUMNS.updated_at, at);
    let added = R::Table::insert(row).exec_with_returning(&change.write).await?;
    audit(change, Action::CreateRecord, &added).await?;
    Ok(added)
}

pub(crate) async fn replace<R: Record>(change: &Change, id: i64, draft: R::Draft) -> Result<R, ChangeError> {
    let before: R = get(&change.write, id).await?.ok_or(ChangeError::NotFound { what: R::KIND })?;
    refuse_rivals::<R>(change, before.owner(), &draft, Some(id)).await?;
    let mut row = R::row(draft);
    set::<R>(&mut row, R::COLUMNS.id, id);
    set::<R>(&mut row, R::COLUMNS.updated_at, change.at.to_column());
    let after = R::Table::update(row).exec(&change.write).await?;
    audit(change, Action::UpdateRecord, &after).await?;
    Ok(after)
}

pub(crate) async fn remove<R: Record>(change: &Change, id: i64) -> Result<R, ChangeError> {
    let row: R = get(&change.write, id).await?.ok_or(ChangeError::NotFound { what: R::KIND })?;
    R::Table::delete_many().filter(R::COLUMNS.id.eq(id)).exec(&change.write).await?;
    audit(change, Action::DeleteRecord, &row).await?;
    Ok(row)
}

pub(crate) async fn reseal<R: Record>(
    change: &Change,
    id: i64,
    column: ColumnOf<R>,
    sealed: Vec<u8>,
) -> Result<(), DbErr> {
    let row = R::Table::update_many().col_expr(column, Expr::value(sealed)).filter(R::COLUMNS.id.eq(id));
    row.exec(&change.write).await?;
    Ok(())
}

async fn refuse_rivals<R: Record>(
    change: &Change,
    owner: &str,
    draft: &R::Draft,
    this: Option<i64>,
) -> Result<(), ChangeError> {
    let Some(rivals) = R::rivals(draft) else { return Ok(()) };
    let others = Condition::all().add_option(this.map(|id| R::COLUMNS.id.ne(id)));
    let rivals = rivals.add(R::COLUMNS.owner.eq(owner)).add(others);
    match R::Table::find().filter(rivals).limit(1).one(&change.write).await? {
        Some(_) => Err(ChangeError::Taken { what: R::KIND }),
        None => Ok(()),
    }
}

async fn audit<R: Record>(change: &Change, action: Action, row: &R) -> Result<(), DbErr> {
    change.audit(action, Object::Record { owner: row.owner(), kind: R::KIND, id: row.id() }, 0).await
}

fn set<R: Record>(row: &mut RowOf<R>, column: ColumnOf<R>, value: impl Into<Value>) {
    row.set(column, value.into());
}

/// What every record says about its table, once.
macro_rules! record {
    ($name:ident, $columns:ident, $table:ident, $kind:literal) => {
        pub type $name = crate::entities::$table::Model;
        pub type $columns = crate::entities::$table::Column;

        impl crate::records::sealed::Sealed for $name {}

        impl crate::records::Listed for $name {
            type Table = crate::entities::$table::Entity;
            const KIND: &'static str = $kind;
        }
    };
}
pub(crate) use record;

macro_rules! owned {
    ($columns:ident) => {
        const COLUMNS: crate::records::Columns<Self> = crate::records::Columns {
            id: $columns::Id,
            owner: $columns::UserId,
            created_at: $columns::CreatedAt,
            updated_at: $columns::UpdatedAt,
        };

        fn id(&self) -> i64 {
            self.id
        }

        fn owner(&self) -> &str {
            &self.user_id
        }
    };
}
pub(crate) use owned;
