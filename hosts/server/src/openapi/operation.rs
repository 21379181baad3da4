//! One operation of a document: what it takes and what it answers, in fewer words than the specification needs.

use utoipa::openapi::content::Content;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{Object, ObjectBuilder};
use utoipa::openapi::{Header, RefOr, Required, Response, ResponseBuilder, Responses, Schema, SecurityRequirement};

use super::field::{Field, named};

/// An operation that is being described. Without `answer` it answers nothing.
pub struct Op {
    pub path: &'static str,
    pub methods: Vec<HttpMethod>,
    parts: Operation,
    refusals: Vec<(u16, Option<&'static str>)>,
    callers: Option<&'static [&'static str]>,
}

/// What the operations of a group have in common.
pub struct Group {
    pub tag: &'static str,
    /// Who calls: one of these security schemes; none is anybody.
    pub callers: &'static [&'static str],
    /// Statuses of refusals that each of them can answer.
    pub refusals: &'static [u16],
    /// How a refusal is written: status -> media types with their schemas.
    pub form: fn(u16) -> Form,
}

pub type Form = &'static [(&'static str, &'static str)];

pub fn get(path: &'static str, summary: &str) -> Op {
    Op::new(vec![HttpMethod::Get], path, summary)
}

pub fn post(path: &'static str, summary: &str) -> Op {
    Op::new(vec![HttpMethod::Post], path, summary)
}

pub fn put(path: &'static str, summary: &str) -> Op {
    Op::new(vec![HttpMethod::Put], path, summary)
}

pub fn patch(path: &'static str, summary: &str) -> Op {
    Op::new(vec![HttpMethod::Patch], path, summary)
}

pub fn delete(path: &'static str, summary: &str) -> Op {
    Op::new(vec![HttpMethod::Delete], path, summary)
}

/// An operation that does not look at the method.
pub fn any(path: &'static str, summary: &str) -> Op {
    let all = [HttpMethod::Get, HttpMethod::Head, HttpMethod::Post, HttpMethod::Put, HttpMethod::Patch];
    Op::new(all.into_iter().chain([HttpMethod::Delete, HttpMethod::Options]).collect(), path, summary)
}

// === impl Op ===

impl Op {
    fn new(methods: Vec<HttpMethod>, path: &'static str, summary: &str) -> Self {
        let mut parts = Operation::new();
        parts.summary = Some(summary.to_owned());
        Self { path, methods, parts, refusals: Vec::new(), callers: None }
    }

    /// What the summary leaves open.
    pub fn about(mut self, text: &str) -> Self {
        self.parts.description = Some(text.to_owned());
        self
    }

