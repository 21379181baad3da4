//! What a profile says: read, checked by the schemas of the management policy, sealed.

use portcullis_compiler::import::country_code;
use portcullis_directory::{ProfileDraft, UserId};
use portcullis_identity::SystemRandom;
use portcullis_identity::reseal::place;

use crate::app::App;
use crate::dialects::barong::errors::{Code, Refusal};
use crate::dialects::barong::params::Input;
use crate::dialects::time::{Date, rfc3339};
use crate::error::ApiError;

pub struct Fields {
    first_name: Option<String>,
    last_name: Option<String>,
    dob: Option<String>,
    address: Option<String>,
    postcode: Option<String>,
    city: Option<String>,
    country: Option<String>,
    metadata: Option<String>,
}

const LONGEST: usize = 255;
const POSTCODE_SHORTEST: usize = 2;

impl Fields {
    pub fn read(input: &mut Input) -> Self {
        let (first_name, last_name) = (squeezed(input, "first_name"), squeezed(input, "last_name"));
        let dob = input.text_that("dob", |text| text.is_empty() || Date::parse(text).is_some(), "invalid");
        Self {
            first_name,
            last_name,
            dob: dob.filter(|text| !text.is_empty()),
            address: filled(input, "address"),
            postcode: squeezed(input, "postcode"),
            city: squeezed(input, "city"),
            country: filled(input, "country"),
            metadata: filled(input, "metadata"),
        }
    }

    pub fn check(&self, app: &App) -> Result<(), Refusal> {
        let mut codes: Vec<Code> = Vec::new();
        for (name, text, schema) in [
            ("first_name", &self.first_name, "barong-personal-name"),
            ("last_name", &self.last_name, "barong-personal-name"),
            ("address", &self.address, "barong-address"),
            ("postcode", &self.postcode, "barong-postcode"),
            ("city", &self.city, "barong-city"),
        ] {
            let Some(text) = text else { continue };
            let length = text.chars().count();
            let is_legal = app.gate.is_valid(schema, text).map_err(ApiError::from)?;
            for (is_broken, word) in [
                (name == "postcode" && length < POSTCODE_SHORTEST, "too_short"),
                (!is_legal, "invalid"),
                (length > LONGEST, "too_long"),
            ] {
                if is_broken {
                    codes.push(format!("{name}.{word}").into());
                }
            }
        }
        if self.country.as_deref().is_some_and(|text| !is_country(text)) {
            codes.push("country.must have alpha2 or alpha3 format".into());
        }
        // Both are written year first, so the order of the texts is that of the days.
        if self.dob.as_deref().is_some_and(|dob| *dob > *today(app)) {
            codes.push("dob.invalid".into());
        }
        if self.metadata.as_deref().is_some_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_err()) {
            codes.push("metadata.invalid_format".into());
        }
        if codes.is_empty() { Ok(()) } else { Err(Refusal::Invalid(codes)) }
    }

    pub fn draft(self, app: &App, owner: &UserId, author: &UserId) -> Result<ProfileDraft, Refusal> {
        let Self { first_name, last_name, dob, address, postcode, city, country, metadata } = self;
        let seal = |field: &str, text: Option<String>| {
            let place = place("profile", owner.as_str(), field);
            let sealed = text.map(|text| app.identity.vault.seal(&place, text.as_bytes(), &SystemRandom));
            sealed.transpose().map_err(Refusal::internal)
        };
        Ok(ProfileDraft {
            author: Some(author.to_string()),
            applicant_id: None,
            first_name: seal("first_name", first_name)?,
            last_name: seal("last_name", last_name)?,
            dob: seal("dob", dob)?,
            address: seal("address", address)?,
            postcode,
            city,
            country,
            state: "submitted".to_owned(),
            metadata,
        })
    }
}

fn today(app: &App) -> String {
    rfc3339(app.store.now()).chars().take("YYYY-MM-DD".len()).collect()
}

/// A code of two or three letters; names are none.
fn is_country(text: &str) -> bool {
    matches!(text.len(), 2 | 3) && country_code(text).is_some()
}

fn filled(input: &mut Input, name: &str) -> Option<String> {
    input.text(name).filter(|text| !text.is_empty())
}

/// With single spaces inside.
fn squeezed(input: &mut Input, name: &str) -> Option<String> {
    let text = input.text(name)?;
    let text = text.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    Some(text).filter(|text| !text.is_empty())
}
