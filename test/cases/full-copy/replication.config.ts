import { defineReplication, env } from '../../../src/index.ts';

export default defineReplication({
  databases: { one: env('ONE_URL'), two: env('TWO_URL'), three: env('THREE_URL') },
  syncs: {
    // A group with foreign keys, atomic; what arrives in two is sent on to three.
    group: { mode: 'full-copy', source: 'one', targets: ['two'], tables: ['public.customers', 'public.orders'], every: '15m' },
    onward: { mode: 'one-way', source: 'two', targets: ['three'], tables: ['public.customers'] },
    // No key anywhere, a filter and a computed column.
    truncated: {
      mode: 'full-copy',
      method: 'truncate',
      source: 'one',
      targets: ['two', 'three'],
      every: '30 2 * * 1-5',
      timeZone: 'Europe/Berlin',
      lockTimeout: '500ms',
      tables: ['public.log'],
    },
    filtered: {
      mode: 'full-copy',
      source: 'one',
      targets: ['two'],
      tables: [{ table: 'public.log', rename: 'public.short_log', where: 'line is not null', columns: { compute: { loud: 'upper(line)' } } }],
    },
    swapped: { mode: 'full-copy', method: 'swap', source: 'one', targets: ['two'], tables: ['public.latest'] },
    compared: { mode: 'full-copy', method: 'changed-only', source: 'one', targets: ['two'], tables: ['public.totals'], every: '1h' },
  },
});
