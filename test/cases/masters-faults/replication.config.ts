import { defineReplication, env, type MultiMasterSync } from 'sarrio';

/** Not written by anybody who has types, but by those who have none. */
const oneWaySettings = {
  source: 'one',
  tables: [{ table: 'public.same', where: 'true', rename: 'public.other', columns: { omit: ['note'] }, missingColumns: 'omit' }],
} as unknown as Pick<MultiMasterSync, 'tables'>;

export default defineReplication({
  databases: { one: env('ONE_URL'), two: env('TWO_URL'), three: env('THREE_URL') },
  syncs: {
    alone: { mode: 'multi-master', members: ['one'], tables: ['public.same'], onConflict: 'stop' },
    twice: { mode: 'multi-master', members: ['one', 'two', 'one', 'tow'], tables: ['public.same'], onConflict: 'stop', sequences: { interleave: { slots: 2 } } },
    settings: { mode: 'multi-master', members: ['one', 'two'], onConflict: 'stop', ...oneWaySettings },
    noRule: { mode: 'multi-master', members: ['one', 'two'], tables: ['public.same'] },
    absent: {
      mode: 'multi-master',
      members: ['one', 'two'],
      tables: [{ table: 'public.same', onConflict: ['two', 'two', 'three'], onUnique: ['tow'], mask: ['id', 'notes'] }],
      onConflict: ['one', 'tow'],
    },
    differs: {
      mode: 'multi-master',
      members: ['one', 'two'],
      tables: ['public.*', 'public.missing_there', 'public.no_key'],
      exclude: ['public.risky', 'public.groups', 'public.events', 'public.same', 'public.ringed', 'public.counted', 'public.late'],
      onConflict: 'last-update-wins',
      onUnique: 'park',
    },
    risky: {
      mode: 'multi-master',
      members: ['one', 'two'],
      tables: ['public.risky', 'public.events'],
      onConflict: 'last-update-wins',
    },
    otherTruncate: { mode: 'multi-master', members: ['one', 'two'], tables: ['public.same'], onConflict: 'stop', truncate: 'refuse' },
    into: { mode: 'one-way', source: 'three', targets: ['two'], tables: ['public.same'] },
    ringOne: { mode: 'multi-master', members: ['one', 'two'], tables: ['public.ringed'], onConflict: 'skip' },
    ringTwo: { mode: 'multi-master', members: ['two', 'three'], tables: ['public.ringed'], onConflict: 'skip' },
    ringThree: { mode: 'multi-master', members: ['three', 'one'], tables: ['public.ringed'], onConflict: 'skip' },
    slots: { mode: 'multi-master', members: ['one', 'two'], tables: ['public.counted', 'public.late'], onConflict: 'skip', sequences: 'interleave' },
    otherSlots: { mode: 'multi-master', members: ['three', 'one'], tables: ['public.counted'], onConflict: 'skip', sequences: { interleave: { slots: 16 } } },
    within: { mode: 'one-way', source: 'one', targets: ['two'], tables: ['public.events'] },
  },
});
