import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: { one: env('ONE_URL'), two: env('TWO_URL'), three: env('THREE_URL') },
  syncs: {
    there: { mode: 'one-way', source: 'one', targets: ['two'], tables: ['public.notes'] },
    further: { mode: 'one-way', source: 'two', targets: ['three'], tables: ['public.notes'] },
    back: { mode: 'one-way', source: 'three', targets: ['one'], tables: ['public.notes'] },
  },
});
