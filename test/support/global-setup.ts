import type { TestProject } from 'vitest/node';
import { buildOnce } from './build.ts';
import { openDatabase } from './database.ts';
import { startServer } from './server.ts';

/** Builds the program and starts the server that the tests share, unless SARRIO_TEST_URL names another. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildOnce();
  const given = process.env.SARRIO_TEST_URL;
  if (given) {
    project.provide('serverUrl', given);
    return async () => undefined;
  }
  const server = await startServer({ durable: false });
  await openOnce(server.url('template1'));
  project.provide('serverUrl', server.url('postgres'));
  return () => server.dispose();
}

/** What the first session of a database works out of its catalogs lies in its folder then, and is copied with it. */
async function openOnce(url: string): Promise<void> {
  const database = openDatabase(url);
  await database.query('select');
  await database.close();
}
