import { type Identifier, Node } from 'ts-morph';
import { PURE_GLOBALS } from '../../../conflict/handlers/pure-globals.ts';
import type { HandlerFault } from './fault.ts';

const CLOCK = 'SAR284';
const OUTSIDE = 'SAR285';
const LATER = 'SAR286';
const REFLECTION = 'SAR287';

type Reason = { readonly code: HandlerFault['code']; readonly what: string; readonly hint: string };

const CLOCK_HINT = "A handler must give the same answer whenever it is asked. The conflict's own times are in `versions[…].time`.";
const OUTSIDE_HINT = 'A handler decides by the conflict alone: it has no way to the outside.';
const LATER_HINT = 'A handler answers at once.';
const REFLECTION_HINT = 'What a handler does must be readable in its text.';

/** What each of the globals that a handler may not use would let it do. */
const REASONS: ReadonlyMap<string, Reason> = new Map([
  ...named(['Date', 'performance', 'Temporal'], { code: CLOCK, what: 'reads the clock', hint: CLOCK_HINT }),
  ...named(['crypto'], { code: CLOCK, what: 'is random', hint: CLOCK_HINT }),
  ...named(['Intl', 'navigator'], { code: CLOCK, what: 'depends on the machine that it runs on', hint: CLOCK_HINT }),
  ...named(['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'Request', 'Response', 'URL'], {
    code: OUTSIDE,
    what: 'reaches the network',
    hint: OUTSIDE_HINT,
  }),
  ...named(['process', 'console', 'globalThis', 'global', 'window', 'self', 'Deno', 'Bun', 'Buffer'], {
    code: OUTSIDE,
    what: 'reaches the process that it runs in',
    hint: OUTSIDE_HINT,
  }),
  ...named(['require', 'module', 'exports', '__dirname', '__filename'], { code: OUTSIDE, what: 'reaches files and packages', hint: OUTSIDE_HINT }),
  ...named(['Promise', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'AbortController', 'AbortSignal', 'Atomics', 'Worker'], {
    code: LATER,
    what: 'is for what happens later',
    hint: LATER_HINT,
  }),
  ...named(['eval', 'Function', 'WebAssembly'], { code: REFLECTION, what: 'makes code of data', hint: REFLECTION_HINT }),
  ...named(['Reflect', 'Proxy', 'Symbol', 'WeakRef', 'FinalizationRegistry'], { code: REFLECTION, what: 'goes round what is written', hint: REFLECTION_HINT }),
]);

function named(names: readonly string[], reason: Reason): readonly (readonly [string, Reason])[] {
  return names.map((name) => [name, reason]);
}

/** What is wrong with a name that is declared nowhere, if anything. */
export function globalFault(node: Identifier): HandlerFault | null {
  const name = node.getText();
  if (name === 'Math') return mathFault(node);
  if (PURE_GLOBALS.includes(name)) return null;
  const reason = REASONS.get(name);
  if (reason) return { code: reason.code, message: `a handler may not use ${name}, which ${reason.what}`, hint: reason.hint, node };
  const hint = `Of the globals there are ${PURE_GLOBALS.filter((each) => /^[A-Z]/.test(each)).join(', ')}, and the functions that read and write numbers and URIs.`;
  return { code: 'SAR289', message: `a handler may not use ${name}, which is declared neither in it nor beside it`, hint, node };
}

/** Only as `Math.floor`: whatever holds `Math` holds `Math.random`. */
function mathFault(node: Identifier): HandlerFault | null {
  const parent = node.getParent();
  if (!Node.isPropertyAccessExpression(parent)) {
    return { code: CLOCK, message: 'a handler may use Math only with a name behind it, as in Math.floor', hint: CLOCK_HINT, node };
  }
  const name = parent.getNameNode();
  return name.getText() === 'random' ? { code: CLOCK, message: 'a handler may not use Math.random', hint: CLOCK_HINT, node: name } : null;
}

const LOCALE = /^(localeCompare|toLocale\w+)$/;
const META = /^(constructor|__proto__|__defineGetter__|__defineSetter__)$/;

/** Properties that lead out of what is written, or to the machine's language. */
export function propertyFault(node: Node, name: string): HandlerFault | null {
  if (LOCALE.test(name)) return { code: CLOCK, message: `a handler may not use ${name}, which depends on the machine that it runs on`, hint: CLOCK_HINT, node };
  if (META.test(name)) return { code: REFLECTION, message: `a handler may not use ${name}, which goes round what is written`, hint: REFLECTION_HINT, node };
  return null;
}
