import { createHash } from 'node:crypto';

/** Order by UTF-16 code units: the same on every machine, whatever its locale. */
export function byCodeUnit(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Large enough that feeding the hash costs nothing. */
const PORTION = 1 << 16;

/** SHA-256 (hex) of a value as JSON with sorted keys and no spaces. Fed in portions: a plan as one text more would double its memory. */
export function contentHash(value: unknown): string {
  const hash = createHash('sha256');
  const feeding: Feeding = { take: (portion) => void hash.update(portion), portion: '' };
  feed(value, feeding);
  feeding.take(feeding.portion);
  return hash.digest('hex');
}

type Feeding = { readonly take: (portion: string) => void; portion: string };

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
      feed(value[index], feeding);
    }
    feeding.portion += ']';
  } else {
    feedEntries(value as Readonly<Record<string, unknown>>, feeding);
  }
}

function feedEntries(value: Readonly<Record<string, unknown>>, feeding: Feeding): void {
  let before = '{';
  for (const key of sortedKeys(value)) {
    feeding.portion += before + keyText(key);
    feed(value[key], feeding);
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
