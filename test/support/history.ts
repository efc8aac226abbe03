import { expect, onTestFinished } from 'vitest';
import { openDatabase, type TestDatabase } from './database.ts';
import { catchUp } from './follow.ts';
import { type Installation, installation } from './installation.ts';
import { type ServerOptions, startServer, type TestServer } from './server.ts';

export type Stage = {
  readonly sourceServer: TestServer;
  readonly targetServer: TestServer;
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly project: Installation;
};

/** A source and a target on servers of their own, with table `t` and one sync `s`, applied and copied. */
export async function stage(options: { source?: ServerOptions } = {}): Promise<Stage> {
  const [sourceServer, targetServer] = [await startServer({ durable: false, ...options.source }), await startServer({ durable: false })];
  onTestFinished(() => sourceServer.dispose());
  onTestFinished(() => targetServer.dispose());
  const [source, target] = [await sourceServer.createDatabase('shop'), await targetServer.createDatabase('shop')];
  onTestFinished(() => source.close());
  onTestFinished(() => target.close());
  for (const database of [source, target]) await database.script('create table t (id bigint primary key, v text);');
  await source.query("insert into t select g, 'first' from generate_series(1, 100) g");
  const project = await installation({
    databases: { source, target },
    syncs: { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.t'] } },
  });
  expect((await project.apply()).diagnostics).toEqual([]);
  await catchUp(project);
  return { sourceServer, targetServer, source, target, project };
}

/** The same project with another server behind the source's variable, and that database. */
export function pointedTo(
  project: Installation,
  url: string,
  variable: 'SOURCE_URL' | 'TARGET_URL' = 'SOURCE_URL',
): { database: TestDatabase; project: Installation } {
  const database = openDatabase(url);
  onTestFinished(() => database.close());
  return { database, project: { ...project, env: { ...project.env, [variable]: url } } };
}
