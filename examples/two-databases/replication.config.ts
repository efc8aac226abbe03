import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: { main: env('MAIN_URL'), copy: env('COPY_URL') },
  syncs: {
    everything: { mode: 'one-way', source: 'main', targets: ['copy'], tables: ['public.*'] },
  },
});
