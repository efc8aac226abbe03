import { defineReplication, env } from 'sarrio';

/** Sequences that cannot be carried: one that masters count by, and one that nobody knows. */
export default defineReplication({
  databases: { shop: env('SHOP_URL'), replica: env('REPLICA_URL'), other: env('OTHER_URL') },
  syncs: {
    orders: { mode: 'one-way', source: 'shop', targets: ['replica'], tables: ['public.customers', 'public.texts'], sequences: 'carry' },
    both: { mode: 'multi-master', members: ['replica', 'other'], tables: ['public.own'], onConflict: 'stop', sequences: 'interleave' },
  },
});
