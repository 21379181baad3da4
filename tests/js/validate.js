// Reports on documents, by the transpiled component: node validate.js MODULE < cases. A case is a line of JSON
// {"bundle", "document" (both hexadecimal), "language"}; so is a report, as Rust writes it.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { authorizer, validator } = await import(pathToFileURL(process.argv[2]));

for await (const line of createInterface({ input: process.stdin })) {
  const { bundle, document, language } = JSON.parse(line);
  const policy = authorizer.Policy.open(Buffer.from(bundle, "hex"));
  const options = { language, normalized: true };
  console.log(JSON.stringify(reportJson(validator.validate(policy, "s", Buffer.from(document, "hex"), options))));
}

function reportJson({ verdict, violations, hasMore, normalized }) {
  return {
    report: {
      verdict: verdict.replace("-", "_"),
      violations: violations.map((violation) => ({ ...violation, params: paramsJson(violation.params) })),
      has_more: hasMore,
    },
    normalized: normalized ?? null,
  };
}

// Values stay texts: a number of JSON may be larger than one of JavaScript.
function paramsJson(params) {
  return params.map(({ name, value }) => [name, value]);
}
