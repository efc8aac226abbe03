// The process that evaluates configs. Plain JavaScript, since it runs where nothing has been compiled. It gets the path of a config, evaluates
// it twice in different surroundings, and sends back what came out as data. See evaluator.ts for the other side.
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createJiti } from 'jiti';
import { encode } from './encode.mjs';
import { watchReads } from './reads.mjs';

/** Where `sarrio` itself lies. */
const OWN = fileURLToPath(new URL('../../../', import.meta.url));

/** Sorting by a locale differs between these two for plain ASCII: z comes before t in Estonian. */
const SURROUNDINGS = [
  { zone: 'UTC', locale: 'en' },
  { zone: 'Pacific/Kiritimati', locale: 'et' },
];

// While nobody has asked yet: what translates a config is loaded by the first text that it gets.
createJiti(import.meta.url, { fsCache: false }).transform({ source: '', filename: 'nothing.ts', ts: true });

let isEvaluating = false;

process.on('message', (request) => void evaluate(request));

// Nothing is left that could happen, and the config still waits.
process.on('beforeExit', () => {
  if (isEvaluating) process.send({ kind: 'unsettled' });
});

async function evaluate({ path, index }) {
  const jiti = createJiti(import.meta.url, { ...(await ourselves(index)), fsCache: false, moduleCache: true, interopDefault: false });
  const reads = watchReads();
  isEvaluating = true;
  process.channel.unref();
  try {
    const first = await evaluateOnce(jiti, path, reads, SURROUNDINGS[0]);
    const second = await evaluateOnce(jiti, path, reads, SURROUNDINGS[1]);
    process.send({ kind: 'value', first: first.value, second: second.value, files: first.files, reads: reads.found() });
  } catch (error) {
    const isError = typeof error === 'object' && error !== null && 'message' in error;
    const message = String(isError ? error.message : error);
    process.send({ kind: 'error', message, stack: String((isError && error.stack) || ''), exit: reads.exit(), reads: reads.found() });
  } finally {
    reads.end();
    isEvaluating = false;
    process.channel.ref();
  }
}

/** What a config imports as `sarrio`. Built it needs nobody to translate it. */
async function ourselves(index) {
  return index.endsWith('.ts') ? { alias: { sarrio: index } } : { virtualModules: { sarrio: await import(pathToFileURL(index).href) } };
}

async function evaluateOnce(jiti, path, reads, surroundings) {
  forget(jiti);
  reads.begin(surroundings);
  const value = encode(await configOf(await jiti.import(path)));
  reads.end();
  return { value, files: Object.keys(jiti.cache).filter(isOfUser) };
}

/** The default export of a module; of a CommonJS one that is what it exports. */
function configOf(exported) {
  if (typeof exported !== 'object' || exported === null) return exported;
  if ('default' in exported) return exported.default;
  return exported.__esModule || Object.keys(exported).length === 0 ? undefined : exported;
}

/** Modules of the user's are evaluated anew each time; packages once, as they would be by anybody. */
function forget(jiti) {
  for (const file of Object.keys(jiti.cache)) if (isOfUser(file)) delete jiti.cache[file];
}

function isOfUser(file) {
  return !/[\\/]node_modules[\\/]/.test(file) && !file.startsWith(OWN);
}
