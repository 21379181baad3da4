//! People and how they get in: the rest of a user, what users own, keys, sessions, entries of policies.

use sea_orm::{DbBackend, EntityName};
use sea_orm_migration::prelude::*;

use super::name;
use crate::entities::{
    activities, api_keys, attempts, comments, credentials, data_storages, labels, nonces, one_time_tokens, phones,
    policy_entries, profiles, service_accounts, sessions, signing_keys, tenants, user_documents, user_groups, users,
};

pub(super) struct Step;

/// Of a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    /// 64 bits, counted up.
    Id,
    Text,
    Number,
    Bytes,
    Flag,
}

use Type::{Bytes, Flag, Id, Number, Text};

/// A column, and whether it may be null.
type Column<I> = (I, Type, bool);

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m0005_people"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        // SQLite adds one column at a time.
        for column in users_columns(backend) {
            manager.alter_table(Table::alter().table(users::Entity).add_column(column).to_owned()).await?;
        }
        for table in tables(backend) {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn users_columns(backend: DbBackend) -> Vec<ColumnDef> {
    use users::Column as C;
    let texts = [
        C::Email,
        C::EmailKey,
        C::Username,
        C::UsernameKey,
        C::FirstName,
        C::LastName,
        C::Language,
        C::Preferences,
        C::Data,
        C::Referral,
    ];
    let mut columns: Vec<_> = texts.into_iter().map(|text| column((text, Text, NULL), backend)).collect();
    columns.push(column((C::Level, Number, VALUE), backend).default(0).to_owned());
    columns.push(column((C::Otp, Flag, VALUE), backend).default(false).to_owned());
    columns
}

const VALUE: bool = false;
const NULL: bool = true;

fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    [people(backend), papers(backend), access(backend), remembered(backend)].concat()
}

fn people(backend: DbBackend) -> Vec<TableCreateStatement> {
    let groups = {
        use user_groups::Column as C;
        table(user_groups::Entity, &[(C::UserId, Text, VALUE), (C::Name, Text, VALUE)], backend)
            .primary_key(Index::create().col(C::UserId).col(C::Name))
            .foreign_key(&mut of_user(user_groups::Entity, C::UserId))
            .to_owned()
    };
    let credentials = {
        use credentials::Column as C;
        let columns = [
            (C::UserId, Text, VALUE),
            (C::Password, Text, NULL),
            (C::PasswordChangedAt, Number, NULL),
            (C::TotpSeed, Bytes, NULL),
            (C::TotpStep, Number, NULL),
        ];
        table(credentials::Entity, &columns, backend)
            .primary_key(Index::create().col(C::UserId))
            .foreign_key(&mut of_user(credentials::Entity, C::UserId))
            .to_owned()
    };
    let labels = {
        use labels::Column as C;
        let columns = [
            (C::Id, Id, VALUE),
            (C::UserId, Text, VALUE),
            (C::Key, Text, VALUE),
            (C::Value, Text, VALUE),
            (C::Scope, Text, VALUE),
            (C::Description, Text, NULL),
            (C::CreatedAt, Number, VALUE),
            (C::UpdatedAt, Number, VALUE),
        ];
        owned(labels::Entity, &columns, C::UserId, backend)
    };
    let phones = {
        use phones::Column as C;
        let columns = [
            (C::Id, Id, VALUE),
            (C::UserId, Text, VALUE),
            (C::Number, Bytes, VALUE),
            (C::NumberIndex, Bytes, VALUE),
            (C::Country, Text, NULL),
            (C::Code, Text, NULL),
            (C::ValidatedAt, Number, NULL),
            (C::CreatedAt, Number, VALUE),
            (C::UpdatedAt, Number, VALUE),
        ];
        owned(phones::Entity, &columns, C::UserId, backend)
    };
    vec![groups, credentials, labels, phones]
}

