//! Papers of users: where the file is and what it says; numbers are sealed by the caller.

use sea_orm::ActiveValue::Set;

use super::{Record, owned, record};
use crate::entities::user_documents::ActiveModel;

record!(UserDocument, UserDocumentColumn, user_documents, "document");

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserDocumentDraft {
    /// Where the file is.
    pub upload: String,
    pub doc_type: String,
    /// Sealed.
    pub doc_number: Option<Vec<u8>>,
    /// Keyed hash of the number.
    pub doc_number_index: Option<Vec<u8>>,
    /// `YYYY-MM-DD`.
    pub doc_expire: Option<String>,
    /// `YYYY-MM-DD`.
    pub doc_issue: Option<String>,
    pub doc_category: Option<String>,
    /// Of the batch it came in.
    pub identificator: Option<String>,
    pub metadata: Option<String>,
}

impl Record for UserDocument {
    type Draft = UserDocumentDraft;
    owned!(UserDocumentColumn);

    fn row(draft: UserDocumentDraft) -> ActiveModel {
        let UserDocumentDraft {
            upload,
            doc_type,
            doc_number,
            doc_number_index,
            doc_expire,
            doc_issue,
            doc_category,
            identificator,
            metadata,
        } = draft;
        ActiveModel {
            upload: Set(upload),
            doc_type: Set(doc_type),
            doc_number: Set(doc_number),
            doc_number_index: Set(doc_number_index),
            doc_expire: Set(doc_expire),
            doc_issue: Set(doc_issue),
            doc_category: Set(doc_category),
            identificator: Set(identificator),
            metadata: Set(metadata),
            ..Default::default()
        }
    }
}
