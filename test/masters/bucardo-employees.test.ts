import { expect, test } from 'vitest';
import { at, masters, rowsOf } from '../support/masters.ts';

/** The tables of Bucardo's `t/40-customcode-exception.t`: a unique index over an expression, for some rows only, and children with a key of two columns. */
const SCHEMA = `
  create table employee (id integer primary key, subid integer not null, fullname text, email text not null, active boolean not null default true);
  create unique index employee_email on employee (subid, lower(email)) where active;
  create table supplies (employee integer references employee (id), item text, n integer, primary key (employee, item));
`;

test('an e-mail address taken on three masters, which is allowed because the group differs or the row is not active: nobody is in the way of another', async () => {
  const { members, settles, conflicts } = await masters(SCHEMA, { count: 3, compared: ['public.employee', 'public.supplies'] });
  const [a, b, c] = [at(members, 0), at(members, 1), at(members, 2)];
  await a.script("insert into employee values (100, 10, 'Alice', 'alice@acme'); insert into supplies values (100, 'desk', 1)");
  await b.script("insert into employee values (101, 10, 'Bob', 'bob@acme')");
  await settles();
  await a.script("insert into employee values (104, 11, 'Mallory', 'mallory@acme'); insert into supplies values (104, 'desk', 1), (104, 'lamp', 2)");
  await b.script("insert into employee values (102, 10, 'Mallory', 'mallory@acme'); insert into supplies values (102, 'desk', 1)");
  await c.script("insert into employee values (103, 10, 'Mallory', 'MALLORY@ACME', false); update supplies set n = 3 where employee = 100");
  await settles();
  expect(await conflicts()).toEqual([]);
  expect((await rowsOf(a, 'employee')).length).toBe(5);
  expect(await rowsOf(b, 'supplies')).toEqual(['(100,desk,3)', '(102,desk,1)', '(104,desk,1)', '(104,lamp,2)']);
});

test('a row that stops to be active lets another master have its address', async () => {
  const { members, settles } = await masters(SCHEMA, {
    count: 3,
    compared: ['public.employee'],
    seed: "insert into employee values (1, 10, 'Ann', 'ann@acme')",
  });
  await at(members, 1).script("update employee set active = false; insert into employee values (2, 10, 'Anna', 'Ann@acme')");
  await settles();
  await at(members, 2).script('begin; update employee set active = not active where id = 2; update employee set active = not active where id = 1; commit');
  await settles();
  expect(await rowsOf(at(members, 0), 'employee')).toEqual(['(1,10,Ann,ann@acme,t)', '(2,10,Anna,Ann@acme,f)']);
});