fn papers(backend: DbBackend) -> Vec<TableCreateStatement> {
    let profiles = {
        use profiles::Column as C;
        let columns = [
            (C::Id, Id, VALUE),
            (C::UserId, Text, VALUE),
            (C::Author, Text, NULL),
            (C::ApplicantId, Text, NULL),
            (C::FirstName, Bytes, NULL),
            (C::LastName, Bytes, NULL),
            (C::Dob, Bytes, NULL),
            (C::Address, Bytes, NULL),
            (C::Postcode, Text, NULL),
            (C::City, Text, NULL),
            (C::Country, Text, NULL),
            (C::State, Text, VALUE),
            (C::Metadata, Text, NULL),
            (C::CreatedAt, Number, VALUE),
            (C::UpdatedAt, Number, VALUE),
        ];
        owned(profiles::Entity, &columns, C::UserId, backend)
    };
    let documents = {
        use user_documents::Column as C;
        let columns = [
            (C::Id, Id, VALUE),
            (C::UserId, Text, VALUE),
            (C::Upload, Text, VALUE),
            (C::DocType, Text, VALUE),
            (C::DocNumber, Bytes, NULL),
            (C::DocNumberIndex, Bytes, NULL),
            (C::DocExpire, Text, NULL),
            (C::DocIssue, Text, NULL),
            (C::DocCategory, Text, NULL),
            (C::Identificator, Text, NULL),
            (C::Metadata, Text, NULL),
            (C::CreatedAt, Number, VALUE),
            (C::UpdatedAt, Number, VALUE),
        ];
        owned(user_documents::Entity, &columns, C::UserId, backend)
    };
    let comments = {
        use comments::Column as C;
        let columns = [
            (C::Id, Id, VALUE),
            (C::UserId, Text, VALUE),
            (C::Author, Text, VALUE),
            (C::Title, Text, VALUE),
            (C::Data, Text, VALUE),
            (C::CreatedAt, Number, VALUE),
            (C::UpdatedAt, Number, VALUE),
        ];
        owned(comments::Entity, &columns, C::UserId, backend)
    };
    let storages = {
        use data_storages::Column as C;
        let columns = [
            (C::Id, Id, VALUE),
            (C::UserId, Text, VALUE),
            (C::Title, Text, VALUE),
            (C::TitleKey, Text, VALUE),
            (C::Data, Text, VALUE),
            (C::CreatedAt, Number, VALUE),
            (C::UpdatedAt, Number, VALUE),
        ];
        owned(data_storages::Entity, &columns, C::UserId, backend)
    };
    vec![profiles, documents, comments, storages]
}

fn access(backend: DbBackend) -> Vec<TableCreateStatement> {
    let accounts = {
        use service_accounts::Column as C;
        let columns = [
            (C::Id, Id, VALUE),
            (C::UserId, Text, VALUE),
            (C::Uid, Text, VALUE),
            (C::Email, Text, VALUE),
            (C::EmailKey, Text, VALUE),
            (C::Role, Text, VALUE),
            (C::Level, Number, VALUE),
            (C::State, Text, VALUE),
            (C::CreatedAt, Number, VALUE),
            (C::UpdatedAt, Number, VALUE),
        ];
        table(service_accounts::Entity, &columns, backend)
    };
    let keys = {
        use api_keys::Column as C;
        let columns = [
            (C::Id, Id, VALUE),
            (C::UserId, Text, VALUE),
            (C::Holder, Text, VALUE),
            (C::Kid, Text, VALUE),
            (C::Algorithm, Text, VALUE),
            (C::Secret, Bytes, VALUE),
            (C::Scope, Text, VALUE),
            (C::State, Text, VALUE),
            (C::CreatedAt, Number, VALUE),
            (C::UpdatedAt, Number, VALUE),
        ];
        table(api_keys::Entity, &columns, backend)
    };
    let activities = {
        use activities::Column as C;
        let columns = [
            (C::Id, Id, VALUE),
            (C::UserId, Text, VALUE),
            (C::Category, Text, VALUE),
            (C::TargetUid, Text, NULL),
            (C::UserIp, Text, VALUE),
            (C::UserIpCountry, Text, NULL),
            (C::UserAgent, Text, VALUE),
            (C::Topic, Text, VALUE),
            (C::Action, Text, VALUE),
            (C::Result, Text, VALUE),
            (C::Data, Text, NULL),
            (C::CreatedAt, Number, VALUE),
        ];
        table(activities::Entity, &columns, backend)
    };
    let signing_keys = {
        use signing_keys::Column as C;
        let columns = [
            (C::Kid, Text, VALUE),
            (C::Algorithm, Text, VALUE),
            (C::Private, Bytes, VALUE),
            (C::Public, Text, VALUE),
            (C::CreatedAt, Number, VALUE),
            (C::SignsFrom, Number, VALUE),
            (C::VerifiesUntil, Number, NULL),
        ];
        table(signing_keys::Entity, &columns, backend).primary_key(Index::create().col(C::Kid)).to_owned()
    };
    vec![accounts, keys, activities, signing_keys]
}

