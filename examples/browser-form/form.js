// Shows each violation beside its field while one types. The component checks; nothing is sent.
import { authorizer, validator } from "./generated/portcullis-policy.js";

const form = document.querySelector("#signup");
const bundle = await (await fetch("generated/policy.bundle")).arrayBuffer();
const policy = authorizer.Policy.open(new Uint8Array(bundle));
const options = { language: navigator.language, normalized: false };
// Nobody wants to be told of fields before they come to them.
const touched = new Set();

form.addEventListener("input", (event) => {
  touched.add(event.target.name);
  show(check());
});
form.addEventListener("submit", (event) => event.preventDefault());
form.dataset.ready = "true";

function check() {
  const body = new TextEncoder().encode(new URLSearchParams(new FormData(form)));
  return validator.validate(policy, "signup", body, options);
}

function show(report) {
  for (const output of form.querySelectorAll("output")) {
    const field = output.dataset.for;
    const own = report.violations.filter((violation) => fieldOf(violation) === field);
    output.textContent = touched.has(field) ? own.map(({ message }) => message).join(" ") : "";
  }
  form.querySelector("button").disabled = report.verdict !== "valid";
}

// What is missing is said of the whole form.
function fieldOf({ pointer, params }) {
  const property = params.find(({ name }) => name === "property");
  return property ? JSON.parse(property.value) : pointer.split("/")[1];
}
