import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SarrioError } from '../../src/plan/errors.ts';
import { compareGenerated, loadGenerated, writeGenerated } from '../../src/plan/generated-files.ts';
import { generatedHeader } from '../../src/plan/generated-header.ts';

let folder: string;
let dir: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sarrio-generated-'));
  dir = join(folder, 'generated');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe('reading the generated files', () => {
  const file = 'sql/first/public.notes.sql';

  beforeEach(() => cp('test/cases/two-syncs/expected', dir, { recursive: true }));

  const faults = async (): Promise<readonly string[]> => {
    try {
      await loadGenerated(dir);
      return [];
    } catch (error) {
      if (!(error instanceof SarrioError)) throw error;
      return error.diagnostics.map(({ code, where, message }) => `${code} ${where}: ${message}`);
    }
  };
  const edit = async (change: (text: string) => string): Promise<void> => {
    await writeFile(join(dir, file), change(await readFile(join(dir, file), 'utf8')));
  };

  test('gives the plan and the text of its SQL files', async () => {
    const { plan, files } = await loadGenerated(dir);
    expect(Object.keys(plan.syncs)).toEqual(['far', 'near', 'onward']);
    expect([...files.keys()]).toContain(file);
  });

  test('takes a checkout with CRLF line ends', async () => {
    await edit((text) => text.replaceAll('\n', '\r\n'));
    expect(await faults()).toEqual([]);
  });

  test('refuses a changed statement, by file and object', async () => {
    await edit((text) => text.replace('change_at timestamptz not null', 'change_at timestamptz'));
    expect(await faults()).toEqual([
      'SAR307 generated/sql/first/public.notes.sql: the statements of table sarrio.delta_public_notes were changed after they were compiled',
    ]);
  });

  test('refuses a statement that is missing, doubled or added', async () => {
    await edit((text) => `${text.replace('-- object: sequence', '-- was: sequence')}-- object: table sarrio.mine\ncreate table sarrio.mine (id int);\n`);
    expect((await faults()).map((fault) => fault.replace(/.*: the/, 'the'))).toEqual([
      expect.stringContaining('were changed'),
      expect.stringContaining('the statements of sequence sarrio.current_public_notes are missing'),
      'the statements of table sarrio.mine are not in the plan',
    ]);
  });

  test('refuses a missing file', async () => {
    await rm(join(dir, file));
    expect(await faults()).toEqual([`SAR307 generated/${file}: the plan names this file, but it is not there`]);
  });

  test('says what to do when nothing was compiled', async () => {
    await rm(dir, { recursive: true });
    expect(await faults()).toEqual(['SAR301 generated/plan.yaml: there is no such file']);
  });
});

describe('writing the generated files', () => {
  const ours = `${generatedHeader('--')}\nselect 1;\n`;
  const files = new Map([
    ['plan.yaml', 'a: 1\n'],
    ['sql/east/public.a.sql', ours],
  ]);

  test('writes what differs, deletes what is ours and stale, leaves the rest', async () => {
    expect(await writeGenerated(dir, files)).toEqual({ written: ['plan.yaml', 'sql/east/public.a.sql'], deleted: [] });
    await writeFile(join(dir, 'sql/east/public.b.sql'), ours);
    await writeFile(join(dir, 'sql/east/mine.sql'), 'select 1;\n');
    await writeFile(join(dir, 'schema.lock.json'), '{}');
    await writeFile(join(dir, 'plan.yaml'), 'a: 2\n');
    const changes = { written: ['plan.yaml'], deleted: ['sql/east/public.b.sql'] };
    expect(await compareGenerated(dir, files)).toEqual(changes);
    expect(await writeGenerated(dir, files)).toEqual(changes);
    expect(await compareGenerated(dir, files)).toEqual({ written: [], deleted: [] });
    expect((await readdir(join(dir, 'sql/east'))).sort()).toEqual(['mine.sql', 'public.a.sql']);
  });

  test('compares a large file to its last byte, also where a character takes two units', async () => {
    // Wherever it is divided into portions of an even length, one of the two texts has a character there.
    for (const before of ['', '-']) {
      const text = `${before}${'🦌'.repeat(300_000)}\n`;
      const large = new Map([['plan.yaml', text]]);
      await writeGenerated(dir, large);
      expect(await readFile(join(dir, 'plan.yaml'), 'utf8')).toBe(text);
      expect((await compareGenerated(dir, large)).written).toEqual([]);
      for (const other of [`${text}\n`, text.slice(0, -1), text.replace(/\n$/, ' '), `${before}🦎${text.slice(before.length + 2)}`]) {
        await writeFile(join(dir, 'plan.yaml'), other);
        expect((await compareGenerated(dir, large)).written).toEqual(['plan.yaml']);
      }
    }
  });

  test('knows what it has seen, until somebody writes the file', async () => {
    const seen = new Map();
    await writeGenerated(dir, files, seen);
    expect((await compareGenerated(dir, files, seen)).written).toEqual([]);
    expect((await compareGenerated(dir, new Map([...files, ['plan.yaml', 'a: 3\n']]), seen)).written).toEqual(['plan.yaml']);
    await writeFile(join(dir, 'plan.yaml'), 'a: 10\n');
    expect((await compareGenerated(dir, files, seen)).written).toEqual(['plan.yaml']);
    expect((await compareGenerated(dir, new Map([...files, ['plan.yaml', 'a: 10\n']]), seen)).written).toEqual([]);
  });
});