fn remembered(backend: DbBackend) -> Vec<TableCreateStatement> {
    let sessions = {
        use sessions::Column as C;
        let columns = [
            (C::Hash, Bytes, VALUE),
            (C::UserId, Text, VALUE),
            (C::UserIp, Text, VALUE),
            (C::UserAgent, Text, NULL),
            (C::CreatedAt, Number, VALUE),
            (C::SeenAt, Number, VALUE),
        ];
        table(sessions::Entity, &columns, backend)
            .primary_key(Index::create().col(C::Hash))
            .foreign_key(&mut of_user(sessions::Entity, C::UserId))
            .to_owned()
    };
    let one_time = {
        use one_time_tokens::Column as C;
        let columns = [
            (C::Hash, Bytes, VALUE),
            (C::Purpose, Text, VALUE),
            (C::Subject, Text, VALUE),
            (C::Data, Text, NULL),
            (C::CreatedAt, Number, VALUE),
            (C::ExpiresAt, Number, VALUE),
        ];
        table(one_time_tokens::Entity, &columns, backend).primary_key(Index::create().col(C::Hash)).to_owned()
    };
    let nonces = {
        use nonces::Column as C;
        let columns = [(C::KeyId, Text, VALUE), (C::Nonce, Text, VALUE), (C::ExpiresAt, Number, VALUE)];
        table(nonces::Entity, &columns, backend).primary_key(Index::create().col(C::KeyId).col(C::Nonce)).to_owned()
    };
    let attempts = {
        use attempts::Column as C;
        let columns = [(C::Key, Bytes, VALUE), (C::Failures, Number, VALUE), (C::Since, Number, VALUE)];
        table(attempts::Entity, &columns, backend).primary_key(Index::create().col(C::Key)).to_owned()
    };
    let entries = {
        use policy_entries::Column as C;
        let columns = [
            (C::Id, Id, VALUE),
            (C::Tenant, Text, VALUE),
            (C::Kind, Text, VALUE),
            (C::Name, Text, VALUE),
            (C::Position, Number, VALUE),
            (C::Class, Text, VALUE),
            (C::Scope, Text, VALUE),
            (C::Body, Text, VALUE),
            (C::CreatedAt, Number, VALUE),
            (C::UpdatedAt, Number, VALUE),
        ];
        table(policy_entries::Entity, &columns, backend)
            .foreign_key(
                ForeignKey::create().from(policy_entries::Entity, C::Tenant).to(tenants::Entity, tenants::Column::Name),
            )
            .to_owned()
    };
    vec![sessions, one_time, nonces, attempts, entries]
}

