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
  let portion = '';
  feed(value, (text) => {
    portion += text;
    if (portion.length < PORTION) return;
    hash.update(portion);
    portion = '';
  });
  return hash.update(portion).digest('hex');
}

function feed(value: unknown, write: (text: string) => void): void {
  if (Array.isArray(value)) {
    write('[');
    value.forEach((item, index) => {
      if (index > 0) write(',');
      feed(item, write);
    });
    write(']');
  } else if (typeof value === 'object' && value !== null) {
    write('{');
    const entries = Object.entries(value).sort(([left], [right]) => byCodeUnit(left, right));
    entries.forEach(([key, item], index) => {
      write(`${index > 0 ? ',' : ''}${JSON.stringify(key)}:`);
      feed(item, write);
    });
    write('}');
  } else {
    write(JSON.stringify(value));
  }
}
