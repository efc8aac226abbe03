import { createHash } from 'node:crypto';
import { anew, isPartOfMany, type Recall } from './recall.ts';

/** Order by UTF-16 code units: the same on every machine, whatever its locale. */
export function byCodeUnit(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Large enough that feeding the hash costs nothing. */
const PORTION = 1 << 16;

/** SHA-256 (hex) of a value as JSON with sorted keys and no spaces. Fed in portions: a plan as one text more would double its memory. */
export function contentHash(value: unknown, recall: Recall = anew): string {
  const hash = createHash('sha256');
  feedAll(value, recall, (portion) => void hash.update(portion));
  return hash.digest('hex');
}

type Feeding = { readonly take: (portion: string) => void; readonly recall: Recall; portion: string };

function feedAll(value: unknown, recall: Recall, take: Feeding['take']): void {
  const feeding: Feeding = { take, recall, portion: '' };
  feed(value, feeding);
  take(feeding.portion);
}

function feedPart(part: unknown, count: number, feeding: Feeding): void {
  const { recall } = feeding;
  if (!isPartOfMany(part, count, recall)) {
    feed(part, feeding);
    return;
  }
  feeding.portion += recall({ about: part, kind: 'json', words: '' }, () => {
    const portions: string[] = [];
    feedAll(part, recall, (portion) => void portions.push(portion));
    return portions.join('');
  });
  passOn(feeding);
}

function passOn(feeding: Feeding): void {
  if (feeding.portion.length < PORTION) return;
  feeding.take(feeding.portion);
  feeding.portion = '';
}

function feed(value: unknown, feeding: Feeding): void {
  if (typeof value !== 'object' || value === null) {
    feeding.portion += JSON.stringify(value);
    passOn(feeding);
  } else if (Array.isArray(value)) {
    feeding.portion += '[';
    for (let index = 0; index < value.length; index += 1) {
      if (index > 0) feeding.portion += ',';
      feedPart(value[index], value.length, feeding);
    }
    feeding.portion += ']';
  } else {
    feedEntries(value as Readonly<Record<string, unknown>>, feeding);
  }
}

function feedEntries(value: Readonly<Record<string, unknown>>, feeding: Feeding): void {
  let before = '{';
  const keys = sortedKeys(value);
  for (const key of keys) {
    feeding.portion += before + keyText(key);
    feedPart(value[key], keys.length, feeding);
    before = ',';
  }
  feeding.portion += before === '{' ? '{}' : '}';
}

/** By code units, as sorting does that is told nothing. Most have their keys in order already. */
function sortedKeys(value: object): readonly string[] {
  const keys = Object.keys(value);
  for (let index = 1; index < keys.length; index += 1) if ((keys[index - 1] ?? '') > (keys[index] ?? '')) return keys.sort();
  return keys;
}

const texts = new Map<string, string>();

/** The same few keys over and over. */
function keyText(key: string): string {
  const text = texts.get(key) ?? `${JSON.stringify(key)}:`;
  if (texts.size < 1_000) texts.set(key, text);
  return text;
}
