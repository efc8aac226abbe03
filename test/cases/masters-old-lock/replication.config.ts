import { defineReplication, env } from 'sarrio';

/** Its lock was written before there were multi-master syncs. */
export default defineReplication({
  databases: { one: env('ONE_URL'), two: env('TWO_URL') },
  syncs: { group: { mode: 'multi-master', members: ['one', 'two'], tables: ['public.t'], onConflict: 'stop' } },
});
