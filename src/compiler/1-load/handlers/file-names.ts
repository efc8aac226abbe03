import { createHash } from 'node:crypto';

/**
 * Where a handler's file stands under `generated/`: `handlers/shop.mjs` for a sync's, `handlers/shop.public.orders.mjs` for a table's,
 * which is the name or pattern that the config gives it; those of `onException` end in `.exception.mjs`, those of
 * `onUnique` in `.unique.mjs`. What some file system would not take or take for another name is replaced and hashed.
 */
export function handlerPath(place: { hook?: string; sync: string; table: string | null; index: number }, taken: ReadonlySet<string>): string {
  const { hook, sync, table, index } = place;
  const plain = `${table === null ? sync : `${sync}.${table}`}${SUFFIX[hook ?? ''] ?? ''}`;
  if (/^[a-z][a-z0-9_.-]{0,99}$/.test(plain) && !taken.has(pathOf(plain))) return pathOf(plain);
  const more = SUFFIX[hook ?? ''] === undefined ? [] : [hook];
  const readable = plain.toLowerCase().replaceAll(/[^a-z0-9_.-]+/g, '_');
  const hashed = pathOf(`${readable.slice(0, 80)}-${hash([sync, table, ...more])}`);
  return taken.has(hashed) ? pathOf(`${readable.slice(0, 80)}-${hash([sync, table, ...more, index])}`) : hashed;
}

const SUFFIX: Readonly<Record<string, string>> = { onException: '.exception', onUnique: '.unique' };

function pathOf(name: string): string {
  return `handlers/${name}.mjs`;
}

function hash(identity: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 8);
}
