import { createHash, type Hash } from 'node:crypto';

/** Order by UTF-16 code units: the same on every machine, whatever its locale. */
export function byCodeUnit(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Large enough that feeding the hash costs nothing. */
const PORTION = 1 << 16;

/** SHA-256 (hex) of a value as JSON with sorted keys and no spaces. Fed in portions: a plan as one text more would double its memory. */
export function contentHash(value: unknown): string {
  const feeding: Feeding = { hash: createHash('sha256'), portion: '' };
  feed(value, feeding);
  return feeding.hash.update(feeding.portion).digest('hex');
}

type Feeding = { readonly hash: Hash; portion: string };

function feed(value: unknown, feeding: Feeding): void {
  if (typeof value !== 'object' || value === null) {
    feeding.portion += JSON.stringify(value);
    if (feeding.portion.length < PORTION) return;
    feeding.hash.update(feeding.portion);
    feeding.portion = '';
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

/** Sorting costs more than all else, and most have their keys in order already. */
function sortedKeys(value: object): readonly string[] {
  const keys = Object.keys(value);
  for (let index = 1; index < keys.length; index += 1) if ((keys[index - 1] ?? '') > (keys[index] ?? '')) return keys.sort(byCodeUnit);
  return keys;
}

const texts = new Map<string, string>();

/** The same few keys over and over. */
function keyText(key: string): string {
  const text = texts.get(key) ?? `${JSON.stringify(key)}:`;
  if (texts.size < 1_000) texts.set(key, text);
  return text;
}
