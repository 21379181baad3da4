//! Comments of administrators about users.

use sea_orm::ActiveValue::Set;

use super::{Record, owned, record};
use crate::entities::comments::ActiveModel;

record!(Comment, CommentColumn, comments, "comment");

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommentDraft {
    pub author: String,
    pub title: String,
    pub data: String,
}

impl Record for Comment {
    type Draft = CommentDraft;
    owned!(CommentColumn);

    fn row(draft: CommentDraft) -> ActiveModel {
        let CommentDraft { author, title, data } = draft;
        ActiveModel { author: Set(author), title: Set(title), data: Set(data), ..Default::default() }
    }
}
