import { defineReplication, env } from 'sarrio';

/** Guards and kept rows where they make no sense. */
export default defineReplication({
  databases: { shop: env('SHOP_URL'), other: env('OTHER_URL') },
  syncs: {
    // @ts-expect-error nothing is captured for a full copy
    copied: { mode: 'full-copy', source: 'shop', targets: ['other'], tables: [{ table: 'public.prices', skip: ['delete'] }], truncate: 'ignore', guard: { deletes: 0.5 } },
    // @ts-expect-error one way only
    both: { mode: 'multi-master', members: ['shop', 'other'], tables: [{ table: 'public.orders', skip: ['delete'] }], onConflict: 'stop', guard: { truncate: true } },
  },
});
