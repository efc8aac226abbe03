import { defineReplication, env } from 'sarrio';

/** One table in two syncs of a source, and a target that is the source of another sync. */
export default defineReplication({
  databases: { first: env('FIRST_URL'), second: env('SECOND_URL'), third: env('THIRD_URL') },
  syncs: {
    near: { mode: 'one-way', source: 'first', targets: ['second'], tables: ['public.notes'], existingRows: 'adopt' },
    far: { mode: 'one-way', source: 'first', targets: ['third'], tables: [{ table: 'public.notes', rename: 'public.notes_far' }] },
    onward: { mode: 'one-way', source: 'second', targets: ['third'], tables: ['public.notes'], copy: { rebuildIndexes: true } },
  },
  approve: [{ hazard: 'drop-stream', object: 'near/third', reason: 'the third one is fed by far', expires: '2026-12-31' }],
});
