import { defineReplication, env } from 'sarrio';

/** Sequences of a target that is to take over are carried with a margin; one target has none for two of the columns. */
export default defineReplication({
  databases: {
    shop: { ...env('SHOP_URL'), roles: { runner: 'sarrio_runner', reader: 'sarrio_reader' } },
    replica: { ...env('REPLICA_URL'), roles: { runner: 'sarrio_runner', reader: 'sarrio_reader' } },
    reports: env('REPORTS_URL'),
  },
  syncs: {
    orders: {
      mode: 'one-way',
      source: 'shop',
      targets: ['replica', 'reports'],
      tables: ['public.*', { table: 'public.customers', columns: { rename: { id: 'customer_id' } } }],
      sequences: { carry: { margin: 500 } },
    },
    archive: { mode: 'one-way', source: 'replica', targets: ['reports'], tables: [{ table: 'public.calls', rename: 'public.old_calls' }], sequences: 'ignore' },
  },
});
