import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: { one: env('ONE_URL'), two: env('TWO_URL'), three: env('THREE_URL') },
  syncs: {
    there: { mode: 'one-way', source: 'one', targets: ['two'], tables: ['public.notes', 'public.log'] },
    further: {
      mode: 'one-way',
      source: 'two',
      targets: ['three'],
      tables: [{ table: 'public.notes', key: 'notes_slug' }, 'public.log'],
    },
  },
});
