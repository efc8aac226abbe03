import { test } from 'vitest';
import { replicated } from '../support/runner.ts';

const SETTINGS: readonly (readonly [name: string, source: string, target: string])[] = [
  ['datestyle', 'German, DMY', 'SQL, MDY'],
  ['intervalstyle', 'sql_standard', 'iso_8601'],
  ['timezone', 'Australia/Lord_Howe', 'America/New_York'],
  ['bytea_output', 'escape', 'hex'],
  ['extra_float_digits', '-15', '0'],
  ['xmloption', 'content', 'document'],
  ['search_path', 'nowhere', 'pg_catalog'],
  ['standard_conforming_strings', 'off', 'on'],
  ['default_transaction_isolation', 'serializable', 'repeatable read'],
  ['default_transaction_read_only', 'off', 'on'],
  ['row_security', 'on', 'on'],
];

test.each([[10], [400]])('what databases and roles have set changes no value', async (rows) => {
  const { source, target, follows } =
    await replicated(`create table public.t (id bytea primary key, d date, ts timestamptz, plain timestamp, iv interval, b bytea,
    f double precision, r real, m money, x xml, u uuid, a timestamptz[]);`);
  for (const [name, here, there] of SETTINGS) {
    await source.query(`alter database ${source.name} set ${name} to ${list(here)}`);
    await target.query(`alter database ${target.name} set ${name} to ${list(there)}`);
  }
  await follows(`insert into public.t select decode(lpad(to_hex(g), 8, '0'), 'hex'), date '2026-02-01' + g, timestamptz '2026-04-05 01:45:00.123456+10:30' + g * interval '1 minute',
    timestamp '0044-03-15 12:00:00.000001 BC', interval '-1 year 2 mons -3 days 04:05:06.789', decode('00ff5c27', 'hex'), 0.1::float8 + g, '-0'::real, 1234.56::money, '<a/>text<b/>'::xml,
    gen_random_uuid(), array[timestamptz 'infinity', now()] from generate_series(1, ${rows}) g`);
  await follows("update public.t set d = d + 31, ts = ts + interval '6 mons', f = f / 3; delete from public.t where id < decode('00000004', 'hex')");
});

function list(value: string): string {
  return value
    .split(', ')
    .map((each) => `'${each}'`)
    .join(', ');
}
