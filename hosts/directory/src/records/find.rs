//! A question for rows: which, in what order, and which part of them.

use std::marker::PhantomData;

use sea_orm::sea_query::{Expr, Query, SelectStatement, Value};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::{ColumnOf, Listed, key};
use crate::PageSize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

/// Rows that pass every test, in an order that is always the same: rows that the order does not tell apart follow each
/// other by their ids.
#[derive(Clone, Debug)]
pub struct Find<R: Listed> {
    pub(crate) condition: Condition,
    order: Vec<(Expr, Order)>,
    direction: Direction,
    skip: u64,
    limit: PageSize,
    rows: PhantomData<fn() -> R>,
}

impl<R: Listed> Find<R> {
    /// All rows by id; the first page of them.
    pub fn all() -> Self {
        Self {
            condition: Condition::all(),
            order: Vec::new(),
            direction: Direction::Ascending,
            skip: 0,
            limit: PageSize::DEFAULT,
            rows: PhantomData,
        }
    }

    pub fn is(self, column: ColumnOf<R>, value: impl Into<Value>) -> Self {
        self.only(column.eq(value.into()))
    }

    pub fn is_not(self, column: ColumnOf<R>, value: impl Into<Value>) -> Self {
        self.only(column.ne(value.into()))
    }

    pub fn is_one_of<V: Into<Value>>(self, column: ColumnOf<R>, values: impl IntoIterator<Item = V>) -> Self {
        self.only(column.is_in(values))
    }

    /// `value` itself included.
    pub fn from(self, column: ColumnOf<R>, value: impl Into<Value>) -> Self {
        self.only(column.gte(value.into()))
    }

    /// `value` itself included.
    pub fn until(self, column: ColumnOf<R>, value: impl Into<Value>) -> Self {
        self.only(column.lte(value.into()))
    }

    /// What follows `value`: the next page, when the order is by that column alone.
    pub fn after(self, column: ColumnOf<R>, value: impl Into<Value>) -> Self {
        self.only(column.gt(value.into()))
    }

    pub fn before(self, column: ColumnOf<R>, value: impl Into<Value>) -> Self {
        self.only(column.lt(value.into()))
    }

    /// Later ones order what earlier ones leave equal.
    pub fn order(self, column: ColumnOf<R>, direction: Direction) -> Self {
        self.order_by(Expr::col((R::Table::default(), column)), direction)
    }

    pub(crate) fn order_by(mut self, by: Expr, direction: Direction) -> Self {
        self.order.push((by, direction.into()));
        self.direction = direction;
        self
    }

    pub fn page(mut self, skip: u64, limit: PageSize) -> Self {
        (self.skip, self.limit) = (skip, limit);
        self
    }

    pub(crate) fn only(mut self, test: impl sea_orm::sea_query::IntoCondition) -> Self {
        self.condition = self.condition.add(test.into_condition());
        self
    }

    /// A selection of `column` of all rows that pass.
    pub(crate) fn values_of(&self, column: ColumnOf<R>) -> SelectStatement {
        Query::select().column(column).from(R::Table::default()).cond_where(self.condition.clone()).to_owned()
    }

    pub(crate) async fn run(&self, db: &impl ConnectionTrait) -> Result<Vec<R>, DbErr> {
        let mut select = R::Table::find().filter(self.condition.clone());
        for (by, order) in &self.order {
            select = select.order_by(by.clone(), order.clone());
        }
        for column in key::<R>() {
            select = select.order_by(column, self.direction.into());
        }
        select.offset(self.skip).limit(self.limit.get()).all(db).await
    }

    pub(crate) async fn count(&self, db: &impl ConnectionTrait) -> Result<u64, DbErr> {
        R::Table::find().filter(self.condition.clone()).count(db).await
    }
}

impl From<Direction> for Order {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Ascending => Self::Asc,
            Direction::Descending => Self::Desc,
        }
    }
}
