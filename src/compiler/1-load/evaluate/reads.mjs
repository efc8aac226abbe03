import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

const { Date: RealDate, Error: RealError, Intl: RealIntl, Math: RealMath, performance: realPerformance } = globalThis;
const realEnv = process.env;
const OWN = new URL('.', import.meta.url).href;

/** Replaces what differs from machine to machine while a config is evaluated, so that a read of it is seen, with its place in the user's files. */
export function watchReads() {
  const found = new Map();
  const undo = [];
  let exit = null;
  const note = (what) => {
    const place = callPlace();
    if (place) found.set(JSON.stringify([what, place]), { what, ...place });
  };
  const replace = (object, name, value) => {
    const before = Object.getOwnPropertyDescriptor(object, name);
    if (!before?.configurable && !before?.writable) return;
    Object.defineProperty(object, name, before.configurable ? { value, writable: true, configurable: true, enumerable: before.enumerable } : { value });
    undo.push(() => Object.defineProperty(object, name, before));
  };
  const noted = (object, name, what) => {
    const real = object[name];
    if (typeof real !== 'function') return;
    replace(object, name, (...args) => {
      note(what);
      return Reflect.apply(real, object, args);
    });
  };
  const begin = ({ zone, locale }) => {
    realEnv.TZ = zone;
    replace(globalThis, 'Date', notedDate(note));
    noted(RealMath, 'random', 'Math.random');
    noted(realPerformance, 'now', 'performance.now');
    noted(process, 'hrtime', 'process.hrtime');
    noted(process, 'uptime', 'process.uptime');
    for (const name of ['randomUUID', 'getRandomValues']) noted(globalThis.crypto, name, `crypto.${name}`);
    for (const name of ['randomUUID', 'randomBytes', 'randomInt', 'getRandomValues']) noted(crypto, name, `crypto.${name}`);
    for (const name of ['hostname', 'userInfo', 'homedir']) noted(os, name, `os.${name}`);
    replace(process, 'env', notedEnv(note));
    replace(process, 'exit', (code) => {
      exit = { code: code ?? 0, ...callPlace() };
      throw new RealError(`the config calls process.exit(${code ?? ''})`);
    });
    useLocale(replace, locale);
    syncBuiltinESMExports();
  };
  const end = () => {
    for (const each of undo.splice(0).reverse()) each();
    syncBuiltinESMExports();
  };
  return { begin, end, found: () => [...found.values()], exit: () => exit };
}

/** The nearest frame outside of this program, where it is in a file of the user's: what packages read is theirs, and what Node reads to load a module is Node's. */
function callPlace() {
  const limit = RealError.stackTraceLimit;
  RealError.stackTraceLimit = 30;
  const frames = (new RealError().stack ?? '').split('\n').slice(1);
  RealError.stackTraceLimit = limit;
  for (const frame of frames) {
    if (frame.includes('(node:internal/modules/')) return null;
    const match = /(?:\(|at (?:async )?)((?:file:\/\/)?\/[^()]*|[A-Za-z]:[^()]*):(\d+):(\d+)\)?$/.exec(frame.trim());
    const file = match && (match[1].startsWith('file:') ? match[1] : `file://${match[1]}`);
    if (!file || file.startsWith(OWN)) continue;
    return /[\\/]node_modules[\\/]/.test(file) ? null : { file: decodeURI(file.slice('file://'.length)), line: Number(match[2]), column: Number(match[3]) };
  }
  return null;
}

function notedDate(note) {
  return new Proxy(RealDate, {
    construct: (target, args, newTarget) => {
      if (args.length === 0) note('new Date()');
      return Reflect.construct(target, args, newTarget);
    },
    apply: (target, self, args) => {
      note('Date()');
      return Reflect.apply(target, self, args);
    },
    get: (target, name, receiver) => {
      if (name === 'now') note('Date.now');
      return Reflect.get(target, name, receiver);
    },
  });
}

/** The config sees no environment at all: a secret cannot get into what is generated. */
function notedEnv(note) {
  const seen = (name) => note(typeof name === 'string' ? `process.env.${name}` : 'process.env');
  return new Proxy(
    {},
    {
      get: (target, name) => {
        seen(name);
        return Reflect.get(target, name);
      },
      has: (target, name) => {
        seen(name);
        return Reflect.has(target, name);
      },
      ownKeys: (target) => {
        note('process.env');
        return Reflect.ownKeys(target);
      },
    },
  );
}

/** Lets what asks for the locale of the machine get this one. */
function useLocale(replace, locale) {
  const methods = [
    [String.prototype, 'localeCompare', 1],
    [String.prototype, 'toLocaleUpperCase', 0],
    [String.prototype, 'toLocaleLowerCase', 0],
    [Number.prototype, 'toLocaleString', 0],
    [BigInt.prototype, 'toLocaleString', 0],
    [RealDate.prototype, 'toLocaleString', 0],
    [RealDate.prototype, 'toLocaleDateString', 0],
    [RealDate.prototype, 'toLocaleTimeString', 0],
  ];
  for (const [object, name, place] of methods) {
    const real = object[name];
    replace(object, name, function localized(...args) {
      while (args.length < place) args.push(undefined);
      args[place] ??= locale;
      return Reflect.apply(real, this, args);
    });
  }
  for (const name of ['Collator', 'NumberFormat', 'DateTimeFormat', 'ListFormat', 'PluralRules', 'RelativeTimeFormat', 'Segmenter']) {
    const localized = ([first, ...rest]) => [first ?? locale, ...rest];
    replace(
      RealIntl,
      name,
      new Proxy(RealIntl[name], {
        construct: (target, args, newTarget) => Reflect.construct(target, localized(args), newTarget),
        apply: (target, self, args) => Reflect.apply(target, self, localized(args)),
      }),
    );
  }
}
