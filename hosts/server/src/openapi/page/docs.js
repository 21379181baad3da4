// Shows the OpenAPI documents of this server. All text goes in as text, none as markup.
const documents = [
  ["own", "openapi.json"],
  ["padlock", "openapi/padlock.json"],
  ["barong", "openapi/barong.json"],
];
const methods = ["get", "head", "post", "put", "patch", "delete", "options"];
const place = "#/components/schemas/";

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

const code = (text) => make("code", {}, text);

/** The children with `between` between them. */
const joined = (children, between) => children.flatMap((child, at) => (at === 0 ? [child] : [between, child]));

function table(caption, heads, rows) {
  if (rows.length === 0) return null;
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const row = ([first, ...others]) =>
    make("tr", {}, make("th", { scope: "row" }, ...first), ...others.map((cell) => make("td", {}, ...cell)));
  return make("div", { class: "table" },
    make("table", {}, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...rows.map(row))));
}

// === schemas ===

/** What a schema says, in words and links. */
function words(schema, name) {
  if (schema === true || schema === undefined) return ["anything"];
  if (schema.$ref) {
    const to = schema.$ref.slice(place.length);
    return [make("a", { href: `#${name}/schema/${to}` }, to)];
  }
  const parts = [];
  for (const [keyword, word] of [["anyOf", " or "], ["oneOf", " or else "], ["allOf", " and "]]) {
    if (schema[keyword]?.some((one) => one.$ref || one.type || one.const)) {
      parts.push(...joined(schema[keyword].map((one) => make("span", {}, ...words(one, name))), word));
    }
  }
  if (schema.type) {
    parts.push(parts.length > 0 ? " and " : "", [schema.type].flat().join(" or "));
  }
  if (schema.items) parts.push(" of ", ...words(schema.items, name));
  if (schema.additionalProperties?.$ref) parts.push(" of ", ...words(schema.additionalProperties, name));
  parts.push(...bounds(schema));
  return parts.length > 0 ? parts : ["anything"];
}

function bounds(schema) {
  const said = [
    ["minimum", "at least"], ["maximum", "at most"], ["format", "format"], ["pattern", "pattern"],
    ["minLength", "characters at least"], ["maxLength", "characters at most"],
    ["minItems", "items at least"], ["maxItems", "items at most"],
    ["minProperties", "members at least"], ["const", "always"],
  ];
  const found = said.filter(([key]) => schema[key] !== undefined);
  const parts = found.flatMap(([key, word]) => [`, ${word} `, code(String(schema[key]))]);
  if (schema.enum) parts.push(" one of ", ...joined(schema.enum.map((one) => code(String(one))), ", "));
  if (schema.not?.enum) parts.push(", not ", ...joined(schema.not.enum.map((one) => code(String(one))), ", "));
  return parts;
}

/** Members of an object and of the objects in it, by their path. */
function members(schema, name, above = "") {
  return Object.entries(schema.properties ?? {}).flatMap(([key, one]) => {
    const needed = schema.required?.includes(key) ? "required" : "optional";
    const row = [[code(above + key)], words(one, name), [needed], [one.description ?? ""]];
    return [row, ...members(one, name, `${above}${key}.`), ...members(one.items ?? {}, name, `${above}${key}[].`)];
  });
}

function members_of(schema, name) {
  const rows = [...members(schema, name), ...members(schema.items ?? {}, name, "[].")];
  return table("Members", ["name", "what it is", "needed", "meaning"], rows);
}

function schema_entry([key, schema], name) {
  return make("details", { id: `${name}/schema/${key}` },
    make("summary", {}, code(key)),
    make("p", {}, schema.description ?? "", " ", ...words(schema, name)),
    members_of(schema, name) ?? "");
}

// === operations ===

function contents(content, name) {
  const one = ([type, { schema }]) =>
    schema ? [code(type), ": ", ...words(schema, name)] : [code(type)];
  return joined(Object.entries(content ?? {}).map((entry) => make("span", {}, ...one(entry))), ", ");
}

function parameters(operation, name) {
  const row = (one) => [
    [code(one.name)], [one.in], words(one.schema, name), [one.required ? "required" : "optional"], [one.description ?? ""],
  ];
  return table("Parameters", ["name", "in", "what it is", "needed", "meaning"], (operation.parameters ?? []).map(row));
}

