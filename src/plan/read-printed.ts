import { CORE_SCHEMA, load } from 'js-yaml';
import { isPlain } from './print-yaml.ts';

/**
 * What `printYaml` printed, read back in a tenth of the time that js-yaml takes: it knows the few forms that are printed and nothing else.
 * Null for a text that has anything else in it, however slight: then js-yaml has to say what it means.
 */
export function readPrinted(text: string): Readonly<Record<string, unknown>> | null {
  const reader: Reader = { text, at: afterComments(text) };
  try {
    const found = mapping(reader, 0);
    return reader.at === text.length ? found : null;
  } catch (error) {
    if (error instanceof Strange) return null;
    throw error;
  }
}

/** `at` is where the next line begins, or the rest of one that was begun. */
type Reader = { readonly text: string; at: number };

class Strange extends Error {}

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const DASH = 0x2d;

function afterComments(text: string): number {
  let at = 0;
  while (text.startsWith('#', at)) at = endOfLine(text, at) + 1;
  return at;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  if (end < 0) throw new Strange();
  return end;
}

/** Entries whose lines have this margin. With `isBegun` the first one stands behind a dash. */
function mapping(reader: Reader, margin: number, isBegun = false): Record<string, unknown> {
  const { text } = reader;
  const found: Record<string, unknown> = {};
  for (let first = isBegun; first || hasMargin(text, reader.at, margin); first = false) {
    const at = first ? reader.at : reader.at + margin;
    const end = endOfLine(text, at);
    const colon = colonIn(text, at, end);
    const key = keyOf(text.slice(at, colon));
    if (Object.hasOwn(found, key)) throw new Strange();
    reader.at = end + 1;
    found[key] = colon + 1 === end ? below(reader, margin + 2) : inline(reader, text.slice(colon + 2, end), margin + 2);
  }
  return found;
}

function sequence(reader: Reader, margin: number, isBegun = false): unknown[] {
  const { text } = reader;
  const found: unknown[] = [];
  for (let first = isBegun; first || isItem(text, reader.at, margin); first = false) {
    const at = (first ? reader.at : reader.at + margin) + 2;
    const end = endOfLine(text, at);
    if (text.charCodeAt(at) === DASH && text.charCodeAt(at + 1) === SPACE) found.push(within(reader, at, () => sequence(reader, margin + 2, true)));
    else if (isEntry(text, at, end)) found.push(within(reader, at, () => mapping(reader, margin + 2, true)));
    else {
      reader.at = end + 1;
      found.push(inline(reader, text.slice(at, end), margin + 2));
    }
  }
  return found;
}

function within<Value>(reader: Reader, at: number, read: () => Value): Value {
  reader.at = at;
  return read();
}

/** A value on the lines below its key. */
function below(reader: Reader, margin: number): unknown {
  if (!hasMargin(reader.text, reader.at, margin)) throw new Strange();
  return reader.text.charCodeAt(reader.at + margin) === DASH ? sequence(reader, margin) : mapping(reader, margin);
}

/** A value that begins on the line of its key or dash; `margin` is that of the lines below, if any belong to it. */
function inline(reader: Reader, written: string, margin: number): unknown {
  return written === '|-' ? block(reader, margin) : scalar(written);
}

const MOST_KNOWN = 10_000;

const QUOTED = /^'(?:[^']|'')*'$/;
/** On one line and by itself; whatever it is, js-yaml says what it means. */
const CLOSED = /^(?:'.*'|".*"|-?\d[\d.e+-]*|null|true|false|\[\]|\{\})$/;

function scalar(written: string): unknown {
  if (isPlain(written)) return written;
  if (QUOTED.test(written)) return written.slice(1, -1).replaceAll("''", "'");
  if (!CLOSED.test(written)) throw new Strange();
  const value = asked(written);
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) throw new Strange();
  return value;
}

/** What js-yaml was asked: the same few texts over and over. */
const answers = new Map<string, { readonly value: unknown }>();

/** By js-yaml, which refuses what is no YAML. */
function asked(written: string): unknown {
  const known = answers.get(written);
  if (known !== undefined) return known.value;
  try {
    const value = load(written, { schema: CORE_SCHEMA });
    if (answers.size < MOST_KNOWN) answers.set(written, { value });
    return value;
  } catch {
    throw new Strange();
  }
}

const keys = new Map<string, string>();

function keyOf(written: string): string {
  const known = keys.get(written);
  if (known !== undefined) return known;
  const key = isPlain(written) ? written : scalar(written);
  if (typeof key !== 'string' || key === '__proto__') throw new Strange();
  if (keys.size < MOST_KNOWN) keys.set(written, key);
  return key;
}

/** Where the key of an entry ends. */
function colonIn(text: string, at: number, end: number): number {
  for (let colon = text.indexOf(':', at); colon >= 0 && colon < end; colon = text.indexOf(':', colon + 1)) {
    if (colon + 1 === end || text.charCodeAt(colon + 1) === SPACE) return colon;
  }
  throw new Strange();
}

/** Whether an item is an entry of a mapping: a plain text holds no colon before a space, and a quoted one is closed. */
function isEntry(text: string, at: number, end: number): boolean {
  const colon = text.indexOf(':', at);
  if (colon < 0 || colon >= end) return false;
  const written = text.slice(at, end);
  return !/^(?:'(?:[^']|'')*'|"(?:[^"\\]|\\.)*")$/.test(written) && /:(?: |$)/.test(written);
}

/** Whether the line that begins here has this margin, and no wider one. */
function hasMargin(text: string, at: number, margin: number): boolean {
  const spaces = spacesAt(text, at, margin + 1);
  if (spaces > margin) throw new Strange();
  return spaces === margin && at < text.length && text.charCodeAt(at + spaces) !== LINE_FEED;
}

/** How many there are, counted no further than `most`. */
function spacesAt(text: string, at: number, most: number): number {
  let spaces = 0;
  while (spaces < most && text.charCodeAt(at + spaces) === SPACE) spaces += 1;
  return spaces;
}

function isItem(text: string, at: number, margin: number): boolean {
  if (!hasMargin(text, at, margin)) return false;
  return text.charCodeAt(at + margin) === DASH && text.charCodeAt(at + margin + 1) === SPACE;
}

/** Lines with this margin, the first of them not wider and the last one not empty. */
function block(reader: Reader, margin: number): string {
  const { text, at } = reader;
  let end = at;
  while (end < text.length && (text.charCodeAt(end) === LINE_FEED || spacesAt(text, end, margin) === margin)) end = endOfLine(text, end) + 1;
  reader.at = end;
  const first = text.charCodeAt(at + margin);
  if (end === at || first === SPACE || first === LINE_FEED || text.charCodeAt(end - 2) === LINE_FEED) throw new Strange();
  // Taken apart and put together it is one piece; `replaceAll` leaves as many as there are lines, for the collector to move.
  return text
    .slice(at + margin, end - 1)
    .split(lineStart(margin))
    .join('\n');
}

const starts: string[] = [];

function lineStart(margin: number): string {
  starts[margin] ??= `\n${' '.repeat(margin)}`;
  return starts[margin] ?? '';
}
