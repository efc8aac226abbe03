import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { watchFiles } from '../../src/commands/watch-files.ts';
import { pause, waitUntil } from '../support/wait.ts';

test('a file that is emptied first and written a moment later is read once, whole; one that stays empty is empty', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sarrio-watch-files-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'replication.config.ts');
  await writeFile(file, 'first');
  const stop = new AbortController();
  const read: string[] = [];
  const work = async (): Promise<void> => void read.push(await readFile(file, 'utf8'));
  const watching = watchFiles({ cwd: folder, signal: stop.signal, isWatched: (each) => each === file, folders: () => [folder] }, work);
  await waitUntil('it has worked once', () => read.length === 1);

  const writer = await open(file, 'w');
  // What lies between the two is what is tried here.
  await pause(40);
  await writer.write('second');
  await writer.close();
  await waitUntil('it has seen the change', () => read.includes('second'));
  expect(read).toEqual(['first', 'second']);

  await writeFile(file, '');
  await waitUntil('it has seen that nothing is left', () => read.length === 3);
  stop.abort();
  await watching;
  expect(read).toEqual(['first', 'second', '']);
});
