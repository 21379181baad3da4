//! Edges: proxies that fetch the policy of one tenant, and the tokens by which the server knows them.
//!
//! A new token leaves the one before it valid for a while, so that a proxy can be given the new one; never more than two
//! are valid at once.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, SqlErr,
};

use crate::audit::{self, Action, Object};
use crate::entities::{edge_tokens, edges, tenants};
use crate::users::stored;
use crate::{Directory, EdgeName, PageSize, SecretHash, StoreError, TenantId, UnixSeconds, UserId};

/// Whom a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeId {
    pub tenant: TenantId,
    pub name: EdgeName,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    pub name: EdgeName,
    pub created_at: UnixSeconds,
    /// Those that are valid, newest first.
    pub tokens: Vec<EdgeToken>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeToken {
    pub created_at: UnixSeconds,
    /// `None` until there is a newer one.
    pub expires_at: Option<UnixSeconds>,
}

/// When a token is issued, and until when the one before it stays valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    pub at: UnixSeconds,
    pub old_until: UnixSeconds,
}

#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    #[error("there is an edge of this name already")]
    Exists,
    #[error("there is no edge of this name")]
    NotFound,
    #[error("there is no tenant of this name")]
    NoTenant,
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl Directory ===

impl Directory {
    /// Creates the edge with its first token.
    pub async fn create_edge(
        &self,
        edge: &EdgeId,
        token: SecretHash,
        by: &UserId,
        at: UnixSeconds,
    ) -> Result<(), EdgeError> {
        let write = self.write().await?;
        let tenant = tenants::Entity::find_by_id(edge.tenant.to_string()).one(&write).await?;
        if tenant.is_none() {
            return Err(EdgeError::NoTenant);
        }
        let row = edges::ActiveModel {
            tenant: Set(edge.tenant.to_string()),
            name: Set(edge.name.to_string()),
            created_at: Set(at.to_column()),
        };
        edges::Entity::insert(row).exec_without_returning(&write).await.map_err(|error| match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => EdgeError::Exists,
            _ => error.into(),
        })?;
        insert_token(&write, edge, token, at).await?;
        audit::record(&write, by, Action::CreateEdge, Object::Edge(&edge.tenant, &edge.name), 0, at).await?;
        Ok(write.commit().await?)
    }

    /// Edges of the tenant by name, after `after`, with the tokens that are valid at `at`.
    pub async fn edges(
        &self,
        tenant: &TenantId,
        after: Option<&EdgeName>,
        limit: PageSize,
        at: UnixSeconds,
    ) -> Result<Vec<Edge>, StoreError> {
        let mut select = edges::Entity::find().filter(edges::Column::Tenant.eq(tenant.as_str()));
        if let Some(after) = after {
            select = select.filter(edges::Column::Name.gt(after.as_str()));
        }
        let rows = select.order_by_asc(edges::Column::Name).limit(limit.get()).all(&self.db).await?;
        let names = rows.iter().map(|row| row.name.as_str());
        let tokens = edge_tokens::Entity::find()
            .filter(edge_tokens::Column::Tenant.eq(tenant.as_str()))
            .filter(edge_tokens::Column::Edge.is_in(names))
            .filter(is_valid(at))
            .order_by_desc(edge_tokens::Column::CreatedAt)
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(|row| edge(row, &tokens)).collect::<Result<_, DbErr>>()?)
    }

    /// Issues the next token of the edge. The one before it stays valid until `old_until`, an older one ends now.
    pub async fn issue_edge_token(
        &self,
        edge: &EdgeId,
        token: SecretHash,
        by: &UserId,
        rotation: Rotation,
    ) -> Result<(), EdgeError> {
        let Rotation { at, old_until } = rotation;
        let write = self.write().await?;
        let id = (edge.tenant.to_string(), edge.name.to_string());
        edges::Entity::find_by_id(id).one(&write).await?.ok_or(EdgeError::NotFound)?;
        let old = edge_tokens::Entity::find()
            .filter(of_edge(edge))
            .filter(edge_tokens::Column::ExpiresAt.is_null())
            .one(&write)
            .await?;
        let mut ended = edge_tokens::Entity::delete_many().filter(of_edge(edge));
        if let Some(old) = old {
            edge_tokens::Entity::update_many()
                .col_expr(edge_tokens::Column::ExpiresAt, Expr::value(old_until.to_column()))
                .filter(edge_tokens::Column::Hash.eq(old.hash.clone()))
                .exec(&write)
                .await?;
            ended = ended.filter(edge_tokens::Column::Hash.ne(old.hash));
        }
        ended.exec(&write).await?;
        insert_token(&write, edge, token, at).await?;
        audit::record(&write, by, Action::IssueEdgeToken, Object::Edge(&edge.tenant, &edge.name), 0, at).await?;
        Ok(write.commit().await?)
    }

    /// Removes the edge with its tokens; what it sent stays.
    pub async fn delete_edge(&self, edge: &EdgeId, by: &UserId, at: UnixSeconds) -> Result<(), EdgeError> {
        let write = self.write().await?;
        let id = (edge.tenant.to_string(), edge.name.to_string());
        if edges::Entity::delete_by_id(id).exec(&write).await?.rows_affected == 0 {
            return Err(EdgeError::NotFound);
        }
        audit::record(&write, by, Action::DeleteEdge, Object::Edge(&edge.tenant, &edge.name), 0, at).await?;
        Ok(write.commit().await?)
    }

    /// The owner of a token that is valid at `at`.
    pub async fn edge_by_token(&self, hash: SecretHash, at: UnixSeconds) -> Result<Option<EdgeId>, StoreError> {
        let token = edge_tokens::Entity::find_by_id(hash.0.to_vec()).filter(is_valid(at)).one(&self.db).await?;
        let id = |token: edge_tokens::Model| {
            let tenant = TenantId::parse(&token.tenant).map_err(stored)?;
            Ok::<_, DbErr>(EdgeId { tenant, name: EdgeName::parse(&token.edge).map_err(stored)? })
        };
        Ok(token.map(id).transpose()?)
    }
}

