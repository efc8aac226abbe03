import { spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { builtinModules, createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { rolldown } from 'rolldown';

// Makes `dist`: the program in few files, since hundreds of small modules took most of the time in which a command starts; what configs
// import, with its types; and what is read or started as a file of its own. Everything is made aside and put in place at once.
const root = fileURLToPath(new URL('..', import.meta.url));
const src = join(root, 'src');
const tmp = join(root, 'tmp');
const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

const APART = [...Object.keys(dependencies), 'pg-native', 'pg-cloudflare'];
/** To learn that it is not in a worker of Cloudflare, the driver would make a Response, and Node load all of its HTTP for that. */
const SPARED = { Response: 'undefined' };

/** A module that looks for a file beside itself finds it where it would without bundling: all bundles lie at the top. */
const places = {
  name: 'places',
  transform(code, id) {
    if (!id.startsWith(src) || !code.includes('import.meta.url')) return null;
    const place = relative(src, id).split(sep).join('/').replace(/\.ts$/, '.js');
    return { code: code.replaceAll('import.meta.url', `new URL('./${place}', import.meta.url).href`), map: null };
  },
};

await mkdir(tmp, { recursive: true });
const dist = await mkdtemp(join(tmp, 'dist-'));
try {
  await Promise.all([types(), program(), library(), files(), configSchema(), configCheck()]);
  await chmod(join(dist, 'cli.js'), 0o755);
  await chmod(dist, 0o755);
  await replace(join(root, 'dist'), dist);
  // Tests, bench and soak build only what is older than this.
  await writeFile(join(tmp, 'built'), '');
} finally {
  await rm(dist, { recursive: true, force: true });
}

/** Each verb is loaded alone when it is called. */
function program() {
  return bundle({ cli: join(src, 'cli.ts') });
}

/** What configs and their tests import. Nothing of it is shared with the program: the process that evaluates a config loads this and no more. */
function library() {
  return bundle({ index: join(src, 'index.ts'), testing: join(src, 'testing.ts') });
}

async function bundle(input) {
  const build = await rolldown({ input, platform: 'node', external: isLeftAlone, plugins: [places], transform: { define: SPARED } });
  const { output } = await build.write({
    dir: dist,
    format: 'es',
    sourcemap: true,
    comments: false,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  });
  await build.close();
  await writeLicenses(output.flatMap(({ moduleIds = [] }) => moduleIds));
}

/** Node's own modules, and packages that are installed beside: those that only some commands need. */
function isLeftAlone(id) {
  return builtinModules.includes(id.replace(/^node:/, '')) || APART.some((name) => id === name || id.startsWith(`${name}/`));
}

/** What the authors of packages ask for whose code is in the bundles. */
async function writeLicenses(modules) {
  const folders = new Set(modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []));
  const texts = await Promise.all(
    [...folders].sort().map(async (folder) => {
      const { name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
      const file = (await readdir(folder)).find((each) => /^licen[cs]e/i.test(each));
      return `${name} ${version}\n\n${file ? await readFile(join(folder, file), 'utf8') : ''}`;
    }),
  );
  if (texts.length > 0) await writeFile(join(dist, 'LICENSES.txt'), texts.join(`\n${'-'.repeat(80)}\n\n`));
}

/** Types of what is exported; whether they are right is for `npm run check` to say. */
function types() {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  return run(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', dist]);
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
    child.on('error', reject).on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${args.join(' ')} ended with ${code}`))));
  });
}

/** JSON files and plain JavaScript beside the sources, which are read or started as files, and the checks of JSON Schemas. */
async function files() {
  for (const file of (await readdir(src, { recursive: true })).filter((name) => /\.(json|mjs|d\.mts)$/.test(name))) {
    await mkdir(dirname(join(dist, file)), { recursive: true });
    await copyFile(join(src, file), join(dist, file));
    if (file.endsWith('.schema.json')) await writeCheck(file);
  }
}

/** As JavaScript: compiling a schema took a third of the time in which a runner starts. The options are those of `src/plan/json-schema.ts`. */
async function writeCheck(file) {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, unicode: false, logger: false, code: { source: true } });
  const check = ajv.compile(JSON.parse(await readFile(join(src, file), 'utf8')));
  await writeFile(join(dist, file.replace(/json$/, 'cjs')), standaloneCode.default(ajv, check));
}

/** The schema of configs, for editors of YAML. */
async function configSchema() {
  const { publishedSchema } = await imported('compiler/1-load/yaml/published-schema.ts');
  await writeFile(join(dist, 'config.schema.json'), `${JSON.stringify(publishedSchema(), null, 2)}\n`);
}

/** The check of configs, as JavaScript. */
async function configCheck() {
  const [{ configAjv }, { configSchema: schema }] = await Promise.all(['config-ajv.ts', 'config-schema.ts'].map((file) => imported(`compiler/1-load/${file}`)));
  const ajv = configAjv({ source: true });
  const folder = join(dist, 'compiler/1-load');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config-check.cjs'), standaloneCode.default(ajv, ajv.compile(schema)));
}

/** A module of the sources, to be used here. */
async function imported(file) {
  const folder = await mkdtemp(join(tmp, 'module-'));
  try {
    const build = await rolldown({ input: join(src, file), platform: 'node', external: isLeftAlone });
    await build.write({ file: join(folder, 'module.mjs'), format: 'es' });
    await build.close();
    return await import(pathToFileURL(join(folder, 'module.mjs')).href);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The moment in which there is no folder is as short as it can be: programs that run find their files in the next one. */
async function replace(place, made) {
  const old = await mkdtemp(join(tmp, 'old-'));
  await rename(place, join(old, 'dist')).catch(() => undefined);
  await rename(made, place);
  await rm(old, { recursive: true, force: true });
}
