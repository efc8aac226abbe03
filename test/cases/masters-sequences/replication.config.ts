import { defineReplication, env } from 'sarrio';

/** Two masters that count in steps, a column that the record of conflicts does not show, and a budget for the one that is away. */
export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: {
    shop: {
      mode: 'multi-master',
      members: ['east', 'west'],
      tables: [
        'public.*',
        { table: 'public.customers', mask: ['password_hash'] },
      ],
      onConflict: 'last-update-wins',
      sequences: 'interleave',
      maxBacklog: { size: '20 GB', rows: 50_000_000 },
    },
  },
});
