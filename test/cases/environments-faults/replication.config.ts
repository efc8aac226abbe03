import { defineReplication, env } from 'sarrio';

/** Environments that bind what is neither an endpoint nor a number, or the wrong one. */
export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL'), report: env('REPORT_URL') },
  syncs: {
    orders: { mode: 'one-way', source: 'east', targets: ['report'], tables: ['public.orders'] },
    stock: { mode: 'multi-master', members: ['east', 'west'], tables: ['public.stock'], onConflict: 'stop' },
    prices: { mode: 'full-copy', source: 'east', targets: ['report'], tables: ['public.prices'] },
  },
  environments: {
    // @ts-expect-error two of the databases are missing, and one is none of the config
    half: { databases: { east: env('EAST_URL'), wst: env('EAST_URL') } },
    numbers: {
      databases: { east: env('E_URL'), west: env('W_URL'), report: env('R_URL') },
      syncs: {
        orders: { guard: { minRows: 10 }, every: '1h' },
        stock: { lockTimeout: '1s' },
        // @ts-expect-error no sync of the config
        price: { every: '1h' },
      },
    },
  },
});