    /// Who calls, other than in the rest of the group.
    pub fn callers(self, callers: &'static [&'static str]) -> Self {
        Self { callers: Some(callers), ..self }
    }

    /// Parameters in the query.
    pub fn query(self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.parameters(ParameterIn::Query, fields)
    }

    pub fn headers(self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.parameters(ParameterIn::Header, fields)
    }

    /// What the name in braces is.
    pub fn at(self, field: Field) -> Self {
        self.parameters(ParameterIn::Path, [field.required()])
    }

    /// A JSON body by the schema of that name.
    pub fn json(self, schema: &str) -> Self {
        self.body(RequestBodyBuilder::new().required(Some(Required::True)).content("application/json", content(schema)))
    }

    /// The same, and no body at all is fine.
    pub fn optional_json(self, schema: &str) -> Self {
        self.body(
            RequestBodyBuilder::new().required(Some(Required::False)).content("application/json", content(schema)),
        )
    }

    /// A body in one of these media types, each with the name of its schema.
    pub fn bodies(self, types: &[(&str, &str)]) -> Self {
        let body = RequestBodyBuilder::new().required(Some(Required::True));
        self.body(types.iter().fold(body, |body, &(media_type, schema)| body.content(media_type, content(schema))))
    }

    /// Fields that a form, its parts or a JSON object name.
    pub fn form(self, fields: impl IntoIterator<Item = Field>) -> Self {
        let mut object = ObjectBuilder::new();
        let mut is_required = false;
        for field in fields {
            if field.is_required {
                is_required = true;
                object = object.required(field.name);
            }
            object = object.property(field.name, field.described());
        }
        let object: Object = object.build();
        let required = if is_required { Required::True } else { Required::False };
        let body = RequestBodyBuilder::new().required(Some(required));
        let types = ["application/x-www-form-urlencoded", "application/json", "multipart/form-data"];
        self.body(types.into_iter().fold(body, |body, media_type| {
            body.content(media_type, Content::new(Some(RefOr::<Schema>::from(object.clone()))))
        }))
    }

    fn body(mut self, body: RequestBodyBuilder) -> Self {
        let body: RequestBody = body.build();
        self.parts.request_body = Some(body.into());
        self
    }

    /// A success in JSON by the schema of that name.
    pub fn answer(self, status: u16, schema: &str, text: &str) -> Self {
        self.answers(status, &[("application/json", Some(schema))], text)
    }

    /// A success in one of these media types, each with the name of its schema.
    pub fn answers(mut self, status: u16, types: &[(&str, Option<&str>)], text: &str) -> Self {
        let mut response = Response::new(text);
        for &(media_type, schema) in types {
            let body = schema.map_or_else(Content::default, content);
            response.content.insert(media_type.to_owned(), body.into());
        }
        self.parts.responses.responses.insert(status.to_string(), response.into());
        self
    }

    /// An answer without a body.
    pub fn empty(self, status: u16, text: &str) -> Self {
        self.answers(status, &[], text)
    }

    /// A header of the answer with that status.
    pub fn told(mut self, status: u16, name: &str, text: &str) -> Self {
        let answer =
            self.parts.responses.responses.entry(status.to_string()).or_insert_with(|| Response::new("").into());
        if let RefOr::T(response) = answer {
            let mut header = Header::default();
            header.description = Some(text.to_owned());
            response.headers.insert(name.to_owned(), header.into());
        }
        self
    }

    /// A refusal, and when.
    pub fn refuses(mut self, status: u16, when: &'static str) -> Self {
        self.refusals.push((status, Some(when)));
        self
    }

    /// Refusals that need no other words than those of their status.
    pub fn can(mut self, statuses: &[u16]) -> Self {
        self.refusals.extend(statuses.iter().map(|&status| (status, None)));
        self
    }

    /// Refusals with any status of that class (`4XX`), which a policy chooses.
    pub fn class(mut self, class: &str, schema: &str, text: &str) -> Self {
        let response = ResponseBuilder::new().description(text).content("application/json", content(schema)).build();
        self.parts.responses.responses.insert(class.to_owned(), response.into());
        self
    }

    fn parameters(mut self, place: ParameterIn, fields: impl IntoIterator<Item = Field>) -> Self {
        let all = self.parts.parameters.get_or_insert_default();
        all.extend(fields.into_iter().map(|field| RefOr::T(parameter(place.clone(), field))));
        self
    }

    /// The operation for each of its methods. Ids are made of method and path.
    pub fn in_group(self, group: &Group) -> Vec<(HttpMethod, Operation)> {
        let Self { path, methods, mut parts, refusals, callers } = self;
        parts.tags = Some(vec![group.tag.to_owned()]);
        let callers = callers.unwrap_or(group.callers).iter();
        parts.security = Some(callers.map(|caller| SecurityRequirement::new(*caller, [""; 0])).collect());
        for (status, when) in group.refusals.iter().map(|&status| (status, None)).chain(refusals) {
            refuse(&mut parts.responses, status, when, (group.form)(status));
        }
        let operation = |method: HttpMethod| {
            let mut operation = parts.clone();
            operation.operation_id = Some(operation_id(&method, path));
            (method, operation)
        };
        methods.into_iter().map(operation).collect()
    }
}

/// A later one has the words.
fn refuse(to: &mut Responses, status: u16, when: Option<&str>, form: Form) {
    let response = ResponseBuilder::new().description(when.unwrap_or(usual(status)));
    let response =
        form.iter().fold(response, |response, (media_type, schema)| response.content(*media_type, content(schema)));
    to.responses.insert(status.to_string(), response.build().into());
}

/// Why such a status is answered where nothing else is said.
fn usual(status: u16) -> &'static str {
    match status {
        400 => "cannot be read: path, header, query, shape or encoding of the body",
        401 => "no token, or one that is not valid",
        403 => "the management policy does not allow it to this caller",
        404 => "there is nothing of this name",
        409 => "in conflict with what there is, or somebody else was faster",
        413 => "the body is too large",
        415 => "another content type than those that are taken",
        422 => "can be read and is not legal; nothing was changed",
        429 => "too many attempts of this account or address",
        503 => "the server is not ready",
        _ => "the server failed; nothing is said about why",
    }
}

fn content(schema: &str) -> Content {
    Content::new(Some(named(schema)))
}

fn parameter(place: ParameterIn, field: Field) -> Parameter {
    let required = if field.is_required { Required::True } else { Required::False };
    ParameterBuilder::new()
        .name(field.name)
        .parameter_in(place)
        .required(required)
        .description(Some(field.text))
        .schema(Some(field.schema))
        .build()
}

/// `get /a/{id}` -> `get_a_id`, `get /a/` -> `get_a_`.
fn operation_id(method: &HttpMethod, path: &str) -> String {
    let words = path.split(|byte: char| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let id = words.fold(method_name(method).to_owned(), |id, word| id + "_" + word);
    if path.ends_with('/') { id + "_" } else { id }
}

fn method_name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "get",
        HttpMethod::Put => "put",
        HttpMethod::Post => "post",
        HttpMethod::Delete => "delete",
        HttpMethod::Options => "options",
        HttpMethod::Head => "head",
        HttpMethod::Patch => "patch",
        HttpMethod::Trace => "trace",
    }
}
