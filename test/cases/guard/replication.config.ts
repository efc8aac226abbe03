import { defineReplication, env } from 'sarrio';

/** Deletes that wait, rows that stay where the source has none any more, and a table that takes no TRUNCATE. */
export default defineReplication({
  databases: {
    shop: { ...env('SHOP_URL'), roles: { runner: 'sarrio_runner', reader: 'sarrio_reader' } },
    reports: { ...env('REPORTS_URL'), roles: { runner: 'sarrio_runner', reader: 'sarrio_reader' } },
    archive: env('ARCHIVE_URL'),
  },
  syncs: {
    guarded: {
      mode: 'one-way',
      source: 'shop',
      targets: ['reports'],
      tables: ['public.orders', { table: 'public.calls', truncate: 'ignore', where: 'not internal' }, { table: 'public.prices', truncate: 'refuse' }],
      guard: { deletes: 0.2, minRows: 100 },
    },
    archived: { mode: 'one-way', source: 'shop', targets: ['archive'], tables: ['public.orders', 'public.customers'], skip: ['delete'] },
  },
});
