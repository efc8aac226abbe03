import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: {
    loose: {
      mode: 'one-way',
      source: 'east',
      targets: ['west'],
      tables: [
        { table: 'public.filtered', where: 'true)) as t) to stdout; drop table filtered; --' },
        { table: 'public.computed', columns: { compute: { body: "'it''s (' || body || $x$ open" } } },
        { table: 'public.fine', where: "body <> E'\\');' -- and ( no more\n  and id not in (1, 2) /* ; /* ' */ */" },
        'public."broken\nname"',
      ],
    },
  },
});
