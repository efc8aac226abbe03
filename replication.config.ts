import { defineReplication, env } from 'sarrio';

/** The shop of the demo: one source, a reporting copy and an archive. `npm run demo` shows it at work. */
export default defineReplication({
  databases: {
    shop: env('SHOP_URL'),
    reporting: env('REPORTING_URL'),
    archive: env('ARCHIVE_URL'),
  },
  syncs: {
    shop: {
      mode: 'one-way',
      source: 'shop',
      targets: ['reporting', 'archive'],
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
      exclude: ['public.web_sessions'],
    },
  },
});
