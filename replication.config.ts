import { defineReplication, env, merge, remove } from 'sarrio';

/** The shop of the demo: two masters that both sell, a reporting copy, and one table of it that comes anew each night. `npm run demo` shows it at work. */
export default defineReplication({
  databases: {
    east: env('EAST_URL'),
    west: env('WEST_URL'),
    reporting: env('REPORTING_URL'),
  },
  syncs: {
    shop: {
      mode: 'multi-master',
      members: ['east', 'west'],
      onConflict: 'last-update-wins',
      // East counts odd numbers, west even ones.
      sequences: 'ignore',
      tables: [
        'public.*',
        // Both sides sell from one stock. Who changes the price does not undo what another writes about the product.
        { table: 'public.products', onConflict: { counters: ['stock'], columns: 'merge', otherwise: 'last-update-wins' } },
        {
          table: 'public.customers',
          // The later row wins, but who has said no to mails on either side gets none.
          onConflict: (conflict) => {
            const rows = conflict.versions.flatMap(({ row }) => (row === null ? [] : [row]));
            if (rows.length < conflict.versions.length) return remove();
            return merge({ wants_mail: rows.every((row) => row.wants_mail === true) });
          },
          // An address that is registered on both sides is whose was first; the other row is kept aside: sarrio conflicts parked.
          onUnique: 'keep-earliest',
        },
      ],
      exclude: ['public.web_sessions', 'public.sales_by_day'],
    },
    reporting: {
      mode: 'one-way',
      source: 'east',
      targets: ['reporting'],
      tables: [
        'public.*',
        // Nobody downstream needs passwords; reports group customers by the domain of their address.
        {
          table: 'public.customers',
          columns: { omit: ['password_hash'], compute: { email_domain: "split_part(email, '@', 2)" } },
        },
        // A review leaves the house once it is approved, and is taken back when the approval is.
        { table: 'public.reviews', where: 'approved' },
      ],
      exclude: ['public.web_sessions', 'public.sales_by_day'],
    },
    // A view there, a table here: replaced as a whole, under its readers, who never see it empty.
    nightly: {
      mode: 'full-copy',
      source: 'east',
      targets: ['reporting'],
      tables: ['public.sales_by_day'],
      every: '30 2 * * *',
      timeZone: 'Europe/Berlin',
      method: 'swap',
    },
  },
});
