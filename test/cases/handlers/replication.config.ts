import { type Conflict, defineReplication, env, keep, park, stop, type TakeAnswer, take } from 'sarrio';
import { mergeCustomers } from './rules/customers.ts';

const SUM = `total
  of both`;

export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: {
    shop: {
      mode: 'multi-master',
      members: ['east', 'west'],
      // Whoever was last, except at head office.
      onConflict: (conflict) => take(conflict.version('east')?.row?.office === 'head' ? 'east' : conflict.latest.database),
      tables: [
        'public.*',
        { table: 'public.customers', onConflict: mergeCustomers },
        {
          table: 'public.notes',
          onConflict: 'last-update-wins',
          // What breaks a rule of the table waits for somebody; of anything else east's row is the right one.
          onException: (failure) => (failure.error.code === '23514' ? park() : failure.tries > 0 ? stop() : keep('east')),
        },
        {
          table: 'public."Odd Name"',
          onConflict(conflict: Conflict): TakeAnswer {
            const texts = conflict.versions.map(({ row }) => `${row?.['note'] ?? ''}
              ${SUM}`);
            return take(texts[0] === SUM || conflict.common?.['note'] === SUM ? 'east' : 'west');
          },
        },
      ],
    },
  },
});