function body(operation, name) {
  if (!operation.requestBody) return [];
  const { content, required } = operation.requestBody;
  const [first] = Object.values(content);
  const types = first.schema.$ref
    ? contents(content, name)
    : joined(Object.keys(content).map(code), " or ");
  return [
    make("p", {}, required ? "Body, required: " : "Body, optional: ", ...types),
    members_of(first.schema, name) ?? "",
  ];
}

function answers(operation, name) {
  const row = ([status, answer]) => {
    const headers = Object.entries(answer.headers ?? {}).map(([key, { description }]) => `${key} (${description})`);
    return [[code(status)], [answer.description], contents(answer.content, name), [headers.join(", ")]];
  };
  return table("Answers", ["status", "when", "body", "headers"], Object.entries(operation.responses).map(row));
}

function callers(operation, api) {
  const who = (operation.security ?? []).flatMap((one) => Object.keys(one));
  if (who.length === 0) return make("p", {}, "Called by anybody.");
  const described = who.map((key) => `${key} (${api.components.securitySchemes[key].description})`);
  return make("p", {}, `Called with: ${described.join("; or ")}`);
}

/** Methods of a path that do the same stand together. */
function entries(path, item) {
  const same = new Map();
  for (const method of methods.filter((method) => item[method])) {
    const operation = item[method];
    const entry = same.get(operation.summary) ?? { path, operation, methods: [] };
    entry.methods.push(method);
    same.set(operation.summary, entry);
  }
  return [...same.values()];
}

function operation_entry({ path, operation, methods }, name, api) {
  const label = (method) =>
    make("code", { class: "method", "data-operation": `${name} ${method} ${path}` }, method.toUpperCase());
  return make("details", { class: "operation", id: `${name}/${operation.operationId}` },
    make("summary", {}, ...joined(methods.map(label), " "), " ", code(path), " ", operation.summary),
    operation.description ? make("p", {}, operation.description) : "",
    callers(operation, api),
    parameters(operation, name) ?? "",
    ...body(operation, name),
    answers(operation, name) ?? "");
}

function group(tag, all, name, api) {
  const own = all.filter(({ operation }) => operation.tags.includes(tag.name));
  return make("section", { class: "group" },
    make("h3", {}, tag.name), make("p", {}, tag.description ?? ""),
    ...own.map((entry) => operation_entry(entry, name, api)));
}

function section(name, url, api) {
  const all = Object.entries(api.paths).flatMap(([path, item]) => entries(path, item));
  return make("section", { id: name, "aria-labelledby": `${name}-title` },
    make("h2", { id: `${name}-title` }, api.info.title),
    make("p", {}, api.info.description, " ", make("a", { href: url }, url)),
    ...api.tags.map((tag) => group(tag, all, name, api)),
    make("h3", {}, "schemas"),
    ...Object.entries(api.components.schemas).map((entry) => schema_entry(entry, name)));
}

// === the page ===

const main = document.querySelector("#documents");
const filter = document.querySelector("#filter");

function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName === "DETAILS") target.open = true;
  target?.scrollIntoView();
}

function narrow() {
  const wanted = filter.value.trim().toLowerCase();
  let shown = 0;
  for (const entry of document.querySelectorAll(".operation")) {
    entry.hidden = !entry.querySelector("summary").textContent.toLowerCase().includes(wanted);
    shown += entry.hidden ? 0 : 1;
  }
  for (const one of document.querySelectorAll(".group")) {
    one.hidden = one.querySelector(".operation:not([hidden])") === null;
  }
  document.querySelector("#shown").textContent = `${shown} shown`;
}

try {
  for (const [name, url] of documents) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url}: status ${answer.status}`);
    const api = await answer.json();
    document.querySelector("#contents").append(make("li", {}, make("a", { href: `#${name}` }, api.info.title)));
    main.append(section(name, url, api));
  }
  filter.addEventListener("input", narrow);
  addEventListener("hashchange", reveal);
  narrow();
  reveal();
} catch (error) {
  main.append(make("p", { role: "alert" }, `The documents cannot be shown: ${error.message}`));
} finally {
  main.setAttribute("aria-busy", "false");
}
