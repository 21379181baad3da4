// Makes an ES module of a component: node transpile.js COMPONENT FOLDER. The entry is FOLDER/NAME.js.
import { transpile, writeFiles } from "@bytecodealliance/jco-transpile";

const [component, outDir] = process.argv.slice(2);
const { files } = await transpile(component, { outDir });
await writeFiles(files);
