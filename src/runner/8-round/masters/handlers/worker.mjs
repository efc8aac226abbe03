// The thread that runs handlers. Each file stands in a world of its own (a V8 context) that holds the language and nothing else: no
// process, no require, no timers, no network, no clock, no randomness, no code made of texts. The compiler has refused all of that before;
// this is the second lock. Only texts go into such a world and come out of it. Plain JavaScript, so that Node 20 runs it without a build.
import vm from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';

const { files, realm, allowed, progress } = workerData;
const worlds = new Map();

// A handler that returns a promise is told that this is no answer; what the promise comes to later must not end the thread under the next question.
process.on('unhandledRejection', () => undefined);

parentPort.on('message', ({ file, texts }) => {
  try {
    const decide = worldOf(file);
    const answers = texts.map((text, index) => {
      Atomics.store(progress, 0, index);
      return decide(text);
    });
    parentPort.postMessage({ kind: 'answers', answers });
  } catch (error) {
    parentPort.postMessage({ kind: 'broken', message: String(error) });
  }
});

function worldOf(path) {
  const known = worlds.get(path);
  if (known !== undefined) return known;
  const file = files.find((each) => each.path === path);
  const made = openWorld(file);
  worlds.set(path, made);
  return made;
}

function openWorld({ path, text, name }) {
  const context = vm.createContext(vm.constants.DONT_CONTEXTIFY, { codeGeneration: { strings: false, wasm: false } });
  const run = (source, filename) => new vm.Script(source, { filename }).runInContext(context);
  run(`(${close})(${JSON.stringify(allowed)})`, 'close');
  const decider = run(`(() => { 'use strict'; ${realm}\n return ${decideWith}; })()`, 'realm');
  // The file's only module syntax is its last line. What stands before it keeps its line numbers, and its names within a function: the
  // world's own object takes no more.
  const handler = run(`(() => { 'use strict'; ${text.replace(/export \{ .+ \};\n$/, `return ${name};\n})()`)}`, path);
  return decider(handler);
}

/** Runs inside: takes away what a handler may not use, and makes the rest unchangeable, so that no call leaves anything for the next one. */
function close(allowed) {
  const world = globalThis;
  const iterators = [[][Symbol.iterator](), ''[Symbol.iterator](), new Map().entries(), new Set().values(), ''.matchAll(/./g)];
  for (const name of Object.getOwnPropertyNames(world)) if (!allowed.includes(name)) delete world[name];
  delete Math.random;
  const seen = new Set([world]);
  const freeze = (value) => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return;
    seen.add(value);
    freeze(Object.getPrototypeOf(value));
    for (const each of Object.values(Object.getOwnPropertyDescriptors(value))) [each.value, each.get, each.set].forEach(freeze);
    Object.freeze(value);
  };
  const globals = Object.getOwnPropertyNames(world).map((name) => world[name]);
  const functions = [
    () => 0,
    function* () {
      yield 0;
    },
    async () => 0,
    async function* () {
      yield 0;
    },
  ];
  [...globals, ...iterators, ...functions].forEach(freeze);
  for (const name of Object.getOwnPropertyNames(world)) Object.defineProperty(world, name, { writable: false, configurable: false });
  Object.preventExtensions(world);
}

/** Runs inside: what is called for each conflict. */
function decideWith(handler) {
  return (text) => {
    try {
      // These two stand around this function where it runs.
      return JSON.stringify(answerOf(handler(conflictOf(JSON.parse(text)))));
    } catch (error) {
      const isError = error instanceof Error;
      const shown = isError ? `${error.name}: ${error.message}` : `something that is no Error (${typeof error})`;
      return JSON.stringify({ kind: 'threw', message: shown.slice(0, 2000), stack: isError ? String(error.stack).slice(0, 10_000) : '' });
    }
  };
}