fn indexes() -> Vec<IndexCreateStatement> {
    use users::Column as U;
    let unique = [
        index(users::Entity, &[U::EmailKey]),
        index(users::Entity, &[U::UsernameKey]),
        index(labels::Entity, &[labels::Column::UserId, labels::Column::Scope, labels::Column::Key]),
        index(phones::Entity, &[phones::Column::UserId, phones::Column::NumberIndex]),
        index(data_storages::Entity, &[data_storages::Column::UserId, data_storages::Column::TitleKey]),
        index(service_accounts::Entity, &[service_accounts::Column::Uid]),
        index(service_accounts::Entity, &[service_accounts::Column::EmailKey]),
        index(api_keys::Entity, &[api_keys::Column::Kid]),
        index(
            policy_entries::Entity,
            &[policy_entries::Column::Tenant, policy_entries::Column::Kind, policy_entries::Column::Name],
        ),
    ];
    let others = [
        index(users::Entity, &[U::State, U::Id]),
        index(users::Entity, &[U::Level, U::Id]),
        index(users::Entity, &[U::CreatedAt, U::Id]),
        index(users::Entity, &[U::UpdatedAt, U::Id]),
        index(labels::Entity, &[labels::Column::Key, labels::Column::Value, labels::Column::Id]),
        index(profiles::Entity, &[profiles::Column::UserId, profiles::Column::Id]),
        index(profiles::Entity, &[profiles::Column::Country, profiles::Column::UserId]),
        index(phones::Entity, &[phones::Column::NumberIndex]),
        index(user_documents::Entity, &[user_documents::Column::UserId, user_documents::Column::Id]),
        index(user_documents::Entity, &[user_documents::Column::DocNumberIndex]),
        index(comments::Entity, &[comments::Column::UserId, comments::Column::Id]),
        index(service_accounts::Entity, &[service_accounts::Column::UserId, service_accounts::Column::Id]),
        index(api_keys::Entity, &[api_keys::Column::UserId, api_keys::Column::Id]),
        index(activities::Entity, &[activities::Column::Category, activities::Column::Id]),
        index(activities::Entity, &[activities::Column::UserId, activities::Column::Id]),
        index(activities::Entity, &[activities::Column::TargetUid, activities::Column::Id]),
        index(activities::Entity, &[activities::Column::Topic, activities::Column::CreatedAt]),
        index(sessions::Entity, &[sessions::Column::UserId, sessions::Column::CreatedAt]),
        index(one_time_tokens::Entity, &[one_time_tokens::Column::ExpiresAt]),
        index(nonces::Entity, &[nonces::Column::ExpiresAt]),
        index(attempts::Entity, &[attempts::Column::Since]),
        index(
            policy_entries::Entity,
            &[policy_entries::Column::Tenant, policy_entries::Column::Kind, policy_entries::Column::Id],
        ),
    ];
    let unique = unique.into_iter().map(|mut index| index.unique().to_owned());
    unique.chain(others).collect()
}

/// Named for its table and columns.
fn index<E: EntityName + IntoTableRef + Clone, C: IntoIden + Copy>(entity: E, columns: &[C]) -> IndexCreateStatement {
    let mut name = entity.table_name().to_owned();
    let mut index = Index::create();
    for &column in columns {
        name.push('_');
        name.push_str(&column.into_iden().to_string());
        index.col(column);
    }
    index.name(name).table(entity).to_owned()
}

/// A table of what belongs to a user, and goes with it.
fn owned<E, C>(entity: E, columns: &[Column<C>], user: C, backend: DbBackend) -> TableCreateStatement
where
    E: IntoTableRef + Copy,
    C: IntoIden + Copy,
{
    table(entity, columns, backend).foreign_key(&mut of_user(entity, user)).to_owned()
}

fn of_user<E: IntoTableRef, C: IntoIden>(entity: E, column: C) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(entity, column)
        .to(users::Entity, users::Column::Id)
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

fn table<E, C>(entity: E, columns: &[Column<C>], backend: DbBackend) -> TableCreateStatement
where
    E: IntoTableRef,
    C: IntoIden + Copy,
{
    let mut table = Table::create();
    table.table(entity);
    for &one in columns {
        table.col(column(one, backend));
    }
    table
}

fn column<C: IntoIden>((id, kind, may_be_null): Column<C>, backend: DbBackend) -> ColumnDef {
    let mut column = match kind {
        Text => name(id, backend),
        Id | Number | Bytes | Flag => ColumnDef::new(id),
    };
    match kind {
        Text => &mut column,
        Id => column.big_integer().auto_increment().primary_key(),
        Number => column.big_integer(),
        Bytes => column.blob(),
        Flag => column.boolean(),
    };
    if may_be_null {
        column.null()
    } else {
        column.not_null()
    };
    column
}
