//! The server's own API.

mod deciding;
mod directory;
mod operating;
mod policy;
mod public;

use portcullis_directory::PageSize;

use super::field::{Field, text, whole};
use super::operation::Form;
use super::{Draft, bearer, header};
use crate::api::LONGEST_WAIT_S;
use crate::authn::EDGE_TOKEN;

const TOKEN: &str = "token";
const SETUP: &str = "setup-token";
const EDGE: &str = "edge-token";

/// A call with a token can always end like this.
const REFUSALS: [u16; 4] = [400, 401, 403, 500];

pub fn draft() -> Draft {
    Draft {
        title: "Portcullis",
        about: "Users, edges, policy documents, bundles and decisions. Every request is decided by the management policy; \
                refusals are problems of RFC 9457. Times are unix seconds unless a field says milliseconds.",
        groups: vec![public::group(), directory::setup(), directory::users(), directory::edges()]
            .into_iter()
            .chain([
                policy::group(),
                policy::decision_logs(),
                deciding::group(),
                deciding::proxies(),
                operating::group(),
            ])
            .collect(),
        callers: vec![
            (
                TOKEN,
                bearer(
                    "of a user (`ptc_..`) or an edge (`pte_..`); state and roles count as the directory has them now",
                ),
            ),
            (SETUP, bearer("printed by the server as long as there is no user")),
            (EDGE, header(EDGE_TOKEN.as_str(), "of the proxy that asks; `authorization` is its client's")),
        ],
        schemas: include_str!("own.yaml"),
    }
}

fn problem(_status: u16) -> Form {
    &[("application/problem+json", "problem")]
}

fn tenant() -> Field {
    text("tenant", "which tenant; the default one without it")
}

fn limit() -> Field {
    whole("limit", (1, PageSize::MAX), "rows of the page; 50 without it")
}

fn wait() -> Field {
    whole("wait", (0, LONGEST_WAIT_S), "seconds that the answer may wait for news; 0 without it")
}
