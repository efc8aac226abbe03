import { defineReplication, env } from '../../../src/index.ts';

const two = { mode: 'full-copy', source: 'one', targets: ['two'] } as const;

export default defineReplication({
  databases: { one: env('ONE_URL'), two: env('TWO_URL'), three: env('THREE_URL') },
  syncs: {
    never: { ...two, tables: ['public.keyless'], every: '0 0 31 2 *' },
    elsewhere: { ...two, targets: ['three'], tables: ['public.keyless'], every: '0 0 * * *', timeZone: 'Europe/Atlantis' },
    zone: { ...two, tables: ['public.a'], timeZone: 'UTC', method: 'swap' },
    // The same target table as `zone`, and one that another table references.
    again: { ...two, tables: [{ table: 'public.a', key: ['id'] }], method: 'truncate' },
    followed: { mode: 'one-way', source: 'one', targets: ['two'], tables: ['public.b'] },
    written: { ...two, tables: ['public.b'] },
    compared: { ...two, tables: ['public.seen'], method: 'changed-only' },
    unkeyed: { ...two, targets: ['three'], tables: [{ table: 'public.keyless', rename: 'public.seen' }], method: 'changed-only' },
    heirs: { ...two, targets: ['two', 'three'], tables: ['public.parent'], method: 'swap' },
    filled: { ...two, targets: ['three'], tables: [{ table: 'public.a', rename: 'public.seen' }] },
    captured: { mode: 'full-copy', source: 'three', targets: ['one'], tables: ['public.b'], method: 'swap' },
  },
});