async fn insert_token(
    write: &impl ConnectionTrait,
    edge: &EdgeId,
    token: SecretHash,
    at: UnixSeconds,
) -> Result<(), DbErr> {
    let row = edge_tokens::ActiveModel {
        hash: Set(token.0.to_vec()),
        tenant: Set(edge.tenant.to_string()),
        edge: Set(edge.name.to_string()),
        created_at: Set(at.to_column()),
        expires_at: Set(None),
    };
    edge_tokens::Entity::insert(row).exec_without_returning(write).await?;
    Ok(())
}

fn of_edge(edge: &EdgeId) -> Condition {
    Condition::all()
        .add(edge_tokens::Column::Tenant.eq(edge.tenant.as_str()))
        .add(edge_tokens::Column::Edge.eq(edge.name.as_str()))
}

fn is_valid(at: UnixSeconds) -> Condition {
    Condition::any()
        .add(edge_tokens::Column::ExpiresAt.is_null())
        .add(edge_tokens::Column::ExpiresAt.gt(at.to_column()))
}

fn edge(row: edges::Model, tokens: &[edge_tokens::Model]) -> Result<Edge, DbErr> {
    let tokens = tokens.iter().filter(|token| token.edge == row.name).map(|token| EdgeToken {
        created_at: UnixSeconds::from_column(token.created_at),
        expires_at: token.expires_at.map(UnixSeconds::from_column),
    });
    Ok(Edge {
        name: EdgeName::parse(&row.name).map_err(stored)?,
        created_at: UnixSeconds::from_column(row.created_at),
        tokens: tokens.collect(),
    })
}

impl From<DbErr> for EdgeError {
    fn from(error: DbErr) -> Self {
        Self::Store(StoreError(error))
    }
}
