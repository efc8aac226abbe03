import { defineReplication, env, type MergeRule } from 'sarrio';

/** Not written by anybody who has types, but by those who have none. */
const noOtherwise = { counters: ['stock'] } as unknown as MergeRule;

export default defineReplication({
  databases: { one: env('ONE_URL'), two: env('TWO_URL'), three: env('THREE_URL') },
  syncs: {
    counters: {
      mode: 'multi-master',
      members: ['one', 'two'],
      tables: [
        { table: 'public.products', onConflict: { counters: ['stok', 'weight', 'name', 'id', 'double_stock'], otherwise: 'stop' } },
        { table: 'public.other', onConflict: noOtherwise },
        { table: 'public.parent', onConflict: { columns: 'merge', otherwise: ['one', 'tow'] } },
      ],
    },
    nothing: { mode: 'multi-master', members: ['two', 'three'], tables: ['public.other'], onConflict: { otherwise: 'stop' } },
    whole: { mode: 'multi-master', members: ['two', 'three'], tables: ['public.child'], onConflict: { counters: ['stock'], otherwise: 'stop' } },
    again: { mode: 'multi-master', members: ['three', 'one'], tables: ['public.products'], onConflict: 'stop' },
  },
});
