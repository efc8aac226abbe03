import { CORE_SCHEMA, dump } from 'js-yaml';
import { anew, isPartOfMany, type Recall } from './recall.ts';

/**
 * An object, with anything in it, as js-yaml would print it: byte for byte, as a test compares, in a tenth of the time. Js-yaml tries every
 * text against every style. Here plain words and blocks of SQL are known by a look, and it is asked about the rest.
 */
export function printYaml(value: Readonly<Record<string, unknown>>, recall?: Recall): string {
  return yamlPortions(value, recall).join('');
}

const PORTION = 1 << 16;

/**
 * The same in portions, of which every one holds whole characters. Chunks are put together while they are young: half a million of them kept
 * until the end cost the collector as much as all else costs.
 */
export function yamlPortions(value: Readonly<Record<string, unknown>>, recall: Recall = anew): readonly string[] {
  const portions: string[] = [];
  let chunks: string[] = [];
  let length = 0;
  const write = (chunk: string): void => {
    chunks.push(chunk);
    length += chunk.length;
    if (length < PORTION) return;
    portions.push(chunks.join(''));
    chunks = [];
    length = 0;
  };
  mapping(value, { level: 0, first: '', write, recall });
  return [...portions, ...chunks, '\n'];
}

/** How js-yaml is asked: what it prints then is what this prints. */
export function dumpYaml(value: unknown): string {
  return dump(value, { schema: CORE_SCHEMA, lineWidth: -1, noRefs: true });
}

type Write = (chunk: string) => void;

/** `first` comes before the first line, and a line break with the level's margin before every other one. */
type Place = { readonly level: number; readonly first: string; readonly write: Write; readonly recall: Recall };

function mapping(value: object, { level, first, write, recall }: Place): void {
  let before = first;
  const entries = Object.entries(value);
  for (const [key, item] of entries) {
    write(`${before}${keyText(key) ?? ''}:`);
    before = lineAt(level);
    const place = { level: level + 1, first: lineAt(level + 1), write, recall };
    if (isPartOfMany(item, entries.length, recall)) write(printed(item, place));
    else below(item, place);
  }
}

/** The first line of an item stands behind its dash. */
function sequence(items: readonly unknown[], { level, first, write, recall }: Place): void {
  let before = first;
  for (const item of items) {
    write(`${before}-`);
    before = lineAt(level);
    const place = { level: level + 1, first: ' ', write, recall };
    if (isPartOfMany(item, items.length, recall)) write(printed(item, place));
    else below(item, place);
  }
}

function printed(value: object, place: Place): string {
  return place.recall({ about: value, kind: 'yaml', words: `${place.level}${place.first}` }, () => {
    const chunks: string[] = [];
    below(value, { ...place, write: (chunk) => void chunks.push(chunk) });
    return chunks.join('');
  });
}

/** What follows `key:` or `-`. */
function below(value: unknown, place: Place): void {
  if (typeof value !== 'object' || value === null) place.write(` ${scalar(value, place.level)}`);
  else if (Object.keys(value).length === 0) place.write(Array.isArray(value) ? ' []' : ' {}');
  else if (Array.isArray(value)) sequence(value, place);
  else if (Object.keys(value).every((key) => keyText(key) !== null)) mapping(value, place);
  else place.write(asked(value, place));
}

function scalar(value: unknown, level: number): string {
  if (value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)) return String(value);
  if (typeof value !== 'string') return oneLine(value);
  if (isBlock(value)) return `|-${lineAt(level)}${value.includes('\n\n') ? value.replace(/\n(?!\n)/g, lineAt(level)) : value.split('\n').join(lineAt(level))}`;
  if (isPlain(value)) return value;
  return value.includes('\n') ? asked(value, { level, first: '' }).slice(1) : oneLine(value);
}

/** Begins as no number and no other thing that is not a text, and holds nothing that begins a comment or another value. */
const PLAIN = /^[A-Za-z_(](?:[\x20-\x22\x24-\x39\x3B-\x7E\xA1-\u1FFF]|:(?=[\x21-\x7E]))*(?<! )$/;
/** A hash, unless it could be a number. */
const HEX = /^[0-9a-f]*[acdf][0-9a-f]*$/;
const WORD_OF_YAML = /^(?:null|true|false)$/i;

/** A text that stands as it is, without quotes. */
export function isPlain(text: string): boolean {
  return (PLAIN.test(text) || HEX.test(text)) && !WORD_OF_YAML.test(text);
}

/** What no block may hold. */
const ODD = /[^\n\x20-\x7E\xA1-\u1FFF]/;

/** Lines of which the first one is not indented and the last one not empty. */
function isBlock(text: string): boolean {
  const first = text.charCodeAt(0);
  return first > 0x20 && first < 0x7f && text.includes('\n') && !text.endsWith('\n') && !ODD.test(text);
}

const keys = new Map<string, string | null>();

/** Null for a key that needs more than its line. */
function keyText(key: string): string | null {
  const known = keys.get(key);
  if (known !== undefined) return known;
  const text = isPlain(key) ? key : dumpYaml({ [key]: 0 }).slice(0, -': 0\n'.length);
  const found = text.startsWith('?') || text.length > 500 ? null : text;
  keys.set(key, found);
  return found;
}

const lines = new Map<unknown, string>();

/** By js-yaml; the same few texts over and over. */
function oneLine(value: unknown): string {
  const known = lines.get(value);
  if (known !== undefined) return known;
  const text = dumpYaml({ a: value }).slice('a: '.length, -1);
  if (lines.size < 10_000) lines.set(value, text);
  return text;
}

/** By js-yaml, at the same depth, between two neighbours. */
function asked(value: unknown, { level, first }: Pick<Place, 'level' | 'first'>): string {
  const isItem = first === ' ';
  const depth = isItem ? level - 2 : level - 1;
  const siblings = isItem ? { list: [0, value, 1] } : { before: 0, value, after: 1 };
  let wrapped: Readonly<Record<string, unknown>> = siblings;
  for (let outer = 0; outer < depth; outer += 1) wrapped = { outer: wrapped };
  const text = dumpYaml(wrapped);
  const margin = lineAt(level - 1);
  const [before, after] = isItem ? [`- 0${margin}-`, `${margin}- 1`] : [`before: 0${margin}value:`, `${margin}after: 1`];
  return text.slice(text.indexOf(before) + before.length, text.lastIndexOf(after));
}

const margins: string[] = [];

function lineAt(level: number): string {
  margins[level] ??= `\n${'  '.repeat(level)}`;
  return margins[level] ?? '';
}
