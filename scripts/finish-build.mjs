import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';

// What tsc leaves behind: JSON files and plain JavaScript beside the sources, the checks of JSON Schemas, and the bit that makes the program executable.
const root = fileURLToPath(new URL('..', import.meta.url));
const files = await readdir(join(root, 'src'), { recursive: true });

for (const file of files.filter((name) => /\.(json|mjs|d\.mts)$/.test(name))) {
  await mkdir(dirname(join(root, 'dist', file)), { recursive: true });
  await copyFile(join(root, 'src', file), join(root, 'dist', file));
}
for (const file of files.filter((name) => name.endsWith('.schema.json'))) await writeCheck(file);
// The schema of configs, for editors of YAML.
const { publishedSchema } = await import(new URL('../dist/compiler/1-load/yaml/published-schema.js', import.meta.url));
await writeFile(join(root, 'dist', 'config.schema.json'), `${JSON.stringify(publishedSchema(), null, 2)}\n`);
await chmod(join(root, 'dist', 'cli.js'), 0o755);
await mkdir(join(root, 'tmp'), { recursive: true });
// Tests, bench and soak build only what is older than this.
await writeFile(join(root, 'tmp', 'built'), '');

/** As JavaScript: compiling a schema took a third of the time in which a runner starts. The options are those of `src/plan/json-schema.ts`. */
async function writeCheck(file) {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, code: { source: true } });
  const check = ajv.compile(JSON.parse(await readFile(join(root, 'src', file), 'utf8')));
  await writeFile(join(root, 'dist', file.replace(/json$/, 'cjs')), standaloneCode.default(ajv, check));
}
