//! Phones of users; numbers are sealed by the caller and found by a keyed hash.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, Condition};

use super::{Record, owned, record};
use crate::entities::phones::ActiveModel;

record!(Phone, PhoneColumn, phones, "phone");

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhoneDraft {
    /// Sealed.
    pub number: Vec<u8>,
    /// Keyed hash of the number; unique for the user.
    pub number_index: Vec<u8>,
    pub country: Option<String>,
    pub code: Option<String>,
    /// Unix seconds; `None` is not validated.
    pub validated_at: Option<i64>,
}

impl Record for Phone {
    type Draft = PhoneDraft;
    owned!(PhoneColumn);

    fn row(draft: PhoneDraft) -> ActiveModel {
        let PhoneDraft { number, number_index, country, code, validated_at } = draft;
        ActiveModel {
            number: Set(number),
            number_index: Set(number_index),
            country: Set(country),
            code: Set(code),
            validated_at: Set(validated_at),
            ..Default::default()
        }
    }

    fn rivals(draft: &PhoneDraft) -> Option<Condition> {
        Some(Condition::all().add(PhoneColumn::NumberIndex.eq(draft.number_index.clone())))
    }
}
