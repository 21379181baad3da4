//! Profiles: who a person is; names, birth and address are sealed by the caller.

use sea_orm::ActiveValue::Set;

use super::{Record, owned, record};
use crate::entities::profiles::ActiveModel;

record!(Profile, ProfileColumn, profiles, "profile");

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileDraft {
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
    /// `drafted`, `submitted`, `verified` or `rejected`.
    pub state: String,
    pub metadata: Option<String>,
}

impl Record for Profile {
    type Draft = ProfileDraft;
    owned!(ProfileColumn);

    fn row(draft: ProfileDraft) -> ActiveModel {
        let ProfileDraft {
            author,
            applicant_id,
            first_name,
            last_name,
            dob,
            address,
            postcode,
            city,
            country,
            state,
            metadata,
        } = draft;
        ActiveModel {
            author: Set(author),
            applicant_id: Set(applicant_id),
            first_name: Set(first_name),
            last_name: Set(last_name),
            dob: Set(dob),
            address: Set(address),
            postcode: Set(postcode),
            city: Set(city),
            country: Set(country),
            state: Set(state),
            metadata: Set(metadata),
            ..Default::default()
        }
    }
}
