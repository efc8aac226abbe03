import { defineReplication, env } from 'sarrio';

/** Three environments: endpoints of their own, and numbers of each mode that are others there. No SQL depends on which is named. */
export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL'), report: env('REPORT_URL') },
  syncs: {
    orders: {
      mode: 'one-way',
      source: 'east',
      targets: ['report'],
      tables: ['public.orders'],
      guard: { deletes: 0.2, minRows: 100 },
      copy: { jobs: 4, rebuildIndexes: true },
      maxBacklog: '20 GB',
    },
    stock: { mode: 'multi-master', members: ['east', 'west'], tables: ['public.stock'], onConflict: 'last-update-wins', keepConflicts: '30 days' },
    prices: { mode: 'full-copy', source: 'east', targets: ['report'], tables: ['public.prices'], every: '30 2 * * *', timeZone: 'Europe/Berlin' },
  },
  environments: {
    staging: {
      databases: { east: env('STAGING_EAST_URL'), west: env('STAGING_WEST_URL'), report: env('STAGING_REPORT_URL') },
      syncs: {
        orders: { maxBacklog: { size: '1 GB', rows: 1_000_000 }, copy: { rate: '5 MB' }, guard: { minRows: 10 } },
        stock: { keepConflicts: '12 hours', maxClockSkew: '5 s', maxBacklog: '1 GB', copy: { rate: '2 MB' } },
        prices: { every: '6h', lockTimeout: '200ms' },
      },
    },
    production: { databases: { east: env('EAST_URL'), west: env('WEST_URL'), report: env('REPORT_URL') } },
    bench: {
      databases: { report: env('BENCH_REPORT_URL'), east: env('BENCH_EAST_URL'), west: env('BENCH_WEST_URL') },
      syncs: { orders: { copy: { jobs: 16, chunk: '1 GB' } } },
    },
  },
});
